//! How many streams a connection has open, from the frames that pass.

use std::{
    collections::BTreeMap,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::frames::{DATA, END_STREAM, FrameHead, HEADERS, PREFACE, RST_STREAM, Scanner};
use crate::hostile::listener::Stream;

/// What is known of a connection from outside it.
#[derive(Clone)]
pub(super) struct Watch {
    most: Arc<AtomicU64>,
    reset: Arc<AtomicBool>,
}

impl Watch {
    /// Keeps the most streams that were open at once in `most`.
    pub(super) fn new(most: Arc<AtomicU64>) -> Self {
        Self {
            most,
            reset: Arc::default(),
        }
    }

    /// Lets the connection end with a reset.
    pub(super) fn reset_when_dropped(&self) {
        self.reset.store(true, Ordering::SeqCst);
    }
}

/// A connection of a server whose frames are looked at as they pass.
pub(super) struct Watched<S: Stream> {
    stream: S,
    watch: Watch,
    incoming: Scanner,
    outgoing: Scanner,
    open: OpenStreams,
}

/// Streams that count against the limit (RFC 9113, 5.1.2).
#[derive(Default)]
struct OpenStreams {
    newest: u32,
    open: BTreeMap<u32, Sides>,
}

/// Which sides have ended a stream.
#[derive(Default)]
struct Sides {
    client: bool,
    server: bool,
}

impl<S: Stream> Watched<S> {
    pub(super) fn new(stream: S, watch: Watch) -> Self {
        Self {
            stream,
            watch,
            incoming: Scanner::after(PREFACE.len()),
            outgoing: Scanner::after(0),
            open: OpenStreams::default(),
        }
    }
}

impl<S: Stream> Drop for Watched<S> {
    fn drop(&mut self) {
        if self.watch.reset.load(Ordering::SeqCst) {
            let _ = self.stream.socket().set_zero_linger();
        }
    }
}

impl OpenStreams {
    fn incoming(&mut self, frame: FrameHead) {
        if frame.kind == HEADERS && frame.stream > self.newest {
            self.newest = frame.stream;
            self.open.insert(frame.stream, Sides::default());
        }
        self.passed(frame, |sides| sides.client = true);
    }

    fn outgoing(&mut self, frame: FrameHead) {
        self.passed(frame, |sides| sides.server = true);
    }

    fn passed(&mut self, frame: FrameHead, end: impl FnOnce(&mut Sides)) {
        let ends = matches!(frame.kind, DATA | HEADERS) && frame.has(END_STREAM);
        let Some(sides) = self.open.get_mut(&frame.stream) else {
            return;
        };
        if ends {
            end(sides);
        }
        if frame.kind == RST_STREAM || (sides.client && sides.server) {
            self.open.remove(&frame.stream);
        }
    }
}

impl<S: Stream> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
        this.incoming.scan(&buffer.filled()[before..], |frame| {
            this.open.incoming(frame);
            let open = this.open.open.len() as u64;
            this.watch.most.fetch_max(open, Ordering::SeqCst);
        });
        Poll::Ready(Ok(()))
    }
}

impl<S: Stream> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let written = ready!(Pin::new(&mut this.stream).poll_write(context, bytes))?;
        this.outgoing
            .scan(&bytes[..written], |frame| this.open.outgoing(frame));
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
