//! HTTP/2: one connection, as many requests at once as the server allows.

use std::{
    cell::{Cell, RefCell},
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::Request;
use hyper::{
    body::{Body as _, Incoming},
    client::conn::{
        TrySendError,
        http2::{self, SendRequest},
    },
    rt::Executor,
};
use hyper_util::rt::TokioIo;
use tokio::time::Instant;

use super::{Error, Failure, Fate, h2_error};
use crate::{
    http::{
        body::Sending,
        head::Head,
        pool::{Seat, Seats},
    },
    net::{self, Wire},
};

/// A connection that several requests share. A task of its own drives it.
pub(in crate::http) struct Http2 {
    sender: RefCell<SendRequest<Sending>>,
    wire: Rc<Wire>,
    driver: Rc<Driver>,
    streams: Cell<usize>,
    /// Whether a request has been begun on it.
    carried: Cell<bool>,
    born: Instant,
    last_used: Cell<Instant>,
    /// Bytes written and read that some request has counted.
    counted: Cell<(u64, u64)>,
    /// Whether it has been given up as dead.
    retired: Cell<bool>,
    seat: Seat,
}

type Driving = http2::Connection<TokioIo<net::Stream>, Sending, OnThisThread>;

/// What reads and writes; `None` once the connection is closed.
type Driver = RefCell<Option<Driving>>;

/// The part of one request in a connection.
#[derive(Debug)]
pub(in crate::http) struct Stream {
    connection: Rc<Http2>,
    kept: bool,
    /// The body of the answer, once the head has come.
    body: Option<Incoming>,
}

impl Http2 {
    /// Speaks HTTP/2 over a new stream.
    pub(in crate::http) async fn new(stream: net::Stream, seat: Seat) -> Result<Self, Error> {
        let wire = stream.wire();
        let (sender, driver) = http2::Builder::new(OnThisThread)
            .initial_max_send_streams(seat.seats().streams())
            .handshake(TokioIo::new(stream))
            .await
            .map_err(Error::Hyper)?;
        let driver = Rc::new(RefCell::new(Some(driver)));
        tokio::task::spawn_local(drive(Rc::clone(&driver), Rc::clone(seat.seats())));
        let now = Instant::now();
        Ok(Self {
            sender: RefCell::new(sender),
            wire,
            driver,
            streams: Cell::new(0),
            carried: Cell::new(false),
            born: now,
            last_used: Cell::new(now),
            counted: Cell::new((0, 0)),
            retired: Cell::new(false),
            seat,
        })
    }

    /// A part of it for one request.
    pub(in crate::http) fn stream(self: &Rc<Self>) -> Stream {
        self.streams.set(self.streams.get() + 1);
        Stream {
            connection: Rc::clone(self),
            kept: self.carried.replace(true),
            body: None,
        }
    }

    /// Whether requests can be begun on it: the server has not closed it, nor said that it will.
    pub(in crate::http) fn is_open(&self) -> bool {
        !self.retired.get() && !self.sender.borrow().is_closed()
    }

    /// Gives it up: those who have a request on it may go on, nobody else begins one.
    pub(in crate::http) fn retire(&self) {
        self.retired.set(true);
    }

    /// Whether the server allows another request at once.
    pub(in crate::http) fn has_room(&self) -> bool {
        // A body that the journey streams is read by the driver, and may ask for a stream itself.
        let Ok(driver) = self.driver.try_borrow() else {
            return self.streams.get() < self.seat.seats().streams();
        };
        // Asked anew each time, since the server may say so when nothing else happens.
        let Some(allowed) = driver.as_ref().map(Driving::current_max_send_streams) else {
            return false;
        };
        self.seat.seats().allow(allowed);
        self.streams.get() < allowed
    }

    /// When it was opened.
    pub(in crate::http) fn born(&self) -> Instant {
        self.born
    }

    /// Since when it has had no request; `None` while it has one.
    pub(in crate::http) fn unused_since(&self) -> Option<Instant> {
        (self.streams.get() == 0).then(|| self.last_used.get())
    }

    /// The socket's counters.
    pub(in crate::http) fn wire(&self) -> &Wire {
        &self.wire
    }

    /// Bytes written and read since this was last asked.
    pub(in crate::http) fn take_bytes(&self) -> (u64, u64) {
        let now = (self.wire.written(), self.wire.read());
        let (written, read) = self.counted.replace(now);
        (now.0 - written, now.1 - read)
    }
}

impl Stream {
    /// Sends a request and reads the head of the answer.
    pub(in crate::http) fn send(
        &mut self,
        request: Request<Sending>,
    ) -> impl Future<Output = Result<Head, Failure>> {
        // Given away before anything is awaited, so that the future has no room for it.
        let answer = self
            .connection
            .sender
            .borrow_mut()
            .try_send_request(request);
        async move {
            let (head, body) = answer.await.map_err(failure)?.into_parts();
            self.body = Some(body);
            Ok(Head::from(head))
        }
    }

    /// The next piece of the body; `None` at its end. Trailers are passed over.
    pub(super) fn poll_piece(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Error>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        loop {
            match ready!(Pin::new(&mut *body).poll_frame(cx)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(Error::Hyper(error)))),
                Some(Ok(frame)) => {
                    if let Ok(piece) = frame.into_data() {
                        return Poll::Ready(Some(Ok(piece)));
                    }
                }
            }
        }
    }

    /// How many bytes of the body are still to come, where that is known.
    pub(super) fn left(&self) -> Option<u64> {
        self.body.as_ref()?.size_hint().exact()
    }

    /// Whether the connection had carried a request before this one was begun.
    pub(super) fn is_kept(&self) -> bool {
        self.kept
    }

    pub(super) fn connection(&self) -> &Rc<Http2> {
        &self.connection
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let connection = &self.connection;
        connection.streams.set(connection.streams.get() - 1);
        connection.last_used.set(Instant::now());
        connection.seat.seats().freed();
    }
}

/// Reads and writes until the connection is closed, and follows how many streams there may be.
///
/// What ends the connection is told to the requests on it, not here.
async fn drive(driver: Rc<Driver>, seats: Rc<Seats>) {
    let room = Cell::new(0);
    let closing = Closing { driver, seats };
    poll_fn(|cx| {
        let mut driver = closing.driver.borrow_mut();
        let Some(driving) = driver.as_mut() else {
            return Poll::Ready(());
        };
        let ended = Pin::new(&mut *driving).poll(cx).map(drop);
        let now = driving.current_max_send_streams();
        if room.replace(now) < now {
            closing.seats.freed();
        }
        ended
    })
    .await;
}

/// Lets nobody wait for a connection that is no longer driven, also when a body that the journey
/// streams has panicked while it was read.
struct Closing {
    driver: Rc<Driver>,
    seats: Rc<Seats>,
}

impl Drop for Closing {
    fn drop(&mut self) {
        drop(self.driver.take());
        self.seats.freed();
    }
}

fn failure(mut failed: TrySendError<Request<Sending>>) -> Failure {
    let unsent = failed.take_message();
    let error = failed.into_error();
    let fate = match unsent {
        Some(request) => Fate::Unsent(Some(request.into_body())),
        None if is_refusal(&error) => Fate::Refused,
        None => Fate::Sent,
    };
    Failure {
        error: Error::Hyper(error),
        fate,
    }
}

/// Whether the server says that it did nothing about the request (RFC 9113, section 8.7): the
/// stream was refused, or it came after the last one of a connection that the server ends in peace.
fn is_refusal(error: &hyper::Error) -> bool {
    h2_error(error).is_some_and(|error| {
        let refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
        let too_late = error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR);
        error.is_remote() && (refused || too_late)
    })
}

/// Runs hyper's tasks on the worker thread.
#[derive(Clone, Copy, Debug)]
struct OnThisThread;

impl<F: Future<Output: 'static> + 'static> Executor<F> for OnThisThread {
    fn execute(&self, task: F) {
        tokio::task::spawn_local(task);
    }
}

impl fmt::Debug for Http2 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Http2")
            .field("wire", &self.wire)
            .field("streams", &self.streams)
            .finish_non_exhaustive()
    }
}
