//! One request, as far as the head of its answer.

use std::rc::Rc;

use super::silence::{self, Silent};
use crate::http::{
    body::{HandedOver, SendError, Sending},
    connection::{Connection, Failure, Fate},
    error::{Error, Kind},
    head::Head,
    pool::{ConnectError, Offer, Seat},
    request::Plan,
};

/// How often a request that the server has not looked at is sent again.
const RESENDS: usize = 3;

/// An answer of which the head has come.
pub(in crate::http) struct Arrival {
    pub(in crate::http) connection: Connection,
    pub(in crate::http) head: Head,
}

/// Why no head came.
enum Trouble {
    Failed(Failure),
    Body(SendError),
    Silent(Silent),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Trouble::Failed(failure)
    }
}

impl From<Silent> for Trouble {
    fn from(silent: Silent) -> Self {
        Trouble::Silent(silent)
    }
}

/// Sends on a kept connection if there is one, else on a new one.
///
/// A request of which nothing was written, since a kept connection turned out closed, or that the
/// server refused to look at, goes to another connection; nothing else is ever sent twice.
pub(super) async fn attempt(plan: &Plan) -> Result<Arrival, Error> {
    let (endpoint, progress) = (&plan.endpoint, &plan.progress);
    let mut left = None;
    let mut resends = 0;
    loop {
        let offer = match endpoint.offer(progress.began()) {
            Some(offer) => offer,
            None => {
                let offer = endpoint.turn().await;
                progress.waited();
                offer
            }
        };
        let mut connection = match offer {
            Offer::Kept(connection) => connection,
            // Kept apart, so that requests on kept connections need no room for a handshake.
            Offer::New(seat) => Box::pin(open(plan, seat)).await?,
        };
        progress.follow(&connection);
        let body = match (left.take(), plan.body().ready()) {
            (Some(body), _) | (None, Some(body)) => body,
            (None, None) => open_body(plan).await?,
        };
        let answer = match &mut connection {
            // The plain case goes straight, since each layer costs time on the way back.
            Connection::Http1(connection) if plan.read_timeout.is_none() => {
                let answer = connection.send(plan.outbound(body));
                answer.await.map_err(Trouble::Failed)
            }
            connection => Box::pin(send(plan, connection, body)).await,
        };
        let failure = match answer {
            Ok(head) => return Ok(Arrival { connection, head }),
            Err(Trouble::Failed(failure)) => failure,
            Err(Trouble::Body(error)) => return Err(unsendable(plan, &error)),
            Err(Trouble::Silent(silent)) => return Err(plan.silent(silent)),
        };
        if connection.is_kept() {
            endpoint.distrust();
        }
        let error = failure.error;
        let again = match failure.fate {
            _ if error.is_users() => false,
            Fate::Unsent(body) if connection.is_kept() => {
                progress.unsent();
                let body = body.filter(|_| !plan.body().is_repeatable());
                left = body.map(Sending::unwatched);
                left.is_some() || plan.body().is_repeatable()
            }
            Fate::Refused => plan.body().is_repeatable(),
            Fate::Unsent(_) | Fate::Sent => false,
        };
        resends += 1;
        if !again || resends > RESENDS {
            return Err(Error::connection(plan.brief(), &error, false));
        }
        progress.waited();
    }
}

/// Opens a connection for a request.
async fn open(plan: &Plan, seat: Seat) -> Result<Connection, Error> {
    let context = &plan.session.context;
    let connecting = plan
        .pool
        .connect(&plan.endpoint, seat, plan.progress.phases());
    match connecting.await {
        Ok(connection) => {
            plan.progress.connected();
            let passed_over = plan.progress.phases().get().passed_over;
            context.connection_opened(connection.tls_resumed(), passed_over);
            Ok(connection)
        }
        Err(error) => {
            context.connection_failed();
            if let ConnectError::Net(error) = &error
                && let Some(lack) = error.lack()
            {
                context.lacked(lack);
            }
            Err(match error {
                ConnectError::Refused(mistake) => Error::new(Kind::Request, plan.brief(), mistake),
                ConnectError::Net(error) => Error::net(plan.brief(), &error),
                ConnectError::Http(error) => Error::connection(plan.brief(), &error, false),
            })
        }
    }
}

/// Sends on a connection that others use too, or whose silence is limited, and reads the head of
/// the answer.
async fn send(plan: &Plan, connection: &mut Connection, body: Sending) -> Result<Head, Trouble> {
    let progress = &plan.progress;
    let stream = match connection {
        Connection::Http2(stream) => stream,
        Connection::Http1(connection) => {
            let answer = connection.send(plan.outbound(body));
            return Ok(silence::limit(progress, plan.read_timeout, answer).await??);
        }
    };
    // Nobody else can tell when a stream of a shared connection was written.
    let handed_over = Rc::new(HandedOver::default());
    progress.hand_over(Rc::clone(&handed_over));
    let request = plan.message(body.with_finish(Rc::clone(&handed_over)));
    match silence::limit(progress, plan.read_timeout, stream.send(request)).await? {
        Ok(head) => {
            progress.answered();
            Ok(head)
        }
        Err(failure) => Err(match handed_over.failure() {
            Some(error) => Trouble::Body(error),
            None => Trouble::Failed(failure),
        }),
    }
}

/// A body that has to be opened first.
async fn open_body(plan: &Plan) -> Result<Sending, Error> {
    match Box::pin(plan.body().open()).await {
        Ok(body) => Ok(body),
        Err(error) => Err(unsendable(plan, &error)),
    }
}

fn unsendable(plan: &Plan, error: &SendError) -> Error {
    let cause = format!("the request cannot be sent: {error}");
    Error::new(Kind::Request, plan.brief(), cause)
}
