//! The way out of a stream: whoever writes down what runners send takes it from here, and says when
//! it is written.

use std::time::Duration;

use async_nats::{
    Client, Subject, Subscriber,
    jetstream::{
        self,
        consumer::{AckPolicy, PullConsumer, pull},
        context::{CreateStreamErrorKind, GetStreamErrorKind, RequestError, RequestErrorKind},
        stream::{Config, DiscardPolicy, RetentionPolicy, StorageType},
    },
};
use bytes::Bytes;
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::{
    sync::mpsc::{Receiver, Sender, channel},
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::{Over, Stream, delivery::LARGEST, keepers::who_is_there};
use crate::link::{
    decode, encode,
    nats::{BusError, Options, subjects::Subjects},
};

/// What takes from a stream is called so there.
const CONSUMER: &str = "writers";
/// How long something may be with somebody who does not say that it is written, before another gets
/// it.
const ACKNOWLEDGED: Duration = Duration::from_secs(30);
/// The same for the recorder, who has nobody beside it.
const ACKNOWLEDGED_ALONE: Duration = Duration::from_secs(5);
/// What is sent again within this time is known again.
const REPEATED: Duration = Duration::from_secs(5 * 60);
/// How long to ask for something at a time.
const PULL: Duration = Duration::from_secs(1);
/// How long an answer of NATS may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How much is taken at once.
const AT_ONCE: usize = 16;

/// What is said to those who keep what runners send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Word {
    /// Whoever is there answers.
    WhoIsThere,
    /// A run is over.
    Over(Over),
}

/// How large a stream may become, and on how many servers it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StreamLimits {
    /// What it holds at most, in bytes.
    pub(crate) bytes: u64,
    /// How many servers of a cluster have it.
    pub(crate) replicas: usize,
}

/// Something that was sent to be kept.
#[derive(Debug)]
pub(crate) struct Delivery {
    /// What it says.
    pub(crate) bytes: Bytes,
    /// Its place in the stream.
    pub(crate) sequence: u64,
    message: jetstream::Message,
}

/// What somebody who keeps what runners send hears next.
#[derive(Debug)]
pub(crate) enum Heard {
    /// What was in the stream; nothing when there was nothing for a second.
    Deliveries(Vec<Delivery>),
    /// A run is over.
    Over(Over),
}

/// Takes from a stream.
pub(crate) struct Intake {
    client: Client,
    subjects: Subjects,
    stream: Stream,
    /// What tells this stream from one of the same name.
    identity: String,
    consumer: PullConsumer,
    /// What is said to those who keep.
    words: Subscriber,
    deliveries: Receiver<Vec<Delivery>>,
    pulling: JoinHandle<()>,
}

impl Delivery {
    /// It is written: nobody needs it any more.
    pub(crate) async fn written(&self) {
        if let Err(error) = self.message.ack().await {
            // It comes again, and is known again.
            tracing::debug!("cannot say on NATS that something is written: {error}");
        }
    }

    /// The same, and the stream has heard it.
    pub(crate) async fn written_for_certain(&self) {
        let said = timeout(PATIENCE, self.message.double_ack()).await;
        if !matches!(said, Ok(Ok(()))) {
            tracing::debug!("the stream does not know yet that something is written");
        }
    }

    /// It was not: another may have it.
    pub(crate) async fn refused(&self) {
        let _ = self.message.ack_with(jetstream::AckKind::Nak(None)).await;
    }
}

impl Intake {
    /// Makes the stream unless it is there, and begins to take from it. What there can be only one
    /// of looks first whether it is there.
    ///
    /// # Errors
    /// When NATS cannot be reached, has no JetStream or refuses the stream, or another recorder is
    /// there.
    pub(crate) async fn open(
        options: &Options,
        stream: Stream,
        limits: StreamLimits,
    ) -> Result<Self, BusError> {
        let subjects = Subjects::new(&options.prefix)?;
        let (name, subject) = match stream {
            Stream::Events => ("mite collector", subjects.collect()),
            Stream::Recorded => ("mite recorder", subjects.record()),
        };
        let client = options.connect(name).await?;
        if stream == Stream::Recorded {
            let others: Vec<super::super::Recording> =
                who_is_there(&client, subject.clone()).await?;
            if !others.is_empty() {
                return Err(BusError::RecorderThere(options.prefix.clone()));
            }
        }
        let made = make(&client, &subjects, stream, limits).await;
        let (identity, consumer) =
            made.map_err(|failed| failed.explain(options, &subjects, stream))?;
        let words = client
            .subscribe(subject)
            .await
            .map_err(|error| BusError::Subscribe(error.to_string()))?;
        let (sender, deliveries) = channel(1);
        let at_once = match stream {
            Stream::Events => AT_ONCE,
            Stream::Recorded => 1,
        };
        let pulling = tokio::spawn(pull(consumer.clone(), sender, at_once));
        Ok(Self {
            client,
            subjects,
            stream,
            identity,
            consumer,
            words,
            deliveries,
            pulling,
        })
    }

    /// The name of the stream.
    pub(crate) fn name(&self) -> String {
        self.subjects.stream(self.stream)
    }

    /// What tells this stream from one of the same name.
    pub(crate) fn identity(&self) -> &str {
        &self.identity
    }

    /// What comes next; who asks whether somebody is there is answered `here`. `None` when nothing
    /// more can come.
    pub(crate) async fn next(&mut self, here: &impl Serialize) -> Option<Heard> {
        loop {
            let said = tokio::select! {
                biased;
                Some(said) = self.words.next() => said,
                deliveries = self.deliveries.recv() => return deliveries.map(Heard::Deliveries),
            };
            match decode(&said.payload) {
                Some(Word::WhoIsThere) => self.answer(said.reply, here).await,
                Some(Word::Over(over)) => return Some(Heard::Over(over)),
                None => {}
            }
        }
    }

    async fn answer(&self, reply: Option<Subject>, here: &impl Serialize) {
        let Some(reply) = reply else { return };
        if let Err(error) = self.client.publish(reply, encode(here)).await {
            tracing::debug!("cannot answer on NATS: {error}");
        }
    }

    /// What is in the stream and with nobody, and what is with somebody.
    pub(crate) async fn waiting(&self) -> Option<(u64, usize)> {
        let info = timeout(PATIENCE, self.consumer.get_info()).await;
        let info = info.ok()?.ok()?;
        Some((info.num_pending, info.num_ack_pending))
    }

    /// Whether there is a controller.
    pub(crate) async fn has_controller(&self) -> bool {
        let question = self.client.request(self.subjects.clock(), Bytes::new());
        matches!(timeout(PATIENCE, question).await, Ok(Ok(_)))
    }

    /// Takes nothing more, gives back what was not asked for, and waits until all that was said has
    /// been sent.
    pub(crate) async fn close(mut self) {
        self.deliveries.close();
        while let Some(deliveries) = self.deliveries.recv().await {
            give_back(&deliveries).await;
        }
        let _ = timeout(PATIENCE, self.pulling).await;
        let _ = timeout(PATIENCE, self.client.flush()).await;
    }
}

/// Asks for more as long as somebody wants it.
async fn pull(consumer: PullConsumer, deliveries: Sender<Vec<Delivery>>, at_once: usize) {
    while !deliveries.is_closed() {
        let mut got = Vec::new();
        match consumer
            .batch()
            .max_messages(at_once)
            .expires(PULL)
            .messages()
            .await
        {
            Ok(mut messages) => {
                while let Ok(Some(message)) = timeout(PULL + PATIENCE, messages.next()).await {
                    match message {
                        Ok(message) => got.extend(delivery(message)),
                        Err(error) => {
                            tracing::debug!("NATS did not say what is in the stream: {error}");
                            break;
                        }
                    }
                }
            }
            Err(error) => {
                tracing::debug!("cannot ask NATS what is in the stream: {error}");
                sleep(PULL).await;
            }
        }
        if let Err(unwanted) = deliveries.send(got).await {
            give_back(&unwanted.0).await;
            return;
        }
    }
}

async fn give_back(deliveries: &[Delivery]) {
    for delivery in deliveries {
        delivery.refused().await;
    }
}

fn delivery(message: jetstream::Message) -> Option<Delivery> {
    let sequence = message.info().ok()?.stream_sequence;
    Some(Delivery {
        bytes: message.payload.clone(),
        sequence,
        message,
    })
}

/// Why there is no stream.
enum Failed {
    NoJetStream,
    Other(String),
}

impl Failed {
    fn of(error: &dyn std::error::Error) -> Self {
        let because = error.source().map(|source| format!(": {source}"));
        Self::Other(format!("{error}{}", because.unwrap_or_default()))
    }

    fn explain(self, options: &Options, subjects: &Subjects, stream: Stream) -> BusError {
        match self {
            Self::NoJetStream => BusError::NoStreams(options.shown()),
            Self::Other(reason) => BusError::Stream {
                name: subjects.stream(stream),
                reason,
            },
        }
    }
}

fn nobody_answers(error: &dyn std::error::Error) -> bool {
    let source = error.source();
    let source = source.and_then(|source| source.downcast_ref::<RequestError>());
    source.is_some_and(|source| source.kind() == RequestErrorKind::NoResponders)
}

async fn make(
    client: &Client,
    subjects: &Subjects,
    stream: Stream,
    limits: StreamLimits,
) -> Result<(String, PullConsumer), Failed> {
    let other = |error: &dyn std::error::Error| Failed::of(error);
    let context = jetstream::new(client.clone());
    let config = Config {
        name: subjects.stream(stream),
        subjects: vec![subjects.all_to(stream)],
        description: Some("what load tests with mite send to be written down".to_owned()),
        // Not in bytes: a server that is to refuse what is too much forgets what it puts around a
        // message, stores it, and then drops the oldest.
        max_messages: i64::try_from(limits.bytes / LARGEST as u64)
            .unwrap_or(i64::MAX)
            .max(1),
        num_replicas: limits.replicas,
        storage: StorageType::File,
        retention: RetentionPolicy::WorkQueue,
        discard: DiscardPolicy::New,
        duplicate_window: REPEATED,
        ..Config::default()
    };
    let mut made = match context.get_stream(&config.name).await {
        Ok(made) => made,
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(error) if error.code() == 404 => context
                .create_stream(config.clone())
                .await
                .map_err(|error| match error.kind() {
                    CreateStreamErrorKind::JetStreamUnavailable => Failed::NoJetStream,
                    _ => other(&error),
                })?,
            // Nobody answers where there is no JetStream.
            GetStreamErrorKind::Request if nobody_answers(&error) => {
                return Err(Failed::NoJetStream);
            }
            GetStreamErrorKind::JetStream(error) if error.code() == 503 => {
                return Err(Failed::NoJetStream);
            }
            _ => return Err(other(&error)),
        },
    };
    let is = &made.cached_info().config;
    if is.max_messages != config.max_messages || is.num_replicas != config.num_replicas {
        context
            .update_stream(config)
            .await
            .map_err(|error| other(&error))?;
    }
    let alone = stream == Stream::Recorded;
    let consumer = pull::Config {
        durable_name: Some(CONSUMER.to_owned()),
        ack_policy: AckPolicy::Explicit,
        ack_wait: if alone {
            ACKNOWLEDGED_ALONE
        } else {
            ACKNOWLEDGED
        },
        // One after the other keeps the order, also when one has to be given again.
        max_ack_pending: if alone { 1 } else { 0 },
        ..pull::Config::default()
    };
    let consumer = made.get_or_create_consumer(CONSUMER, consumer).await;
    let consumer = consumer.map_err(|error| other(&error))?;
    let info = made.info().await.map_err(|error| other(&error))?;
    Ok((info.created.unix_timestamp_nanos().to_string(), consumer))
}
