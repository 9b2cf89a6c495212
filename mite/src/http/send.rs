//! One request from `send()` to its event.

use std::{
    cell::{Cell, RefCell},
    pin::pin,
    rc::Rc,
};

use http::Version;
use tokio::time::Instant;

use super::{
    connection::{Answer, Connection},
    error::{Error, Kind},
    mask,
    pool::ConnectError,
    request::{Plan, Refused},
};
use crate::{
    context::Place,
    event::{Exchange, Head, HttpRequest, Timings, What},
    net::{Phases, Wire},
};

/// Sends a request, in time or not at all, and records what became of it.
pub(super) async fn send(plan: &Plan) -> Result<(Answer, Timings), Error> {
    let record = Record::begin(plan);
    let deadlines = &plan.session.state.worker.deadlines;
    let attempts = pin!(attempt(plan, &record.progress));
    let outcome = deadlines
        .limit(record.began, plan.timeout, attempts)
        .await
        .unwrap_or_else(|_| {
            let connected = record.progress.wire.borrow().is_some();
            if !connected {
                plan.session.context.connection_failed();
            }
            Err(Error::timeout(plan.brief(), plan.timeout, connected))
        });
    let timings = record.finish(outcome.as_ref());
    Ok((outcome?, timings))
}

/// Records a request that could not be built.
#[cold]
pub(super) fn refuse(refused: &Refused) -> Error {
    let name = match &*refused.name {
        "" => refused.method.as_str(),
        name => name,
    };
    let error = Error::new(Kind::Request, name.to_owned(), &*refused.mistake);
    refused.session.context.record(&What::Http(&HttpRequest {
        name,
        method: &refused.method,
        status: None,
        failed: true,
        sent: false,
        error: Some(error.kind()),
        timings: &Timings::default(),
        labels: &[],
    }));
    error
}

/// Sends on a kept connection if there is one, else on a new one.
///
/// A kept connection that turns out closed before anything of the request was written is replaced
/// by a new one; nothing is ever written twice.
async fn attempt(plan: &Plan, progress: &Progress) -> Result<Answer, Error> {
    let endpoint = &plan.target.endpoint;
    let pool = &plan.session.state.worker.pool;
    if let Some(mut connection) = endpoint.take() {
        progress.follow(&connection);
        match connection.exchange(plan.request()).await {
            Ok(answer) => {
                progress.end(connection, plan);
                return Ok(answer);
            }
            Err(error) if connection.wire().written() > 0 || error.is_user() => {
                return Err(failure(plan, &connection, &error));
            }
            Err(_) => {}
        }
    }

    progress.wire.replace(None);
    // Kept apart, so that requests on kept connections need no room for a handshake.
    let connecting = Box::pin(pool.connect(endpoint, &progress.phases));
    let mut connection = match connecting.await {
        Ok(connection) => connection,
        Err(error) => {
            plan.session.context.connection_failed();
            return Err(match error {
                ConnectError::Net(error) => Error::net(plan.brief(), &error),
                ConnectError::Http(error) => Error::hyper(plan.brief(), &error, false),
            });
        }
    };
    let tls = progress.phases.get().tls;
    plan.session.context.connection_opened(tls.map(|_| false));
    progress.ready.set(Instant::now());
    progress.follow(&connection);
    match connection.exchange(plan.request()).await {
        Ok(answer) => {
            progress.end(connection, plan);
            Ok(answer)
        }
        Err(error) => Err(failure(plan, &connection, &error)),
    }
}

fn failure(plan: &Plan, connection: &Connection, error: &hyper::Error) -> Error {
    Error::hyper(plan.brief(), error, connection.is_answering())
}

/// How far a request has come, for whoever ends it: the answer, the deadline or the journey's end.
struct Progress {
    phases: Cell<Phases>,
    /// When there was a connection to write to; when it began, until there is one.
    ready: Cell<Instant>,
    ended: Cell<Option<Instant>>,
    reused: Cell<bool>,
    wire: RefCell<Option<Rc<Wire>>>,
}

impl Progress {
    fn follow(&self, connection: &Connection) {
        self.reused.set(connection.is_kept());
        self.wire.replace(Some(Rc::clone(connection.wire())));
    }

    fn end(&self, connection: Box<Connection>, plan: &Plan) {
        let now = Instant::now();
        self.ended.set(Some(now));
        if connection.is_reusable() {
            let pool = &plan.session.state.worker.pool;
            pool.keep(&plan.target.endpoint, connection, now);
        }
    }

    fn timings(&self, began: Instant) -> Timings {
        let wire = self.wire.borrow();
        let phases = self.phases.get();
        Timings {
            dns: phases.dns,
            connect: phases.connect,
            tls: phases.tls,
            first_byte: wire
                .as_ref()
                .and_then(|wire| wire.first_byte())
                .map(|at| at.saturating_duration_since(self.ready.get())),
            total: self.ended.get().unwrap_or_else(Instant::now) - began,
            bytes_sent: wire.as_ref().map_or(0, |wire| wire.written()),
            bytes_received: wire.as_ref().map_or(0, |wire| wire.read()),
            reused: self.reused.get(),
            version: wire.as_ref().map(|_| Version::HTTP_11),
            ..Timings::default()
        }
    }
}

/// Sees to it that every request is recorded once, also one that is dropped midway.
struct Record<'a> {
    plan: &'a Plan,
    place: Place,
    began: Instant,
    progress: Progress,
    done: Cell<bool>,
}

impl<'a> Record<'a> {
    fn begin(plan: &'a Plan) -> Self {
        let began = Instant::now();
        Self {
            plan,
            place: plan.session.context.place(),
            began,
            progress: Progress {
                phases: Cell::default(),
                ready: Cell::new(began),
                ended: Cell::new(None),
                reused: Cell::new(false),
                wire: RefCell::new(None),
            },
            done: Cell::new(false),
        }
    }

    fn finish(&self, outcome: Result<&Answer, &Error>) -> Timings {
        self.done.set(true);
        let timings = self.progress.timings(self.began);
        match outcome {
            Ok(answer) => self.tell(&timings, Some(answer), None),
            Err(error) => self.tell(&timings, None, Some((error.kind(), &error.to_string()))),
        }
        timings
    }

    fn tell(&self, timings: &Timings, answer: Option<&Answer>, error: Option<(&str, &str)>) {
        let plan = self.plan;
        let status = answer.map(|answer| answer.head.status);
        let context = &plan.session.context;
        context.record_at(
            self.place,
            &What::Http(&HttpRequest {
                name: &plan.name,
                method: &plan.method,
                status: status.map(|status| status.as_u16()),
                failed: status.is_none_or(|status| plan.is_failure(status)),
                sent: timings.bytes_sent > 0,
                error: error.map(|(kind, _)| kind),
                timings,
                labels: &[],
            }),
        );
        if context.tapped() {
            let error = error.map(|(_, message)| message);
            let exchange = exchange(plan, answer, error, timings);
            context.exchange(exchange, self.place);
        }
    }
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        if !self.done.get() {
            let timings = self.progress.timings(self.began);
            let error = (
                Kind::Interrupted.as_str(),
                "given up before it was answered",
            );
            self.tell(&timings, None, Some(error));
        }
    }
}

/// The request and its answer, for whoever wants to look at them.
#[cold]
fn exchange(
    plan: &Plan,
    answer: Option<&Answer>,
    error: Option<&str>,
    timings: &Timings,
) -> Exchange {
    let request = Head {
        headers: plan.all_headers(),
        body: plan.body.clone(),
    };
    let curl = mask::curl(
        &plan.method,
        &plan.target.url,
        &request,
        plan.target.endpoint.accepts_invalid_certs(),
        plan.session.context.config(),
    );
    let mut exchange = Exchange::new(
        plan.name.to_string(),
        plan.method.clone(),
        plan.target.url.to_string(),
        request,
    );
    if let Some(answer) = answer {
        exchange.status = Some(answer.head.status);
        exchange.response = Head {
            headers: answer.head.headers.clone(),
            body: answer.body.clone(),
        };
    }
    exchange.error = error.map(str::to_owned);
    exchange.curl = curl;
    exchange.timings = *timings;
    exchange
}
