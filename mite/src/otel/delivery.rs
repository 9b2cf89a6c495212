//! Getting a message to the collector: again when it may get there later, and not for ever (OTLP
//! Specification, "OTLP/HTTP Response" and "OTLP/HTTP Throttling").

use std::{cell::Cell, io::Write, sync::mpsc::Sender, time::Duration};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, StatusCode, header};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use super::{exporter::Stage, settings::Destination};
use crate::{
    config::{Config, without_secrets},
    outbound::{Answer, Poster},
    protobuf::{self, Field},
};

/// The wait before the second try, and the longest before any later one; each is twice as long.
const BACK_OFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(8));

/// How long a message is tried to be delivered while others wait behind it.
const PATIENCE: Duration = Duration::from_secs(30);

/// The most that is shown of what a collector says.
const LONGEST_WORD: usize = 200;

/// The way to one address of a collector.
pub(super) struct Delivery {
    destination: Destination,
    headers: HeaderMap,
    poster: Poster,
    config: Config,
    /// What of the address and of the headers is nobody's business.
    secrets: Vec<String>,
    /// Who is told, once, that it does not work.
    tell: Sender<String>,
    told: Cell<bool>,
}

/// How a message was taken.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// Spans or points that the collector did not want.
    pub(super) rejected: u64,
}

/// What came of one try.
enum Attempt {
    Taken(Taken),
    /// It may be worth another.
    Again {
        why: String,
        /// When, if the collector said so.
        after: Option<Duration>,
        /// Whether there was an answer at all.
        answered: bool,
    },
    Refused(String),
}

impl Delivery {
    pub(super) fn new(destination: Destination, config: Config, tell: Sender<String>) -> Self {
        Self {
            headers: destination.all_headers(),
            poster: Poster::new(destination.tls.clone()).time_limit(destination.timeout),
            secrets: destination.secrets(),
            destination,
            config,
            tell,
            told: Cell::new(false),
        }
    }

    /// Delivers a message, however often that takes in the time there is; `None` when it was given
    /// up. After the end of the run a collector that cannot be reached is tried once.
    pub(super) async fn deliver(
        &self,
        message: Vec<u8>,
        stages: &mut watch::Receiver<Stage>,
    ) -> Option<Taken> {
        let message = self.packed(message);
        let began = Instant::now();
        let mut back_off = BACK_OFF.0;
        loop {
            let over = stages.borrow().is_over();
            match self.attempt(message.clone()).await {
                Attempt::Taken(taken) => return Some(taken),
                Attempt::Refused(why) => {
                    self.warn(&why);
                    return None;
                }
                Attempt::Again {
                    why,
                    after,
                    answered,
                } => {
                    self.warn(&why);
                    let left = PATIENCE.saturating_sub(began.elapsed());
                    if over && !answered || left.is_zero() {
                        return None;
                    }
                    tokio::select! {
                        () = sleep(pause(after, back_off, left)) => {}
                        () = Stage::over(stages), if !over && !answered => {}
                    }
                    back_off = (back_off * 2).min(BACK_OFF.1);
                }
            }
        }
    }

    /// Delivers a message that a later one will make needless, in one try.
    pub(super) async fn deliver_once(&self, message: Vec<u8>) {
        match self.attempt(self.packed(message)).await {
            Attempt::Taken(_) => {}
            Attempt::Refused(why) | Attempt::Again { why, .. } => self.warn(&why),
        }
    }

    async fn attempt(&self, message: Bytes) -> Attempt {
        let Destination { address, .. } = &self.destination;
        let posted = self
            .poster
            .post(address, self.headers.clone(), message)
            .await;
        match posted {
            Ok(answer) => self.judge(&answer),
            Err(error) if error.may_pass() => Attempt::Again {
                why: error.to_string(),
                after: None,
                answered: false,
            },
            Err(error) => Attempt::Refused(error.to_string()),
        }
    }

    fn judge(&self, answer: &Answer) -> Attempt {
        let status = answer.status;
        if status.is_success() {
            return Attempt::Taken(self.taken(&answer.body));
        }
        let word = self.word(&refusal(&answer.body));
        let why = if word.is_empty() {
            format!("it answered {status}")
        } else {
            format!("it answered {status}: {word}")
        };
        match status {
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => Attempt::Again {
                why,
                after: retry_after(&answer.headers),
                answered: true,
            },
            _ => Attempt::Refused(why),
        }
    }

    /// What an `Export…ServiceResponse` says was not taken.
    fn taken(&self, body: &[u8]) -> Taken {
        let mut taken = Taken::default();
        let mut word = String::new();
        for (_, part) in protobuf::fields(body) {
            let Field::Bytes(partial_success) = part else {
                continue;
            };
            for field in protobuf::fields(partial_success) {
                match field {
                    (1, Field::Integer(rejected)) => taken.rejected = rejected,
                    (2, Field::Bytes(text)) => word = self.word(&String::from_utf8_lossy(text)),
                    _ => {}
                }
            }
        }
        if taken.rejected > 0 || !word.is_empty() {
            self.warn(&format!("it refused {} of them: {word}", taken.rejected));
        }
        taken
    }

    /// What somebody else says, short and without secrets: it may well repeat what it was sent.
    fn word(&self, text: &str) -> String {
        // Before it is cut, so that no half of a secret is left at the end.
        let masked = without_secrets(text.trim(), self.secrets.iter().map(String::as_str));
        let masked = self.config.mask(&masked);
        let shown = masked.chars().take(LONGEST_WORD);
        shown
            .map(|character| {
                if character.is_control() {
                    ' '
                } else {
                    character
                }
            })
            .collect()
    }

    fn warn(&self, why: &str) {
        tracing::debug!(
            "{} to {}: {why}",
            self.destination.signal,
            self.destination.address
        );
        if !self.told.replace(true) {
            let Destination {
                signal, address, ..
            } = &self.destination;
            // Nobody listens when the run is over.
            let _ = self.tell.send(format!(
                "OpenTelemetry: not all {signal} get to the collector at {address}: {why}{}",
                hint(address.to_string().as_str())
            ));
        }
    }

    fn packed(&self, message: Vec<u8>) -> Bytes {
        if !self.destination.gzip {
            return message.into();
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        // Memory takes everything.
        let _ = encoder.write_all(&message);
        encoder.finish().unwrap_or_default().into()
    }
}

/// How long to wait before the next try, of which there is one in any case before it is given up.
fn pause(after: Option<Duration>, back_off: Duration, left: Duration) -> Duration {
    // So that many who were turned away do not come back at once.
    let jitter = 0.75 + fastrand::f64() / 2.0;
    after.unwrap_or(back_off.mul_f64(jitter)).min(left)
}

/// What may be the matter with this address.
fn hint(address: &str) -> &'static str {
    if address.contains(":4317/") {
        " (port 4317 is mostly that for gRPC, which mite does not speak; 4318 is that for HTTP)"
    } else {
        ""
    }
}

/// The message in the `google.rpc.Status` that a refusal has for a body, or the body if that is a
/// text.
fn refusal(body: &[u8]) -> String {
    let message = protobuf::fields(body)
        .into_iter()
        .find_map(|field| match field {
            (2, Field::Bytes(text)) => std::str::from_utf8(text).ok(),
            _ => None,
        });
    let text = message.or_else(|| std::str::from_utf8(body).ok());
    text.unwrap_or_default().to_owned()
}

/// When the collector wants to be asked again; a date is not looked at.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    value.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otel::settings::Options;

    fn delivery(address: &str, header: &str) -> Delivery {
        let options = Options {
            address: Some(address.to_owned()),
            trace: None,
            from_environment: true,
        };
        let read = |name: &str| (name == "OTEL_EXPORTER_OTLP_HEADERS").then(|| header.to_owned());
        let settings = options.check_with(&read).unwrap().unwrap();
        let (tell, _) = std::sync::mpsc::channel();
        Delivery::new(settings.traces.unwrap(), Config::default(), tell)
    }

    #[test]
    fn a_collector_that_repeats_what_it_was_sent_tells_no_secret() {
        let address = "http://joe:tro%20ut@127.0.0.1:4318/tenant/LONGLONGLONGTOKEN?key=K1K1";
        let delivery = delivery(address, "authorization=Bearer%20swordfish,x-key=abcabc");
        // `printf 'joe:tro ut' | base64`
        for secret in [
            "am9lOnRybyB1dA==",
            "tro ut",
            "tro%20ut",
            "LONGLONGLONGTOKEN",
            "K1K1",
        ] {
            for text in [
                format!("auth Basic {secret}, no"),
                format!("POST /tenant/{secret}/v1/traces?key={secret} of joe"),
            ] {
                let word = delivery.word(&text);
                assert!(!word.contains(secret) && word.contains("***"), "{word}");
                assert!(!word.contains("joe"), "{word}");
            }
        }
        assert_eq!(delivery.word("swordfish\nis wrong"), "*** is wrong");
        assert_eq!(delivery.word("not abcabc"), "not ***");
    }

    #[test]
    fn what_is_too_long_is_cut_without_leaving_half_a_secret() {
        let delivery = delivery("http://127.0.0.1:4318", "x-key=swordfish");
        let word = delivery.word(&format!("{}swordfish", "-".repeat(LONGEST_WORD - 5)));
        assert!(!word.contains("sword"), "{word}");
        assert!(word.chars().count() <= LONGEST_WORD);
    }

    #[test]
    fn a_collector_that_names_an_hour_is_not_waited_for_longer_than_there_is_patience() {
        let (hour, second) = (Duration::from_secs(3600), Duration::from_secs(1));
        assert_eq!(pause(Some(hour), second, PATIENCE), PATIENCE);
        assert_eq!(pause(Some(second), BACK_OFF.1, PATIENCE), second);
        assert_eq!(pause(None, BACK_OFF.1, second), second);
        assert!(pause(None, second, PATIENCE) < 2 * second);
    }
}
