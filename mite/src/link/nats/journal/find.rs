//! Looks whether somebody leads, and what a controller that is gone has left behind.

use std::time::{Duration, SystemTime};

use async_nats::jetstream::{
    self, Context,
    consumer::{DeliverPolicy, pull::OrderedConfig},
    context::{CreateStreamError, CreateStreamErrorKind},
    stream::{Config, DiscardPolicy, StorageType, Stream},
};
use futures_util::StreamExt;
use tokio::time::{Instant, sleep, timeout};

use super::{Entry, Found, LOOK, SILENT, What};
use crate::link::{
    nats::{BusError, Options, subjects::Subjects},
    wire::decode,
};

/// How long the server may take for an entry that is there.
const PATIENCE: Duration = Duration::from_secs(10);
/// Copies of the journal, where there are so many servers.
const COPIES: usize = 3;

/// Where the journal is.
pub(super) struct Store {
    pub(super) context: Context,
    pub(super) stream: String,
    pub(super) subject: String,
}

/// A journal that nobody writes to.
pub(super) struct Search {
    pub(super) store: Store,
    /// The number of its last entry.
    pub(super) last: u64,
    /// When the clock of the controller showed nothing, on the clock of NATS.
    pub(super) zero: Option<SystemTime>,
    pub(super) found: Option<Found>,
}

/// Looks until nobody leads; nothing when the run that was stood by for is over.
///
/// # Errors
/// When there is no JetStream, or another leads and it is not to be waited for.
pub(super) async fn find(
    options: &Options,
    subjects: &Subjects,
    stands_by: bool,
) -> Result<Option<Search>, BusError> {
    let client = options.connect("mite journal").await?;
    let store = Store {
        context: jetstream::new(client),
        stream: subjects.journal_stream(),
        subject: subjects.journal(),
    };
    let mut has_stood_by = false;
    loop {
        let stream = store.context.get_stream(&store.stream).await;
        let stream = match stream {
            Ok(stream) => stream,
            // The controller that led has removed it: its run is over.
            Err(_) if has_stood_by => return Ok(None),
            Err(_) => store.create().await?,
        };
        let last = stream.cached_info().state.last_sequence;
        if is_written(&stream, last).await {
            if !stands_by {
                return Err(BusError::Taken(options.prefix.clone()));
            }
            if !has_stood_by {
                tracing::warn!("another controller leads; standing by");
            }
            has_stood_by = true;
            sleep(LOOK).await;
            continue;
        }
        let (found, zero) = read(&stream, last).await?;
        return Ok(Some(Search {
            store,
            last,
            zero,
            found,
        }));
    }
}

impl Store {
    async fn create(&self) -> Result<Stream, BusError> {
        let made = self.create_with(COPIES).await;
        // A server by itself, or a cluster of fewer.
        let made = match made {
            Err(error) if !is_without(&error) => self.create_with(1).await,
            made => made,
        };
        made.map_err(|error| {
            if is_without(&error) {
                return BusError::NoJetStream;
            }
            BusError::Journal(error.to_string())
        })
    }

    async fn create_with(&self, copies: usize) -> Result<Stream, CreateStreamError> {
        let config = Config {
            name: self.stream.clone(),
            subjects: vec![self.subject.clone()],
            storage: StorageType::File,
            discard: DiscardPolicy::New,
            num_replicas: copies,
            description: Some("what a controller of mite needs to be replaced".to_owned()),
            ..Config::default()
        };
        self.context.create_stream(config).await?;
        let stream = self.context.get_stream(&self.stream).await;
        stream
            .map_err(|error| CreateStreamError::with_source(CreateStreamErrorKind::Response, error))
    }
}

/// Whether the server has no JetStream, or does not let us use it.
fn is_without(error: &CreateStreamError) -> bool {
    matches!(
        error.kind(),
        CreateStreamErrorKind::JetStreamUnavailable | CreateStreamErrorKind::TimedOut
    )
}

/// Whether somebody writes to it.
async fn is_written(stream: &Stream, last: u64) -> bool {
    if last == 0 {
        return false;
    }
    let begin = Instant::now();
    while begin.elapsed() < SILENT {
        sleep(LOOK).await;
        let now = stream.get_info().await;
        if now.is_ok_and(|info| info.state.last_sequence != last) {
            return true;
        }
    }
    false
}

/// What has been written, and since when.
async fn read(stream: &Stream, last: u64) -> Result<(Option<Found>, Option<SystemTime>), BusError> {
    let broken = |error: &dyn std::fmt::Display| BusError::Journal(error.to_string());
    let mut reading = Reading::default();
    if last == 0 {
        return Ok((None, None));
    }
    let config = OrderedConfig {
        deliver_policy: DeliverPolicy::All,
        ..OrderedConfig::default()
    };
    let consumer = stream.create_consumer(config).await;
    let consumer = consumer.map_err(|error| broken(&error))?;
    let messages = consumer.messages().await;
    let mut messages = messages.map_err(|error| broken(&error))?;
    loop {
        let next = timeout(PATIENCE, messages.next()).await;
        let message = match next {
            Ok(Some(Ok(message))) => message,
            Ok(Some(Err(error))) => return Err(broken(&error)),
            Ok(None) | Err(_) => return Err(broken(&"it cannot be read to its end")),
        };
        let info = message.info().map_err(|error| broken(&error))?;
        let (number, written) = (info.stream_sequence, SystemTime::from(info.published));
        if let Some(entry) = decode::<Entry>(&message.payload) {
            reading.entry(entry, written);
        }
        if number >= last {
            return Ok(reading.finish());
        }
    }
}

/// The records in entries.
#[derive(Default)]
struct Reading {
    records: Vec<bytes::Bytes>,
    begun: Vec<u8>,
    /// When the clock of the controller showed nothing: no entry was written before it was made, so
    /// the earliest that one tells of is nearest.
    zero: Option<SystemTime>,
    last: Option<SystemTime>,
}

impl Reading {
    fn entry(&mut self, entry: Entry, written: SystemTime) {
        self.last = Some(written);
        match entry.what {
            What::Claim { anew } => {
                self.begun.clear();
                if anew {
                    self.records.clear();
                    self.zero = None;
                }
            }
            What::Alive => {}
            What::Piece { bytes, goes_on } => {
                self.begun.extend_from_slice(&bytes);
                if !goes_on {
                    self.records.push(std::mem::take(&mut self.begun).into());
                }
            }
        }
        let zero = entry.at.and_then(|at| written.checked_sub(at));
        self.zero = [self.zero, zero].into_iter().flatten().min();
    }

    fn finish(self) -> (Option<Found>, Option<SystemTime>) {
        let age = self.last.and_then(|last| last.elapsed().ok());
        let found = (!self.records.is_empty()).then(|| Found {
            records: self.records,
            age: age.unwrap_or_default(),
        });
        (found, self.zero)
    }
}
