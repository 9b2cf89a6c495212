//! One HTTP/1.1 connection, driven by whoever has a request on it (RFC 9112).

mod buffers;
mod chunked;
mod head;
mod outgoing;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    future::{Future, poll_fn},
    io,
    rc::Rc,
    task::{Context, Poll, Waker, ready},
};

use bytes::{Buf as _, Bytes};
use http::{Method, StatusCode};
use tokio::{io::ReadBuf, time::Instant};

pub(in crate::http) use buffers::Buffers;
pub(in crate::http) use head::LastHead;

use super::{Error, Failure, Fate, Piece};
use crate::{
    http::{
        body::{Continue, SendError, Sending},
        head::Head,
        pool::Seat,
    },
    net::{Stream, Wire},
};
use chunked::{Chunked, Malformed, Next};
use outgoing::Outgoing;

/// How long the head of an answer may be.
const LONGEST_HEAD: usize = 64 * 1024;

/// A connection with at most one request on it.
///
/// No task of its own drives it: the future of the request does, so an answer takes one wake-up
/// from the socket to the journey, and dropping the request closes the connection. It has no
/// buffers of its own either, as long as messages come and go in one piece: those of the worker
/// stay in the processor's cache however many connections there are.
pub(in crate::http) struct Http1 {
    wire: Rc<Wire>,
    buffers: Rc<Buffers>,
    /// The method of the request in flight.
    method: Method,
    /// What of the request is still to be written.
    outgoing: Option<Box<Outgoing>>,
    /// Why no more of it can be.
    broken: Option<io::Error>,
    /// The server's word that the body may come, if that is waited for.
    go_on: Option<Continue>,
    /// A head that has not come in full.
    partial: Vec<u8>,
    /// What has come of the body and has not been handed on.
    rest: Bytes,
    framing: Framing,
    /// Whether both sides mean to keep the connection.
    persists: bool,
    born: Instant,
    idle_since: Option<Instant>,
    /// Held for as long as the connection is open.
    _seat: Seat,
}

/// How it is known where a body ends.
#[derive(Clone, Debug)]
enum Framing {
    /// After so many more bytes.
    Length(u64),
    Chunked(Chunked),
    /// When the server closes the connection.
    ToTheEnd,
}

/// A request that is to be written.
pub(in crate::http) struct Outbound<'a, W> {
    pub(in crate::http) method: &'a Method,
    /// Writes the head.
    pub(in crate::http) write_head: W,
    pub(in crate::http) body: Sending,
    /// The word that the body waits for.
    pub(in crate::http) go_on: Option<Continue>,
    /// What the answer may begin with, and how that is to be read.
    pub(in crate::http) last_head: &'a LastHead,
}

/// What the head of a request says of what is to follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) struct Announced {
    /// How long the body is, unless it is sent in chunks.
    pub(in crate::http) length: Option<u64>,
    /// Whether this is the last request on the connection.
    pub(in crate::http) close: bool,
}

impl Http1 {
    /// Speaks HTTP over a new stream.
    pub(in crate::http) fn new(stream: &Stream, buffers: Rc<Buffers>, seat: Seat) -> Self {
        Self {
            wire: stream.wire(),
            buffers,
            method: Method::GET,
            outgoing: None,
            broken: None,
            go_on: None,
            partial: Vec::new(),
            rest: Bytes::new(),
            framing: Framing::Length(0),
            persists: true,
            born: Instant::now(),
            idle_since: None,
            _seat: seat,
        }
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

    /// Takes note of when the last request ended.
    pub(in crate::http) fn set_idle_since(&mut self, now: Instant) {
        self.idle_since = Some(now);
    }

    /// Whether an idle connection can take a request, as far as can be known before it is sent.
    ///
    /// When the runtime has told of something on the socket, it is read: a close or bytes nobody
    /// asked for end the connection, a TLS session ticket is nothing. But the runtime asks the
    /// kernel only when its tasks have nothing to do, so who wants to be `sure` has the kernel asked
    /// directly: one call that does not wait, so that no request is lost to a close that came
    /// before it.
    pub(in crate::http) fn is_fit(&self, sure: bool) -> bool {
        if self.wire.has_stirred() {
            // It may be no more than it seems, such as a session ticket.
            return !self.has_spoken() && self.wire.is_quiet();
        }
        !sure || self.wire.is_quiet()
    }

    /// Whether there was something on the idle socket that ends the connection.
    pub(in crate::http) fn has_spoken(&self) -> bool {
        if !self.wire.has_stirred() {
            return false;
        }
        let mut bytes = self.buffers.reading.borrow_mut();
        let mut buffer = ReadBuf::new(&mut bytes);
        let mut unwoken = Context::from_waker(Waker::noop());
        self.wire.poll_read(&mut unwoken, &mut buffer).is_ready()
    }

    /// Whether another request can follow the one that has been answered.
    pub(in crate::http) fn is_reusable(&self) -> bool {
        self.persists
            && self.framing.is_over()
            && self.rest.is_empty()
            && self.outgoing.is_none()
            && self.broken.is_none()
    }

    /// Sends a request and reads the head of the answer.
    pub(in crate::http) fn send<'a, W>(
        &'a mut self,
        request: Outbound<'a, W>,
    ) -> impl Future<Output = Result<Head, Failure>> + 'a
    where
        W: FnOnce(&mut Vec<u8>) -> Result<Announced, SendError> + 'a,
    {
        let last_head = request.last_head;
        let mut request = Some(request);
        poll_fn(move |cx| {
            if let Some(request) = request.take() {
                self.begin(request, cx)?;
            }
            self.poll_head(last_head, cx)
                .map_err(|error| self.failure(error))
        })
    }

    /// Writes what can be written of a request at once, which as a rule is all of it.
    fn begin<W>(&mut self, request: Outbound<'_, W>, cx: &mut Context<'_>) -> Result<(), Failure>
    where
        W: FnOnce(&mut Vec<u8>) -> Result<Announced, SendError>,
    {
        let Outbound {
            method,
            write_head,
            mut body,
            go_on,
            last_head: _,
        } = request;
        self.wire.begin();
        self.wire.expect_word(go_on.is_some());
        self.method = method.clone();
        self.go_on = go_on;
        let mut bytes = self.buffers.writing.borrow_mut();
        bytes.clear();
        let announced = write_head(&mut bytes).map_err(|error| Failure {
            error: Error::Body(error),
            fate: Fate::Unsent(None),
        })?;
        self.persists = !announced.close;
        if announced.length.is_some() {
            body.append_to(&mut bytes);
        }
        let mut written = 0;
        while let Some(left @ [_, ..]) = bytes.get(written..) {
            match self.wire.poll_write(cx, left) {
                Poll::Ready(Ok(count)) if count > 0 => written += count,
                Poll::Ready(outcome) => {
                    let error = outcome.err().unwrap_or(io::ErrorKind::WriteZero.into());
                    if self.wire.written() == 0 {
                        return Err(Failure {
                            error: Error::Io(error),
                            fate: Fate::Unsent(Some(body)),
                        });
                    }
                    self.broken = Some(error);
                    return Ok(());
                }
                Poll::Pending => break,
            }
        }
        let left = bytes.get(written..).unwrap_or_default();
        if !left.is_empty()
            || announced.length.is_none()
            || !body.is_done()
            || self.wire.poll_flush(cx).is_pending()
        {
            let left = Bytes::copy_from_slice(left);
            let outgoing = Outgoing::new(left, body, announced.length);
            self.outgoing = Some(Box::new(outgoing));
        }
        Ok(())
    }

    /// What has become of a request that got no answer.
    fn failure(&mut self, error: Error) -> Failure {
        let fate = if self.wire.written() == 0 {
            Fate::Unsent(self.outgoing.take().map(|outgoing| outgoing.into_body()))
        } else {
            Fate::Sent
        };
        Failure { error, fate }
    }

    fn poll_head(
        &mut self,
        last_head: &LastHead,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Head, Error>> {
        loop {
            self.write_on(cx)?;
            let buffers = Rc::clone(&self.buffers);
            let mut bytes = buffers.reading.borrow_mut();
            let read = ready!(self.poll_read(cx, &mut bytes))?;
            if read.is_empty() {
                return Poll::Ready(Err(self.broken.take().map_or(Error::Closed, Error::Io)));
            }
            if let Some(head) = self.take_head(last_head, read)? {
                return Poll::Ready(Ok(head));
            }
        }
    }

    /// Goes on with what is still to be written. That it cannot be is told only when there is no
    /// answer either: the server may have said why it wants no more.
    fn write_on(&mut self, cx: &mut Context<'_>) -> Result<(), Error> {
        let Some(outgoing) = &mut self.outgoing else {
            return Ok(());
        };
        match outgoing.poll_write(&self.wire, cx) {
            Poll::Pending => return Ok(()),
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(Error::Io(error))) if self.wire.written() > 0 => {
                self.broken = Some(error);
            }
            Poll::Ready(Err(error)) => return Err(error),
        }
        self.outgoing = None;
        Ok(())
    }

    /// What the socket has to say; nothing at its end.
    fn poll_read<'b>(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &'b mut [u8],
    ) -> Poll<Result<&'b [u8], Error>> {
        let mut buffer = ReadBuf::new(bytes);
        let read = ready!(self.wire.poll_read(cx, &mut buffer));
        let count = buffer.filled().len();
        Poll::Ready(match read {
            Ok(()) => Ok(bytes.get(..count).unwrap_or_default()),
            Err(error) => Err(Error::Io(self.broken.take().unwrap_or(error))),
        })
    }

    /// The head of the answer once it has come in full; what follows it is kept.
    fn take_head(&mut self, last_head: &LastHead, read: &[u8]) -> Result<Option<Head>, Error> {
        if self.partial.is_empty() {
            return self.find_head(last_head, read);
        }
        let seen = self.partial.len();
        self.partial.extend_from_slice(read);
        let all = std::mem::take(&mut self.partial);
        if head::may_be_complete(&all, seen) {
            return self.find_head(last_head, &all);
        }
        self.hold(all).map(|()| None)
    }

    /// Passes over what the server says before it answers (RFC 9110, section 15.2).
    fn find_head(&mut self, last_head: &LastHead, mut bytes: &[u8]) -> Result<Option<Head>, Error> {
        while !bytes.is_empty() {
            let parsed = last_head.parse(bytes, &self.method);
            let Some(parsed) = parsed.map_err(Error::NotHttp)? else {
                return self.hold(bytes.to_vec()).map(|()| None);
            };
            bytes = bytes.get(parsed.length..).unwrap_or_default();
            let status = parsed.head.status;
            if status.is_informational() && status != StatusCode::SWITCHING_PROTOCOLS {
                if let (StatusCode::CONTINUE, Some(go_on)) = (status, &self.go_on) {
                    go_on.grant();
                }
                continue;
            }
            self.framing = parsed.framing;
            self.persists &= parsed.persists;
            self.rest = Bytes::copy_from_slice(bytes);
            self.forgo_body();
            return Ok(Some(parsed.head));
        }
        Ok(None)
    }

    fn hold(&mut self, partial: Vec<u8>) -> Result<(), Error> {
        if partial.len() > LONGEST_HEAD {
            let most = LONGEST_HEAD / 1024;
            return Err(Error::NotHttp(format!("a head of more than {most} KiB")));
        }
        self.partial = partial;
        Ok(())
    }

    /// A body that still waits for the server's word is not wanted when the answer is there.
    fn forgo_body(&mut self) {
        let granted = self.go_on.as_ref().is_some_and(Continue::was_granted);
        let held = self
            .outgoing
            .as_ref()
            .is_some_and(|outgoing| outgoing.is_held());
        if held && !granted {
            self.outgoing = None;
            self.persists = false;
        }
    }

    /// Hands on the next piece of the body; `None` at its end.
    pub(super) fn poll_piece<T>(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(Piece<'_>) -> T,
    ) -> Poll<Option<Result<T, Error>>> {
        if let Err(error) = self.write_on(cx) {
            return Poll::Ready(Some(Err(error)));
        }
        loop {
            match self.next_at_hand() {
                Ok(Some(piece)) => return Poll::Ready(Some(Ok(take(Piece::Shared(piece))))),
                Ok(None) if self.framing.is_over() => return Poll::Ready(None),
                Ok(None) => {}
                Err(Malformed(words)) => {
                    return Poll::Ready(Some(Err(Error::Malformed(words))));
                }
            }
            let buffers = Rc::clone(&self.buffers);
            let mut bytes = buffers.reading.borrow_mut();
            let read = match ready!(self.poll_read(cx, &mut bytes)) {
                Ok(read) => read,
                Err(error) => return Poll::Ready(Some(Err(error))),
            };
            match &mut self.framing {
                Framing::ToTheEnd if read.is_empty() => {
                    self.framing = Framing::Length(0);
                    return Poll::Ready(None);
                }
                _ if read.is_empty() => return Poll::Ready(Some(Err(Error::CutShort))),
                // Without framing in between it need not be copied for somebody to look at it.
                Framing::ToTheEnd => return Poll::Ready(Some(Ok(take(Piece::Lent(read))))),
                Framing::Length(left) => {
                    let length = at_most(read.len(), *left);
                    let (piece, beyond) = read.split_at(length);
                    *left -= length as u64;
                    self.persists &= beyond.is_empty();
                    return Poll::Ready(Some(Ok(take(Piece::Lent(piece)))));
                }
                Framing::Chunked(_) => self.rest = Bytes::copy_from_slice(read),
            }
        }
    }

    /// The next piece of what has come already.
    fn next_at_hand(&mut self) -> Result<Option<Bytes>, Malformed> {
        while !self.rest.is_empty() && !self.framing.is_over() {
            match self.framing.next(&self.rest)? {
                Next::Data { skip, length } => {
                    self.rest.advance(skip);
                    return Ok(Some(self.rest.split_to(length)));
                }
                Next::Framing => self.rest = Bytes::new(),
                Next::End { skip } => self.rest.advance(skip),
            }
        }
        Ok(None)
    }

    /// How many bytes of the body are still to come, where that is known.
    pub(super) fn left(&self) -> Option<u64> {
        match self.framing {
            Framing::Length(left) => Some(left),
            Framing::Chunked(_) | Framing::ToTheEnd => None,
        }
    }
}

impl Framing {
    fn is_over(&self) -> bool {
        match self {
            Framing::Length(left) => *left == 0,
            Framing::Chunked(chunked) => chunked.is_over(),
            Framing::ToTheEnd => false,
        }
    }

    /// What comes next in these bytes, of which there is at least one.
    fn next(&mut self, bytes: &[u8]) -> Result<Next, Malformed> {
        let length = match self {
            Framing::Chunked(chunked) => return chunked.next(bytes),
            Framing::ToTheEnd => bytes.len(),
            Framing::Length(left) => {
                let length = at_most(bytes.len(), *left);
                *left -= length as u64;
                length
            }
        };
        Ok(Next::Data { skip: 0, length })
    }
}

fn at_most(length: usize, most: u64) -> usize {
    usize::try_from(most).map_or(length, |most| most.min(length))
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
