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

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn parse<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<ServerSentEvent> {
        let mut parser = Parser::new();
        let mut events = Vec::new();
        for piece in pieces {
            parser.push(piece).unwrap();
            events.extend(std::iter::from_fn(|| parser.next()));
        }
        events
    }

    fn message(data: &str) -> ServerSentEvent {
        ServerSentEvent {
            event: "message".to_owned(),
            data: data.to_owned(),
            id: None,
            retry: None,
        }
    }

    fn messages(stream: &str) -> Vec<String> {
        let events = parse([stream.as_bytes()]);
        events.into_iter().map(|event| event.data).collect()
    }

    #[test]
    fn an_event_has_a_type_data_an_id_and_a_time_to_wait() {
        let stream = "event: price\nid: 7\nretry: 2500\ndata: {\"a\":1}\n\ndata:next\n\n";
        let price = ServerSentEvent {
            event: "price".to_owned(),
            id: Some("7".to_owned()),
            retry: Some(Duration::from_millis(2500)),
            ..message("{\"a\":1}")
        };
        let next = ServerSentEvent {
            id: Some("7".to_owned()),
            ..message("next")
        };
        assert_eq!(parse([stream.as_bytes()]), [price, next]);
    }

    #[test]
    fn lines_of_data_are_joined_and_one_space_is_no_part_of_them() {
        let stream = "data: one\ndata:two\ndata:  three\ndata\ndata: \n\n";
        assert_eq!(messages(stream), ["one\ntwo\n three\n\n"]);
        assert_eq!(messages("data\n\ndata\ndata\n\ndata:"), ["", "\n"]);
    }

    #[test]
    fn lines_end_in_any_of_three_ways() {
        assert_eq!(
            messages("data: a\r\n\r\ndata: b\r\rdata: c\n\n"),
            ["a", "b", "c"]
        );
        assert_eq!(messages("data: a\r\ndata: b\rdata: c\n\r\n"), ["a\nb\nc"]);
    }

    #[test]
    fn an_event_is_complete_at_the_return_of_its_blank_line() {
        let mut parser = Parser::new();
        parser.push(b"data: a\r\n\r").unwrap();
        assert_eq!(parser.next(), Some(message("a")));
        parser.push(b"\ndata: b\r\n").unwrap();
        assert_eq!(parser.next(), None);
        parser.push(b"\r\n").unwrap();
        assert_eq!(parser.next(), Some(message("b")));
    }

    #[test]
    fn comments_and_what_is_unknown_are_passed_over() {
        assert_eq!(
            messages(": hello\n\nfoo: bar\ndata: a\n:\nData: b\n data: c\n\n"),
            ["a"]
        );
    }

    #[test]
    fn a_byte_order_mark_is_passed_over_at_the_beginning_only() {
        assert_eq!(messages("\u{feff}data: a\n\n\u{feff}data: b\n\n"), ["a"]);
        assert_eq!(messages("\u{feff}\ndata: \u{feff}a\n\n"), ["\u{feff}a"]);
    }

    #[test]
    fn an_event_the_stream_ends_in_is_none() {
        assert_eq!(messages("data: a\n\ndata: b\n"), ["a"]);
        assert_eq!(messages("data: a\n\ndata: b"), ["a"]);
    }

    #[test]
    fn an_event_without_data_is_none_but_its_id_and_time_stay() {
        let events = parse([&b"event: x\nid: 1\nretry: 10\n\ndata: a\n\nid\ndata: b\n\n"[..]]);
        let a = ServerSentEvent {
            id: Some("1".to_owned()),
            retry: Some(Duration::from_millis(10)),
            ..message("a")
        };
        assert_eq!(events, [a, message("b")]);
    }

    #[test]
    fn a_wrong_id_or_time_is_passed_over() {
        let events = parse([&b"id: a\0b\nretry: 1s\nretry: -1\nretry:\ndata: a\n\n"[..]]);
        assert_eq!(events, [message("a")]);
        let far = format!("retry: {}0\ndata: a\n\n", u64::MAX);
        assert_eq!(parse([far.as_bytes()]), [message("a")]);
    }

    #[test]
    fn what_is_not_utf_8_is_replaced() {
        assert_eq!(parse([&b"data: a\xffb\n\n"[..]]), [message("a\u{fffd}b")]);
    }

    #[test]
    fn an_event_that_is_too_long_is_an_error_after_those_before_it() {
        let limited = |stream: &str| {
            let mut parser = Parser::with_limit(10 << 20);
            let outcome = parser.push(stream.as_bytes());
            let count = std::iter::from_fn(|| parser.next()).count();
            (outcome.map_err(|error| error.to_string()), count)
        };
        let after_one = |line: &str, times| format!("data: a\n\n{}", line.repeat(times));
        let wrong = || Err("an event is longer than 10 MiB".to_owned());
        assert_eq!(limited(&after_one("x", 11 << 20)), (wrong(), 1));
        assert_eq!(
            limited(&after_one("data: many lines\n", 1 << 20)),
            (wrong(), 1)
        );
        let events = limited(&after_one("data: many lines\n\n", 1 << 20));
        assert_eq!(events, (Ok(()), (1 << 20) + 1));
    }

    proptest! {
        #[test]
        fn however_a_stream_is_cut_it_has_the_same_events(
            lines in vec("(data|event|id|retry|): ?[ü\u{1f600}a1:\0]{0,4}(\r|\n|\r\n){1,3}", 0..20),
            mark in any::<bool>(),
            lengths in vec(1..9_usize, 1..6),
        ) {
            let mark = if mark { "\u{feff}" } else { "" };
            let stream = format!("{mark}{}", lines.concat());
            let mut rest = stream.as_bytes();
            let pieces = lengths.iter().cycle().map_while(|length| {
                let (piece, others) = rest.split_at((*length).min(rest.len()));
                rest = others;
                (!piece.is_empty()).then_some(piece)
            });
            prop_assert_eq!(parse(pieces), parse([stream.as_bytes()]));
        }
    }
}
