//! The way into a stream: one letter after the other, each until the stream has it.

use std::time::Duration;

use async_nats::{
    Client,
    connection::State,
    jetstream::{self, context::PublishErrorKind, message::PublishMessage},
};
use bytes::Bytes;
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

use super::Stream;
use crate::link::nats::{BusError, Options, subjects::Subjects};

/// How large a letter is at most, unless a single record is larger.
pub(super) const LARGEST: usize = 128 << 10;
/// What a message has beside its letter.
const ENVELOPE: usize = 4 << 10;
/// How long the stream may take to say that it has a letter before it is sent again.
const ANSWER: Duration = Duration::from_secs(2);
/// The same when there is no patience left.
const HURRY: Duration = Duration::from_millis(200);
/// How long to wait before sending again what was not taken.
const AGAIN: Duration = Duration::from_millis(100);
/// How long the last letters may wait, when all is over, without one being taken.
const PATIENCE: Duration = Duration::from_secs(10);

/// Something to be kept.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    /// Its number, counted by the sender: the stream takes it once however often it is sent.
    pub(crate) number: u64,
    /// What it says.
    pub(crate) bytes: Bytes,
}

/// Where letters come from, and what is heard of them there.
pub(crate) trait Outgoing {
    /// The next letter, of about so many bytes at most; `None` when there is no more.
    async fn next(&mut self, most: usize) -> Option<Letter>;

    /// The stream has the last one.
    fn arrived(&mut self);

    /// The stream will not get the last one.
    fn lost(&mut self, why: &str);
}

/// Gets letters to a stream until there are no more. `closing` becomes true when no more are
/// written.
///
/// It waits for the stream as long as it takes while letters are still written, and for some
/// seconds afterwards.
pub(crate) async fn deliver(
    options: &Options,
    stream: Stream,
    sender: u64,
    mut outgoing: impl Outgoing,
    closing: watch::Receiver<bool>,
) -> Result<(), BusError> {
    let subject = Subjects::new(&options.prefix)?.to(stream, sender);
    let mut postman = Postman {
        client: None,
        subject,
        sender,
        closing,
        closed_since: None,
    };
    let mut most = LARGEST;
    while let Some(letter) = outgoing.next(most).await {
        match postman.post(options, letter).await {
            Ok(()) => outgoing.arrived(),
            Err(why) => outgoing.lost(&why),
        }
        most = postman.most();
    }
    Ok(())
}

struct Postman {
    /// Absent until NATS has been reached.
    client: Option<Client>,
    subject: String,
    sender: u64,
    closing: watch::Receiver<bool>,
    /// Since when nothing was taken although all is over.
    closed_since: Option<Instant>,
}

impl Postman {
    /// How large a letter may be.
    fn most(&self) -> usize {
        let Some(client) = &self.client else {
            return LARGEST;
        };
        let payload = client.server_info().max_payload;
        LARGEST.min(payload.saturating_sub(ENVELOPE))
    }

    /// Sends a letter until the stream has it.
    ///
    /// # Errors
    /// When it will never have it, in words.
    async fn post(&mut self, options: &Options, letter: Letter) -> Result<(), String> {
        loop {
            // Each is tried once, whatever became of those before.
            let is_over = self.is_over();
            let patience = if is_over { HURRY } else { ANSWER };
            match self.try_to(options, &letter, patience).await {
                Ok(()) => {
                    self.closed_since = None;
                    return Ok(());
                }
                Err(Refused::Never(why)) => return Err(why),
                Err(Refused::NotYet(why)) => {
                    tracing::debug!("the stream did not take something: {why}");
                    if is_over {
                        return Err(why);
                    }
                }
            }
            sleep(AGAIN).await;
        }
    }

    /// Whether the patience with the last letters is at its end.
    fn is_over(&mut self) -> bool {
        if !*self.closing.borrow() {
            return false;
        }
        let since = self.closed_since.get_or_insert_with(Instant::now);
        since.elapsed() >= PATIENCE
    }

    async fn try_to(
        &mut self,
        options: &Options,
        letter: &Letter,
        patience: Duration,
    ) -> Result<(), Refused> {
        let not_yet = |why: String| Refused::NotYet(why);
        if self.client.is_none() {
            let connected = options.connect("mite runner to a stream").await;
            self.client = Some(connected.map_err(|error| not_yet(error.to_string()))?);
        }
        let Some(client) = &self.client else {
            return Err(not_yet("there is no connection to NATS".to_owned()));
        };
        // What is sent into a closed door would wait in front of it.
        if client.connection_state() != State::Connected {
            return Err(not_yet("NATS cannot be reached".to_owned()));
        }
        let message = PublishMessage::build()
            .payload(letter.bytes.clone())
            .message_id(format!("{:016x}-{}", self.sender, letter.number));
        let context = jetstream::new(client.clone());
        let posting = async {
            context
                .send_publish(self.subject.clone(), message)
                .await?
                .await
        };
        match timeout(patience, posting).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if error.kind() == PublishErrorKind::MaxPayloadExceeded => {
                Err(Refused::Never(format!(
                    "a single one has {} bytes, and NATS takes no message of that size (max_payload)",
                    letter.bytes.len()
                )))
            }
            Ok(Err(error)) => Err(not_yet(reason(&error))),
            Err(_) => Err(not_yet("the stream does not answer".to_owned())),
        }
    }
}

/// Why a letter was not taken.
enum Refused {
    /// It may be taken later.
    NotYet(String),
    /// It will never be.
    Never(String),
}

fn reason(error: &jetstream::context::PublishError) -> String {
    use std::error::Error as _;
    match (error.kind(), error.source()) {
        (PublishErrorKind::StreamNotFound, _) => {
            "there is no such stream on NATS any more".to_owned()
        }
        (_, Some(source)) => source.to_string(),
        (_, None) => error.to_string(),
    }
}
