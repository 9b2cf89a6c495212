//! What a journey does, told to a person as it happens.

use std::{fmt::Write as _, io::IsTerminal};

use http::Version;

use super::output::show;
use crate::{
    config::Config,
    event::{Event, Exchange, Head, Tap, What},
    http::mask,
    report::human,
};

/// How much of a body is shown.
const BODY_LIMIT: usize = 2000;

/// Prints events, and with `--debugging` whole exchanges, to stdout.
pub(super) struct Console {
    config: Config,
    whole: bool,
    colour: bool,
    at_failure: Option<Box<dyn FnMut()>>,
}

impl Console {
    /// One line for each transaction, request and failure.
    pub(super) fn brief(config: Config) -> Self {
        let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self {
            config,
            whole: false,
            colour,
            at_failure: None,
        }
    }

    /// The same, and each request and answer with head and body.
    pub(super) fn debugging(config: Config) -> Self {
        Self {
            whole: true,
            ..Self::brief(config)
        }
    }

    /// Does something when a journey fails.
    pub(super) fn at_failure(mut self, action: impl FnMut() + 'static) -> Self {
        self.at_failure = Some(Box::new(action));
        self
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn describe(&self, event: &Event<'_>) -> Option<String> {
        let inside = if event.transaction.is_empty() {
            String::new()
        } else {
            format!(" in {}", event.transaction)
        };
        match event.what {
            What::Transaction(end) => {
                let (colour, mark) = if end.failed {
                    ("31", "✗")
                } else {
                    ("32", "✓")
                };
                let mark = self.paint(colour, mark);
                Some(format!(
                    "{mark} {}  {}",
                    event.transaction,
                    human::time(end.time.as_secs_f64())
                ))
            }
            What::Http(request) if !self.whole => {
                let outcome = request
                    .status
                    .map(|status| status.to_string())
                    .or_else(|| request.error.map(str::to_owned))
                    .unwrap_or_default();
                let connection = if request.sent && !request.reused {
                    ", new connection"
                } else {
                    ""
                };
                let time = human::time(request.total.as_secs_f64());
                Some(format!("  {}  {outcome}  {time}{connection}", request.name))
            }
            What::Failure(failure) => {
                let kind = self.paint("31", failure.kind);
                let message = self.config.mask(failure.message);
                Some(format!("{kind} at {}{inside}: {message}", failure.location))
            }
            What::Custom { kind, value } => {
                Some(format!("  {kind} {}", self.config.mask(&value.to_string())))
            }
            _ => None,
        }
    }

    fn exchange_text(&self, exchange: &Exchange) -> String {
        let mut text = String::new();
        let request = format!("{} {}", exchange.method, self.config.mask(&exchange.url));
        let _ = writeln!(text, "{}", self.paint("1", &request));
        self.head(&mut text, '>', &exchange.request);
        match (exchange.status, &exchange.error) {
            (Some(status), _) => {
                let time = human::time(exchange.total.as_secs_f64());
                let line = format!("{:?} {status}  {time}", Version::HTTP_11);
                let _ = writeln!(text, "{}", self.paint("1", &line));
                self.head(&mut text, '<', &exchange.response);
            }
            (None, Some(error)) => {
                let _ = writeln!(text, "{}", self.paint("31", error));
            }
            (None, None) => {}
        }
        let _ = writeln!(text, "{}\n", exchange.curl);
        text
    }

    fn head(&self, text: &mut String, arrow: char, head: &Head) {
        for (name, value) in mask::headers(&head.headers, &self.config) {
            let _ = writeln!(text, "{arrow} {name}: {value}");
        }
        if head.body.is_empty() {
            return;
        }
        let _ = writeln!(text, "{arrow}");
        let body = mask::body(&head.headers, &head.body, &self.config);
        let shown: String = body.chars().take(BODY_LIMIT).collect();
        for line in shown.lines() {
            let _ = writeln!(text, "{arrow} {line}");
        }
        if shown.len() < body.len() {
            let total = human::bytes(head.body.len() as u64);
            let _ = writeln!(text, "{arrow} … (cut; {total} in all)");
        }
    }
}

impl Tap for Console {
    fn event(&mut self, event: &Event<'_>) {
        if let Some(line) = self.describe(event) {
            show(&format!("{line}\n"));
        }
        if matches!(event.what, What::Failure(_))
            && let Some(action) = &mut self.at_failure
        {
            action();
        }
    }

    fn exchange(&mut self, exchange: Exchange) {
        if self.whole {
            show(&self.exchange_text(&exchange));
        }
    }
}
