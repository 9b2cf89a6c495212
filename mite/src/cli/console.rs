//! What a journey does, told to a person as it happens.

use std::{borrow::Cow, fmt::Write as _};

use serde_json::Value;

use super::output;
use crate::{
    config::Config,
    event::{Event, Exchange, Failure, Head, HttpRequest, Tap, Timings, TransactionEnd, What},
    http::mask,
    report::{Style, Tone, human, text::clean},
};

/// How many characters of a body are shown.
const BODY_LIMIT: usize = 2000;

/// Prints events, and with `--debugging` whole exchanges, to stdout.
pub(super) struct Console {
    config: Config,
    style: Style,
    whole: bool,
    at_failure: Option<Box<dyn FnMut()>>,
    /// The journey and the transaction of the last failure.
    failed: Option<(String, String)>,
    /// Ends of failed transactions whose failure is still to be told: a panic is caught outside.
    held: String,
}

impl Console {
    /// One line for each transaction, request and failure.
    pub(super) fn brief(config: Config) -> Self {
        Self::new(config, false)
    }

    /// The same, and each request and answer with head and body.
    pub(super) fn debugging(config: Config) -> Self {
        Self::new(config, true)
    }

    fn new(config: Config, whole: bool) -> Self {
        Self {
            config,
            style: Style::of_stdout(),
            whole,
            at_failure: None,
            failed: None,
            held: String::new(),
        }
    }

    /// Shows nothing after the first failure but the transactions that end with it, and does
    /// `action` then.
    pub(super) fn until_failure(mut self, action: impl FnMut() + 'static) -> Self {
        self.at_failure = Some(Box::new(action));
        self
    }

    /// Whether all that was to be seen has been.
    fn is_over(&self) -> bool {
        self.at_failure.is_some() && self.failed.is_some()
    }

    fn print(&mut self, text: &str) {
        let text = std::mem::take(&mut self.held) + text;
        // The journey goes on all the same when nobody reads.
        let _ = output::print(&text);
    }

    fn transaction(&mut self, event: &Event<'_>, end: &TransactionEnd) {
        let name = clean(event.transaction);
        let time = human::time(end.time.as_secs_f64());
        if !end.failed {
            if !self.is_over() {
                let mark = self.style.paint(Tone::Good, "✓");
                let line = self.style.finish(format!("{mark} {name}  {time}\n"));
                self.print(&line);
            }
            return;
        }
        let mark = self.style.paint(Tone::Bad, "✗");
        let line = self.style.finish(format!("{mark} {name}  {time}\n"));
        if self.is_told(event) {
            self.print(&line);
        } else if !self.is_over() {
            self.held.push_str(&line);
        }
    }

    /// Whether the failure that ended this transaction has been shown.
    fn is_told(&self, event: &Event<'_>) -> bool {
        self.failed.as_ref().is_some_and(|(journey, transaction)| {
            let inside = transaction.strip_prefix(event.transaction);
            journey == event.journey
                && inside.is_some_and(|rest| rest.is_empty() || rest.starts_with(" :: "))
        })
    }

    fn failure(&mut self, event: &Event<'_>, failure: &Failure<'_>) {
        if self.is_over() {
            return;
        }
        let kind = self.style.paint(Tone::Bad, failure.kind);
        let inside = if event.transaction.is_empty() {
            String::new()
        } else {
            format!(" in {}", clean(event.transaction))
        };
        let message = self.config.mask(failure.message);
        let message: Vec<_> = message.lines().map(clean).collect();
        let place = self
            .style
            .paint(Tone::Quiet, &format!("at {}", failure.location));
        let ends = std::mem::take(&mut self.held);
        self.print(&format!(
            "{kind}{inside}: {}\n  {place}\n{ends}",
            message.join("\n  ")
        ));
        self.failed = Some((event.journey.to_owned(), event.transaction.to_owned()));
        if let Some(action) = &mut self.at_failure {
            action();
        }
    }

    /// A request in one line; one that could not even be built is told of as a failure alone.
    fn request(&self, request: &HttpRequest<'_>) -> String {
        let outcome = match (request.status, request.error) {
            (_, Some("request")) => return String::new(),
            (_, Some(error)) => self.style.paint(Tone::Bad, error),
            (Some(status), None) => status.to_string(),
            (None, None) => String::new(),
        };
        let time = human::time(request.timings.total.as_secs_f64());
        let name = clean(&self.config.mask(request.name));
        let connection = if request.timings.reused || request.error.is_some() {
            ""
        } else {
            ", new connection"
        };
        let version = request
            .timings
            .version
            .map(|version| format!("{version:?}"));
        let facts = version
            .into_iter()
            .chain(facts(request.timings))
            .chain(self.labels(request.labels));
        let facts = self.line("    ", facts);
        format!("  {name}  {outcome}  {time}{connection}\n{facts}")
    }

    fn show(&self, exchange: &Exchange) -> String {
        let mut text = String::new();
        let url = mask::masked_url(&exchange.url, &self.config);
        let request = format!("{} {}", exchange.method, clean(&url));
        let _ = writeln!(text, "{}", self.style.paint(Tone::Heading, &request));
        self.head(&mut text, '>', &exchange.request);
        let timings = &exchange.timings;
        let facts = facts(timings).chain(self.labels(&exchange.labels));
        let facts = self.line("", facts);
        match (exchange.status, &exchange.error) {
            (Some(status), _) => {
                let version = timings.version.map(|version| format!("{version:?} "));
                let version = version.unwrap_or_default();
                let time = human::time(timings.total.as_secs_f64());
                let line = format!("{version}{status}  {time}");
                let _ = writeln!(text, "{}", self.style.paint(Tone::Heading, &line));
                text.push_str(&facts);
                self.head(&mut text, '<', &exchange.response);
            }
            (None, Some(error)) => {
                let error = clean(&self.config.mask(error));
                let _ = writeln!(text, "{}", self.style.paint(Tone::Bad, &error));
                text.push_str(&facts);
            }
            (None, None) => {}
        }
        // As it is, for the shell; the body in it is the journey's own.
        let _ = writeln!(text, "{}\n", exchange.curl);
        text
    }

    /// What is known of a request besides, quietly in one line; nothing when that is nothing.
    fn line(&self, indent: &str, facts: impl Iterator<Item = String>) -> String {
        let facts = facts.collect::<Vec<_>>().join(" · ");
        if facts.is_empty() {
            return String::new();
        }
        let facts = self.style.finish(self.style.paint(Tone::Quiet, &facts));
        format!("{indent}{facts}\n")
    }

    /// What a callback of the journey added, `cache=hit`.
    fn labels(&self, labels: &[(Cow<'static, str>, Value)]) -> impl Iterator<Item = String> {
        labels.iter().map(|(name, value)| {
            let value = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            clean(&self.config.mask(&format!("{name}={value}")))
        })
    }

    fn head(&self, text: &mut String, arrow: char, head: &Head) {
        for (name, value) in mask::headers(&head.headers, &self.config) {
            let _ = writeln!(text, "{arrow} {name}: {}", clean(&value));
        }
        if head.body.is_empty() {
            return;
        }
        let _ = writeln!(text, "{arrow}");
        let body = mask::body(&head.headers, &head.body, &self.config);
        let shown: String = body.chars().take(BODY_LIMIT).collect();
        for line in shown.lines() {
            let _ = writeln!(text, "{arrow} {}", clean(line));
        }
        if shown.len() < body.len() {
            let total = human::bytes(head.body.len() as u64);
            let _ = writeln!(text, "{arrow} … (cut; {total} in all)");
        }
    }
}

/// The phases a request went through, then the size of the answer's body.
fn facts(timings: &Timings) -> impl Iterator<Item = String> {
    let phases = timings.phases().into_iter().filter_map(|(phase, time)| {
        let time = human::time(time?.as_secs_f64());
        Some(format!("{} {time}", phase.replace('_', " ")))
    });
    phases.chain(size(timings))
}

fn size(timings: &Timings) -> Option<String> {
    let [encoded, decoded] = [timings.encoded_body_bytes, timings.decoded_body_bytes];
    match (encoded, decoded) {
        (0, 0) => None,
        (encoded, decoded) if encoded == decoded => Some(human::bytes(decoded)),
        _ => Some(format!(
            "{} decoded to {}",
            human::bytes(encoded),
            human::bytes(decoded)
        )),
    }
}

impl Tap for Console {
    fn event(&mut self, event: &Event<'_>, _run: u64) {
        match event.what {
            What::Transaction(end) => self.transaction(event, end),
            What::Failure(failure) => self.failure(event, failure),
            _ if self.is_over() => {}
            What::Http(request) if !self.whole => {
                let text = self.request(request);
                self.print(&text);
            }
            What::Custom { kind, value } => {
                let value = clean(&self.config.mask(&value.to_string()));
                self.print(&format!("  {} {value}\n", clean(kind)));
            }
            _ => {}
        }
    }

    fn exchange(&mut self, exchange: Exchange) {
        if self.whole && !self.is_over() {
            let text = self.show(&exchange);
            self.print(&text);
        }
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        if !self.held.is_empty() {
            self.print("");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::{Method, StatusCode, Version};
    use serde_json::json;

    use super::*;

    fn timings() -> Timings {
        let micros = |micros| Some(Duration::from_micros(micros));
        Timings {
            connect: micros(200),
            tls: micros(2100),
            sent: micros(20),
            first_byte: micros(1500),
            body: micros(180),
            total: Duration::from_millis(4),
            encoded_body_bytes: 1024,
            decoded_body_bytes: 10 * 1024,
            version: Some(Version::HTTP_2),
            ..Timings::default()
        }
    }

    fn plain(mut console: Console) -> Console {
        console.style = Style {
            width: 80,
            colour: false,
            unicode: true,
        };
        console
    }

    #[test]
    fn a_request_shows_its_phases_its_size_and_what_a_callback_added() {
        let mut config = Config::default();
        config.set("token", "s3cret");
        let console = plain(Console::brief(config));
        let labels = [
            ("cache".into(), json!("hit")),
            ("db_ms".into(), json!(12.5)),
            ("from".into(), json!("s3cret")),
        ];
        let request = HttpRequest {
            name: "GET /",
            method: &Method::GET,
            status: Some(200),
            failed: false,
            sent: true,
            error: None,
            timings: &timings(),
            labels: &labels,
        };
        assert_eq!(
            console.request(&request),
            "  GET /  200  4.00ms, new connection\n    HTTP/2.0 · connect 200µs · tls 2.10ms · sent \
             20.0µs · first byte 1.50ms · body 180µs · 1.00 KiB decoded to 10.0 KiB · cache=hit · \
             db_ms=12.5 · from=***\n"
        );
        let unsent = HttpRequest {
            status: None,
            error: Some("connect"),
            timings: &Timings::default(),
            labels: &[],
            ..request
        };
        assert_eq!(console.request(&unsent), "  GET /  connect  0ms\n");
    }

    #[test]
    fn an_exchange_names_the_version_it_was_made_in() {
        let console = plain(Console::debugging(Config::default()));
        let url = "https://shop.test/".to_owned();
        let mut exchange = Exchange::new("GET /".into(), Method::GET, url, Head::default());
        exchange.status = Some(StatusCode::OK);
        exchange.timings = Timings {
            decoded_body_bytes: 1024,
            ..timings()
        };
        exchange.labels = vec![("cache".into(), json!("miss"))];
        exchange.curl = "curl https://shop.test/".into();
        assert_eq!(
            console.show(&exchange),
            "GET https://shop.test/\nHTTP/2.0 200 OK  4.00ms\nconnect 200µs · tls 2.10ms · sent \
             20.0µs · first byte 1.50ms · body 180µs · 1.00 KiB · cache=miss\n\
             curl https://shop.test/\n\n"
        );
    }

    #[test]
    fn what_a_server_sends_cannot_steer_the_terminal() {
        let console = Console::debugging(Config::default());
        let mut text = String::new();
        let head = Head {
            body: "\u{1b}[2Jred\u{7}\nnext\tline".into(),
            ..Head::default()
        };
        console.head(&mut text, '<', &head);
        assert_eq!(text, "<\n<  [2Jred\n< next line\n");
    }

    #[test]
    fn a_long_body_is_cut_and_its_length_told() {
        let console = Console::debugging(Config::default());
        let mut text = String::new();
        let head = Head {
            body: "ü".repeat(3000).into(),
            ..Head::default()
        };
        console.head(&mut text, '<', &head);
        assert_eq!(text.matches('ü').count(), BODY_LIMIT);
        assert!(text.ends_with("< … (cut; 5.86 KiB in all)\n"), "{text}");
    }
}
