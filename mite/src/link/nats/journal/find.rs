//! Looks whether somebody leads, and what a controller that is gone has left behind.

use std::time::{Duration, SystemTime};

use async_nats::{
    Client,
    connection::State,
    jetstream::{
        self, Context, ErrorCode,
        context::{CreateStreamError, CreateStreamErrorKind, GetStreamError, GetStreamErrorKind},
        stream::{Config, DiscardPolicy, StorageType, Stream},
    },
};
use futures_util::{StreamExt, stream};
use tokio::time::{Instant, sleep};

use super::{Entry, Found, LOOK, SILENT, What};
use crate::link::{
    nats::{BusError, Options, subjects::Subjects},
    wire::decode,
};

/// How many entries are asked for at once.
const READ_AHEAD: usize = 64;
/// How long a server may be away, or a cluster without a leader.
const AWAY: Duration = Duration::from_secs(30);
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

/// What a look at the journal shows.
enum Look {
    /// Nobody writes to it.
    Free(Box<Search>),
    /// Somebody does.
    Written,
    /// There is none.
    Absent,
    /// There was none, and is now.
    Made,
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
    let context = jetstream::new(client);
    let store = || Store {
        context: context.clone(),
        stream: subjects.journal_stream(),
        subject: subjects.journal(),
    };
    let mut has_stood_by = false;
    let mut failing_since = None;
    loop {
        let look = match store().look().await {
            Ok(Look::Absent) if !has_stood_by => store().create().await.map(|()| Look::Made),
            look => look,
        };
        match look {
            Ok(Look::Free(search)) => return Ok(Some(*search)),
            Ok(Look::Written) if !stands_by => {
                return Err(BusError::Taken(options.prefix.clone()));
            }
            Ok(Look::Written) => {
                if !has_stood_by {
                    tracing::warn!("another controller leads; standing by");
                }
                has_stood_by = true;
                failing_since = None;
            }
            // The controller that led has removed it: its run is over.
            Ok(Look::Absent) => return Ok(None),
            Ok(Look::Made) => failing_since = None,
            Err(error) => {
                // A server that is restarted needs a moment.
                let since = *failing_since.get_or_insert_with(Instant::now);
                let client = context.client();
                let is_connected = client.connection_state() == State::Connected;
                if is_connected && !client.server_info().jetstream {
                    return Err(BusError::NoJetStream);
                }
                if since.elapsed() > AWAY {
                    return Err(error);
                }
            }
        }
        sleep(LOOK).await;
    }
}

/// How long ago something was written of a run that is not over, if there is one.
pub(in crate::link::nats) async fn left_behind(
    client: &Client,
    subjects: &Subjects,
) -> Option<Duration> {
    let context = jetstream::new(client.clone());
    let stream = context.get_stream(subjects.journal_stream()).await.ok()?;
    let state = &stream.cached_info().state;
    let written = SystemTime::from(state.last_timestamp);
    let mut messages = stream::iter(state.first_sequence..=state.last_sequence)
        .map(|number| stream.get_raw_message(number))
        .buffered(READ_AHEAD);
    while let Some(Ok(message)) = messages.next().await {
        let entry = decode::<Entry>(&message.payload)?;
        // Whoever waits for runners has no run yet.
        if let What::Piece { .. } = entry.what {
            return Some(written.elapsed().unwrap_or_default());
        }
    }
    None
}

impl Store {
    /// Looks at what there is.
    async fn look(self) -> Result<Look, BusError> {
        let stream = match self.context.get_stream(&self.stream).await {
            Ok(stream) => stream,
            Err(error) => {
                return match is_absent(&error) {
                    true => Ok(Look::Absent),
                    false => Err(BusError::Journal(error.to_string())),
                };
            }
        };
        let last = stream.cached_info().state.last_sequence;
        if is_written(&stream, last).await? {
            return Ok(Look::Written);
        }
        let (found, zero) = match stream.cached_info().state.messages {
            0 => (None, None),
            _ => read(&stream, last).await?,
        };
        Ok(Look::Free(Box::new(Search {
            store: self,
            last,
            zero,
            found,
        })))
    }

    async fn create(&self) -> Result<(), BusError> {
        let made = self.create_with(COPIES).await;
        // A server by itself, or a cluster of fewer.
        let made = match made {
            Err(error) if is_too_many(&error) => self.create_with(1).await,
            made => made,
        };
        made.map_err(|error| {
            if is_without(&error) {
                return BusError::NoJetStream;
            }
            BusError::Journal(error.to_string())
        })
    }

    async fn create_with(&self, copies: usize) -> Result<(), CreateStreamError> {
        let config = Config {
            name: self.stream.clone(),
            subjects: vec![self.subject.clone()],
            storage: StorageType::File,
            discard: DiscardPolicy::New,
            num_replicas: copies,
            description: Some("what a controller of mite needs to be replaced".to_owned()),
            ..Config::default()
        };
        self.context.create_stream(config).await.map(drop)
    }
}

/// Whether the server knows that there is no such stream.
pub(super) fn is_absent(error: &GetStreamError) -> bool {
    match error.kind() {
        GetStreamErrorKind::JetStream(error) => error.error_code() == ErrorCode::STREAM_NOT_FOUND,
        _ => false,
    }
}

/// Whether there are fewer servers than copies.
fn is_too_many(error: &CreateStreamError) -> bool {
    matches!(
        error.kind(),
        CreateStreamErrorKind::JetStream(_) | CreateStreamErrorKind::Response
    )
}

/// Whether the server has no JetStream, or does not let us use it.
fn is_without(error: &CreateStreamError) -> bool {
    error.kind() == CreateStreamErrorKind::JetStreamUnavailable
}

/// Whether somebody writes to it.
async fn is_written(stream: &Stream, last: u64) -> Result<bool, BusError> {
    if last == 0 {
        return Ok(false);
    }
    let begin = Instant::now();
    while begin.elapsed() < SILENT {
        sleep(LOOK).await;
        let now = stream.get_info().await;
        // Who cannot see it does not know.
        let now = now.map_err(|error| BusError::Journal(error.to_string()))?;
        if now.state.last_sequence != last {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What has been written, and since when.
///
/// Each entry is asked for by its number, many at once, of the server that leads the stream. A
/// consumer would be less work for the server, but a passing one is kept by one server of a cluster
/// only, and that may be one that has just been lost.
async fn read(stream: &Stream, last: u64) -> Result<(Option<Found>, Option<SystemTime>), BusError> {
    let mut reading = Reading::default();
    let first = stream.cached_info().state.first_sequence;
    let mut messages = stream::iter(first..=last)
        .map(|number| stream.get_raw_message(number))
        .buffered(READ_AHEAD);
    while let Some(message) = messages.next().await {
        let message = message.map_err(|error| BusError::Journal(error.to_string()))?;
        if let Some(entry) = decode::<Entry>(&message.payload) {
            reading.entry(entry, message.time.into());
        }
    }
    Ok(reading.finish())
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
