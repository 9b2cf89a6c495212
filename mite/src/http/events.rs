//! Server-sent events: what is in the lines of a `text/event-stream` (WHATWG HTML, section 9.2.6).

use std::{collections::VecDeque, time::Duration};

/// An event of a `text/event-stream`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerSentEvent {
    /// The type of the event: `message` unless the server said another.
    pub event: String,
    /// The data, its lines joined by line feeds.
    pub data: String,
    /// The last id the server gave, with this event or one before; what a client that comes back
    /// sends as `last-event-id`. `None` until there is one.
    pub id: Option<String>,
    /// How long the server wants a client to wait before it comes back, when it said so since the
    /// event before.
    pub retry: Option<Duration>,
}

/// Why there are no more events, in words for the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event is longer than {} MiB", self.limit >> 20)]
pub(super) struct TooLong {
    limit: usize,
}

/// Takes a stream in the pieces it comes in, and gives the events that are complete.
///
/// An event the stream ends in the middle of is none, and never given.
#[derive(Debug)]
pub(super) struct Parser {
    /// The line that has begun.
    line: Vec<u8>,
    /// Whether the last line ended in a carriage return: a line feed after it belongs to it.
    after_return: bool,
    /// Whether the first line is still to come, which a byte order mark may precede.
    is_first: bool,
    event: String,
    /// Each line of it with a line feed.
    data: String,
    id: Option<String>,
    retry: Option<Duration>,
    complete: VecDeque<ServerSentEvent>,
    limit: usize,
}

impl Parser {
    /// The most an event may have, its line in the making included.
    const LIMIT: usize = 16 << 20;

    pub(super) fn new() -> Self {
        Self::with_limit(Self::LIMIT)
    }

    fn with_limit(limit: usize) -> Self {
        Self {
            line: Vec::new(),
            after_return: false,
            is_first: true,
            event: String::new(),
            data: String::new(),
            id: None,
            retry: None,
            complete: VecDeque::new(),
            limit,
        }
    }

    /// Takes the next piece of the stream.
    ///
    /// # Errors
    /// When an event is too long. The events before it can still be had, none after it.
    pub(super) fn push(&mut self, mut piece: &[u8]) -> Result<(), TooLong> {
        while let Some(first) = piece.first() {
            if std::mem::take(&mut self.after_return) && *first == b'\n' {
                piece = piece.split_off(1..).unwrap_or_default();
                continue;
            }
            let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
            let length = piece.iter().position(is_end).unwrap_or(piece.len());
            let (part, rest) = piece.split_at(length);
            let held = self.line.len() + self.data.len() + self.event.len();
            if held + part.len() > self.limit {
                return Err(TooLong { limit: self.limit });
            }
            self.line.extend_from_slice(part);
            let Some((end, rest)) = rest.split_first() else {
                return Ok(());
            };
            self.after_return = *end == b'\r';
            self.end_line();
            piece = rest;
        }
        Ok(())
    }

    /// The next event that is complete.
    pub(super) fn next(&mut self) -> Option<ServerSentEvent> {
        self.complete.pop_front()
    }

    fn end_line(&mut self) {
        let mut line = std::mem::take(&mut self.line);
        let mut text = line.as_slice();
        if std::mem::take(&mut self.is_first) {
            text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        }
        if text.is_empty() {
            self.end_event();
        } else {
            self.take_field(&String::from_utf8_lossy(text));
        }
        line.clear();
        self.line = line;
    }

    fn take_field(&mut self, line: &str) {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event),
            "data" => {
                self.data.push_str(value);
                self.data.push('\n');
            }
            "id" if !value.contains('\0') => {
                self.id = (!value.is_empty()).then(|| value.to_owned());
            }
            "retry" if value.bytes().all(|digit| digit.is_ascii_digit()) => {
                if let Ok(milliseconds) = value.parse() {
                    self.retry = Some(Duration::from_millis(milliseconds));
                }
            }
            // Comments, whose field is empty, and what later versions may add.
            _ => {}
        }
    }

    fn end_event(&mut self) {
        let event = std::mem::take(&mut self.event);
        let mut data = std::mem::take(&mut self.data);
        if data.pop().is_none() {
            return;
        }
        self.complete.push_back(ServerSentEvent {
            event: if event.is_empty() {
                "message".to_owned()
            } else {
                event
            },
            data,
            id: self.id.clone(),
            retry: self.retry.take(),
        });
    }
}
