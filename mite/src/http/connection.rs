//! One HTTP/1.1 connection, driven by whoever has a request on it.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use bytes::{Bytes, BytesMut};
use futures_util::task::AtomicWaker;
use http::{Request, response::Parts};
use http_body_util::Full;
use hyper::{
    body::{Body as _, Incoming},
    client::conn::{
        TrySendError,
        http1::{self, SendRequest},
    },
};
use hyper_util::rt::TokioIo;
use tokio::{task::unconstrained, time::Instant};

use crate::net::{Stream, Wire};

/// What hyper may buffer of one direction: also the longest head of an answer.
const BUFFER: usize = 64 * 1024;

/// How often a body is read from the socket before other tasks get their turn.
const READS_A_TURN: usize = 16;

/// A connection with at most one request on it.
///
/// No task of its own drives it: the future of the request does, so an answer takes one wake-up
/// from the socket to the journey, and dropping the request closes the connection.
pub(super) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    /// `None` once the connection is closed.
    driver: Option<http1::Connection<TokioIo<Stream>, Full<Bytes>>>,
    relay: Arc<Relay>,
    waker: Waker,
    wire: Rc<Wire>,
    idle_since: Option<Instant>,
    /// Whether the head of an answer has come.
    answering: bool,
}

/// An answer with its whole body.
pub(super) struct Answer {
    pub(super) head: Parts,
    pub(super) body: Bytes,
}

impl Connection {
    /// Speaks HTTP over a new stream.
    pub(super) async fn new(stream: Stream) -> Result<Self, hyper::Error> {
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
            idle_since: None,
            answering: false,
        })
    }

    /// The counters of the request in flight.
    pub(super) fn wire(&self) -> &Rc<Wire> {
        &self.wire
    }

    /// Whether it has carried a request before.
    pub(super) fn is_kept(&self) -> bool {
        self.idle_since.is_some()
    }

    /// Whether the head of the answer has come and the body has not.
    pub(super) fn is_answering(&self) -> bool {
        self.answering
    }

    /// When the last request ended.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        self.idle_since
    }

    /// Whether the socket has had something to say since the last request ended.
    pub(super) fn has_stirred(&self) -> bool {
        self.relay.woken.load(Ordering::Acquire)
    }

    /// Whether an idle connection can take a request, as far as can be known before it is sent.
    ///
    /// When tokio has told of something on the socket, hyper reads it: a close ends the connection,
    /// bytes nobody asked for are an error, a TLS session ticket is nothing. But tokio asks the
    /// kernel only when its tasks have nothing to do, so the kernel is asked directly: one call that
    /// does not wait, so that no request is lost to a close that came before it.
    pub(super) fn is_fit(&mut self) -> bool {
        if self.has_stirred() {
            self.drive();
            self.rest();
            return self.is_reusable();
        }
        self.wire.is_quiet()
    }

    /// Whether another request can follow the one that has been answered.
    pub(super) fn is_reusable(&self) -> bool {
        self.driver.is_some() && self.sender.is_ready()
    }

    /// Takes note of when the last request ended.
    pub(super) fn set_idle_since(&mut self, now: Instant) {
        self.idle_since = Some(now);
    }

    /// Sends a request and reads the answer to its end.
    pub(super) async fn exchange(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Answer, hyper::Error> {
        self.wire.begin();
        self.answering = false;
        let mut answer = pin!(unconstrained(self.sender.try_send_request(request)));
        let (head, body) = poll_fn(|cx| {
            self.drive();
            // The answer only ever comes out of `drive`, so nobody needs waking for it.
            match answer
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
            {
                Poll::Ready(outcome) => Poll::Ready(outcome),
                Poll::Pending => self.park(cx),
            }
        })
        .await
        .map_err(TrySendError::into_error)?
        .into_parts();
        self.answering = true;
        let body = self.read(body).await?;
        self.rest();
        Ok(Answer { head, body })
    }

    async fn read(&mut self, mut body: Incoming) -> Result<Bytes, hyper::Error> {
        let mut collected = Collected::default();
        poll_fn(|cx| {
            for _ in 0..READS_A_TURN {
                if let Poll::Ready(outcome) = collected.take_from(&mut body) {
                    return Poll::Ready(outcome);
                }
                let before = collected.len();
                self.drive();
                if let Poll::Ready(outcome) = collected.take_from(&mut body) {
                    return Poll::Ready(outcome);
                }
                if collected.len() == before {
                    return self.park(cx);
                }
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await?;
        Ok(collected.into_bytes())
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
    fn rest(&self) {
        self.relay.task.take();
        self.relay.woken.store(false, Ordering::Release);
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Connection")
            .field("wire", &self.wire)
            .field("idle_since", &self.idle_since)
            .finish_non_exhaustive()
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

/// A body as far as it came: the usual one, of a single piece, is not copied.
#[derive(Default)]
struct Collected {
    first: Bytes,
    all: Option<BytesMut>,
}

impl Collected {
    /// Takes what has come; ready at the end of the body.
    fn take_from(&mut self, body: &mut Incoming) -> Poll<Result<(), hyper::Error>> {
        // New pieces only ever come out of `drive`, so nobody needs waking for them.
        let mut cx = Context::from_waker(Waker::noop());
        while let Poll::Ready(frame) = Pin::new(&mut *body).poll_frame(&mut cx) {
            match frame {
                None => return Poll::Ready(Ok(())),
                Some(Err(error)) => return Poll::Ready(Err(error)),
                Some(Ok(frame)) => {
                    if let Ok(piece) = frame.into_data() {
                        self.push(piece, body.size_hint().exact());
                    }
                }
            }
        }
        Poll::Pending
    }

    fn push(&mut self, piece: Bytes, to_come: Option<u64>) {
        if let Some(all) = &mut self.all {
            all.extend_from_slice(&piece);
        } else if self.first.is_empty() {
            self.first = piece;
        } else {
            // What the server announces is believed up to a point.
            let to_come = to_come.map_or(0, |length| length.min(MOST_RESERVED) as usize);
            let mut all = BytesMut::with_capacity(self.first.len() + piece.len() + to_come);
            all.extend_from_slice(&self.first);
            all.extend_from_slice(&piece);
            self.all = Some(all);
        }
    }

    fn len(&self) -> usize {
        self.all.as_ref().map_or(self.first.len(), BytesMut::len)
    }

    fn into_bytes(self) -> Bytes {
        self.all.map_or(self.first, BytesMut::freeze)
    }
}

/// The most that is reserved for a body before it has come.
const MOST_RESERVED: u64 = 1024 * 1024;
