//! One HTTP/1.1 connection, driven by whoever has a request on it.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use http::{Request, Response};
use hyper::{
    body::Incoming,
    client::conn::{
        TrySendError,
        http1::{self, SendRequest},
    },
};
use hyper_util::rt::TokioIo;
use pin_project_lite::pin_project;
use tokio::{task::unconstrained, time::Instant};

use super::{Failure, Fate, poll_data};
use crate::{
    http::{body::Sending, pool::Seat},
    net::{Stream, Wire},
};

/// What hyper may buffer of one direction: also the longest head of an answer.
const BUFFER: usize = 64 * 1024;

/// A connection with at most one request on it.
///
/// No task of its own drives it: the future of the request does, so an answer takes one wake-up
/// from the socket to the journey, and dropping the request closes the connection.
pub(in crate::http) struct Http1 {
    sender: SendRequest<Sending>,
    /// `None` once the connection is closed.
    driver: Option<http1::Connection<TokioIo<Stream>, Sending>>,
    relay: Arc<Relay>,
    waker: Waker,
    wire: Rc<Wire>,
    born: Instant,
    idle_since: Option<Instant>,
    /// Held for as long as the connection is open.
    _seat: Seat,
}

impl Http1 {
    /// Speaks HTTP over a new stream.
    pub(in crate::http) async fn new(stream: Stream, seat: Seat) -> Result<Self, hyper::Error> {
        let wire = stream.wire();
        let (sender, driver) = http1::Builder::new()
            .max_buf_size(BUFFER)
            .handshake(TokioIo::new(stream))
            .await?;
        let relay = Arc::new(Relay::default());
        Ok(Self {
            sender,
            driver: Some(driver),
            waker: Waker::from(Arc::clone(&relay)),
            relay,
            wire,
            born: Instant::now(),
            idle_since: None,
            _seat: seat,
        })
    }

    /// The counters of the request in flight.
    pub(in crate::http) fn wire(&self) -> &Rc<Wire> {
        &self.wire
    }

    /// When it was opened.
    pub(in crate::http) fn born(&self) -> Instant {
        self.born
    }

    /// When the last request ended.
    pub(in crate::http) fn idle_since(&self) -> Option<Instant> {
        self.idle_since
    }

    /// Whether the socket has had something to say since the last request ended.
    pub(in crate::http) fn has_stirred(&self) -> bool {
        self.relay.woken.load(Ordering::Acquire)
    }

    /// Whether an idle connection can take a request, as far as can be known before it is sent.
    ///
    /// When tokio has told of something on the socket, hyper reads it: a close ends the connection,
    /// bytes nobody asked for are an error, a TLS session ticket is nothing. But tokio asks the
    /// kernel only when its tasks have nothing to do, so the kernel is asked directly: one call that
    /// does not wait, so that no request is lost to a close that came before it.
    pub(in crate::http) fn is_fit(&mut self) -> bool {
        if self.has_stirred() {
            self.drive();
            self.rest();
            return self.is_reusable();
        }
        self.wire.is_quiet()
    }

    /// Whether another request can follow the one that has been answered.
    pub(in crate::http) fn is_reusable(&self) -> bool {
        self.driver.is_some() && self.sender.is_ready()
    }

    /// Takes note of when the last request ended.
    pub(in crate::http) fn set_idle_since(&mut self, now: Instant) {
        self.idle_since = Some(now);
    }

    /// Sends a request and reads the head of the answer.
    pub(in crate::http) fn send(
        &mut self,
        request: Request<Sending>,
    ) -> impl Future<Output = Result<Response<Incoming>, Failure>> {
        self.wire.begin();
        Head {
            // Given away before anything is awaited, so that the future has no room for it.
            answer: unconstrained(self.sender.try_send_request(request)),
            connection: self,
        }
    }

    /// The next piece of the body; `None` at its end.
    pub(super) fn poll_piece(
        &mut self,
        body: &mut Incoming,
        cx: &Context<'_>,
    ) -> Poll<Option<Result<Bytes, hyper::Error>>> {
        // New pieces only ever come out of `drive`, so nobody needs waking for them.
        let mut unwoken = Context::from_waker(Waker::noop());
        if let Poll::Ready(piece) = poll_data(body, &mut unwoken) {
            return Poll::Ready(piece);
        }
        self.drive();
        match poll_data(body, &mut unwoken) {
            Poll::Ready(piece) => Poll::Ready(piece),
            Poll::Pending => self.park(cx),
        }
    }

    /// Lets hyper read and write what it can.
    fn drive(&mut self) {
        self.relay.woken.store(false, Ordering::Release);
        if let Some(driver) = &mut self.driver {
            let finished = Pin::new(driver).poll(&mut Context::from_waker(&self.waker));
            if finished.is_ready() {
                // Dropped, it hands back a request it has not begun.
                self.driver = None;
            }
        }
    }

    /// Waits for the socket.
    fn park<T>(&self, cx: &Context<'_>) -> Poll<T> {
        self.relay.task.register(cx.waker());
        if self.has_stirred() {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// From here on a wake-up means that the idle socket has something to say.
    pub(super) fn rest(&self) {
        self.relay.task.take();
        self.relay.woken.store(false, Ordering::Release);
    }
}

impl fmt::Debug for Http1 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Http1")
            .field("wire", &self.wire)
            .field("idle_since", &self.idle_since)
            .finish_non_exhaustive()
    }
}

pin_project! {
    /// The head of an answer, for which the connection is driven.
    struct Head<'a, F> {
        connection: &'a mut Http1,
        #[pin]
        answer: F,
    }
}

impl<F> Future for Head<'_, F>
where
    F: Future<Output = Result<Response<Incoming>, TrySendError<Request<Sending>>>>,
{
    type Output = Result<Response<Incoming>, Failure>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let connection = this.connection;
        connection.drive();
        // The answer only ever comes out of `drive`, so nobody needs waking for it.
        let answer = this.answer.poll(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(outcome) = answer else {
            return connection.park(cx);
        };
        Poll::Ready(outcome.map_err(|mut failed| Failure {
            fate: if connection.wire.written() == 0 {
                Fate::Unsent(failed.take_message().map(Box::new))
            } else {
                Fate::Sent
            },
            error: failed.into_error(),
        }))
    }
}

/// Passes the wake-ups of a connection to the request on it, and remembers those that come while
/// there is none.
///
/// hyper wakes the connection's task whenever something passes between the two, which are one task
/// here: without the relay each request would be polled once more for nothing.
#[derive(Default)]
struct Relay {
    woken: AtomicBool,
    task: AtomicWaker,
}

impl Wake for Relay {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.task.wake();
    }
}
