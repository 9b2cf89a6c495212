//! An answer whose body is read as it comes.

use std::{collections::VecDeque, fmt, future::poll_fn, ops::ControlFlow};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::{Answer, Broken, Response, intake::decoder};
use crate::http::{
    ServerSentEvent, Timings, Url, Version,
    connection::Connection,
    decode::Decoder,
    error::{Error, Kind},
    events::Parser,
    send::{Arrival, Record, limit_silence},
};

/// How much of a compressed body is decompressed before the journey gets it: bytes that may become
/// a thousand times as many.
const DECODED_AT_ONCE: usize = 512;

/// The head of an answer, and its body as it comes.
///
/// The request is recorded when the body has been read to its end or when this is dropped,
/// whichever is first; what was not read then is not waited for, and the connection is closed.
///
/// ```
/// # use mite::Context;
/// async fn download(ctx: &Context) -> mite::Result {
///     let mut download = ctx.http().get("/film.mp4").stream().await?;
///     mite::ensure!(download.status() == 200);
///     let mut length = 0;
///     while let Some(piece) = download.chunk().await? {
///         length += piece.len();
///     }
///     mite::ensure!(length > 1_000_000, "the film has only {length} bytes");
///     Ok(())
/// }
/// ```
pub struct Streaming {
    /// What is recorded and can be asked for without the body.
    head: Response,
    record: Record,
    /// What the body comes over, until its end.
    source: Option<Connection>,
    decoder: Option<Box<Decoder>>,
    /// What has come and is not decompressed yet.
    undecoded: Bytes,
    pieces: VecDeque<Bytes>,
    encoded: u64,
    decoded: u64,
}

impl Streaming {
    pub(in crate::http) fn new(
        record: Record,
        arrival: Arrival,
        history: Vec<Response>,
    ) -> Result<Self, Error> {
        let Arrival { connection, head } = arrival;
        let decoder = match decoder(&head) {
            Ok(decoder) => decoder,
            Err(broken) => return Err(record.fail(broken.into_error(record.plan().brief()))),
        };
        let answer = Answer {
            head,
            body: Bytes::new(),
        };
        let head = record.head(answer).with_history(history);
        Ok(Self {
            head,
            record,
            source: Some(connection),
            decoder,
            undecoded: Bytes::new(),
            pieces: VecDeque::new(),
            encoded: 0,
            decoded: 0,
        })
    }

    /// One that has been read and recorded already.
    pub(in crate::http) fn whole(record: Record, response: Response) -> Self {
        Self {
            pieces: VecDeque::from([response.bytes()]),
            head: response,
            record,
            source: None,
            decoder: None,
            undecoded: Bytes::new(),
            encoded: 0,
            decoded: 0,
        }
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.head.status()
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        self.head.headers()
    }

    /// The value of a header, the first of several; `None` when there is none or it is no text.
    pub fn header(&self, name: impl AsRef<str>) -> Option<&str> {
        self.head.header(name)
    }

    /// The version of HTTP the server spoke.
    pub fn version(&self) -> Version {
        self.head.version()
    }

    /// The URL that was asked for, the last one after redirects.
    pub fn url(&self) -> &Url {
        self.head.url()
    }

    /// The answers that led to this one.
    pub fn history(&self) -> &[Response] {
        self.head.history()
    }

    /// The time by phase and the bytes so far.
    pub fn timings(&self) -> Timings {
        self.record.timings()
    }

    /// The next piece of the body, decompressed, as large as it came; `None` at the end.
    ///
    /// # Errors
    /// When the body breaks off, cannot be decompressed, or nothing comes for longer than the
    /// [`read_timeout`](crate::http::Settings::read_timeout). The request is recorded as failed
    /// then.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            if let Some(piece) = self.pieces.pop_front() {
                return Ok(Some(piece));
            }
            if !self.undecoded.is_empty() {
                self.decode().map_err(|broken| self.fail(broken))?;
                continue;
            }
            if self.source.is_none() {
                return Ok(None);
            }
            match self.piece().await {
                Ok(Some(piece)) => self.take(piece),
                Ok(None) => self.finish().map_err(|broken| self.fail(broken))?,
                Err(error) => {
                    self.source = None;
                    return Err(self.record.fail(error));
                }
            }
        }
    }

    /// The body as server-sent events (`text/event-stream`).
    ///
    /// ```
    /// # use mite::Context;
    /// async fn follow(ctx: &Context) -> mite::Result {
    ///     let mut events = ctx.http().get("/prices").stream().await?.events();
    ///     for _ in 0..10 {
    ///         let Some(event) = events.next().await? else { break };
    ///         mite::ensure!(event.event == "price", "got {}", event.event);
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn events(self) -> Events {
        Events {
            streaming: self,
            parser: Parser::new(),
        }
    }

    async fn piece(&mut self) -> Result<Option<Bytes>, Error> {
        let Some(connection) = &mut self.source else {
            return Ok(None);
        };
        let plan = self.record.plan();
        #[expect(
            clippy::redundant_closure_for_method_calls,
            reason = "the method alone is not one for pieces of every lifetime"
        )]
        let piece = poll_fn(|cx| connection.poll_piece(cx, |piece| piece.into_bytes()));
        let progress = self.record.progress();
        let piece = limit_silence(progress, plan.read_timeout, piece)
            .await
            .map_err(|silent| plan.silent(silent))?;
        if plan.read_timeout.is_some() {
            progress.stir();
        }
        piece
            .transpose()
            .map_err(|error| Broken::Connection(error).into_error(plan.brief()))
    }

    fn take(&mut self, piece: Bytes) {
        self.encoded += piece.len() as u64;
        if self.decoder.is_some() {
            self.undecoded = piece;
        } else {
            self.decoded = self.encoded;
            self.pieces.push_back(piece);
        }
        self.count();
    }

    /// Decompresses some of what has come.
    fn decode(&mut self) -> Result<(), Broken> {
        let Some(decoder) = &mut self.decoder else {
            return Ok(());
        };
        let length = self.undecoded.len().min(DECODED_AT_ONCE);
        let part = self.undecoded.split_to(length);
        let (pieces, decoded) = (&mut self.pieces, &mut self.decoded);
        let most = self.record.plan().max_body_size;
        let mut held = 0;
        let flow = decoder
            .push(&part, &mut |piece| {
                held += piece.len() as u64;
                if held > most {
                    return ControlFlow::Break(());
                }
                *decoded += piece.len() as u64;
                pieces.push_back(Bytes::copy_from_slice(piece));
                ControlFlow::Continue(())
            })
            .map_err(|error| Broken::Decode(error.to_string()))?;
        if flow.is_break() {
            return Err(Broken::TooLong(most));
        }
        self.count();
        Ok(())
    }

    fn count(&self) {
        let progress = self.record.progress();
        progress.count_body(self.encoded, self.decoded);
    }

    /// The end of the body: the request is recorded, and the connection kept.
    fn finish(&mut self) -> Result<(), Broken> {
        if let Some(decoder) = &self.decoder
            && self.encoded > 0
        {
            decoder
                .finish()
                .map_err(|error| Broken::Decode(error.to_string()))?;
        }
        if let Some(connection) = self.source.take() {
            self.record.complete(connection);
        }
        self.record.succeed(&self.head);
        Ok(())
    }

    fn fail(&mut self, broken: Broken) -> Error {
        self.source = None;
        self.undecoded.clear();
        let error = broken.into_error(self.record.plan().brief());
        self.record.fail(error)
    }
}

impl Drop for Streaming {
    fn drop(&mut self) {
        if self.source.take().is_some() {
            self.record.progress().leave();
            self.record.succeed(&self.head);
        }
    }
}

impl fmt::Debug for Streaming {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Streaming")
            .field("url", &self.url().as_str())
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

/// Server-sent events, as they come (HTML standard, section 9.2).
///
/// Nothing is done about a connection that ends: a journey that wants to go on asks again, with
/// `last-event-id` if the server wants that.
#[derive(Debug)]
pub struct Events {
    streaming: Streaming,
    parser: Parser,
}

impl Events {
    /// The next event; `None` when the server has ended the stream. An event it ended in the middle
    /// of is none.
    ///
    /// # Errors
    /// As [`Streaming::chunk`], and of kind `decode` for an event of more than 16 MiB.
    pub async fn next(&mut self) -> Result<Option<ServerSentEvent>, Error> {
        loop {
            if let Some(event) = self.parser.next() {
                return Ok(Some(event));
            }
            let Some(piece) = self.streaming.chunk().await? else {
                return Ok(None);
            };
            if let Err(error) = self.parser.push(&piece) {
                let plan = self.streaming.record.plan();
                let error = Error::new(Kind::Decode, plan.brief(), error.to_string());
                self.streaming.source = None;
                return Err(self.streaming.record.fail(error));
            }
        }
    }

    /// The answer that the events are the body of.
    pub fn answer(&self) -> &Streaming {
        &self.streaming
    }
}
