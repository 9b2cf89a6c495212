//! Writes entries, each directly after the last.

use std::{
    cmp::Ordering,
    time::{Duration, SystemTime},
};

use async_nats::{
    connection::State,
    jetstream::{
        context::{PublishError, PublishErrorKind},
        message::PublishMessage,
    },
};
use bytes::Bytes;
use tokio::time::{Instant, sleep, timeout};

use super::{
    Entry, LastEntry, PIECE, SILENT, Unkept, What,
    find::{Store, is_absent},
};
use crate::link::{nats::BusError, wire::encode};

/// How long the server may take to say that it has an entry, before it is told again.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long to wait before an entry is told again.
const AGAIN: Duration = Duration::from_millis(200);
/// How long a server that we talk to may be without a leader of the journal.
const LEADERLESS: Duration = Duration::from_secs(30);

/// The one who writes.
pub(super) struct Writer {
    store: Store,
    /// What entries of this writer are called.
    name: u64,
    /// How many it has written.
    count: u64,
    /// The number of the last entry.
    last: u64,
    epoch: Instant,
    last_entry: LastEntry,
    /// When an entry was given to the server last, whether or not it took it.
    tried: Instant,
    /// Whether this process stood still since an entry was kept, and another may have led meanwhile.
    stood_still: bool,
}

impl Writer {
    /// Leads from now on; with the time at which the clock of the controller showed nothing, on the
    /// clock of NATS, the run of before goes on.
    pub(super) async fn claim(
        store: Store,
        last: u64,
        zero: Option<SystemTime>,
        prefix: &str,
    ) -> Result<Self, BusError> {
        let mut writer = Self {
            store,
            name: fastrand::u64(..),
            count: 0,
            last,
            epoch: Instant::now(),
            last_entry: LastEntry::now(),
            tried: Instant::now(),
            stood_still: false,
        };
        let anew = zero.is_none();
        let asked = Instant::now();
        let claim = Entry {
            at: None,
            what: What::Claim { anew },
        };
        writer.append(&claim).await.map_err(|why| match why {
            Unkept::Superseded => BusError::Taken(prefix.to_owned()),
            Unkept::Refused(why) => BusError::Journal(why),
        })?;
        let answered = Instant::now();
        match zero {
            None => {
                writer.epoch = answered;
                writer.forget_what_was_before().await;
            }
            Some(zero) => {
                let middle = asked + (answered - asked) / 2;
                let age = writer.written_at(writer.last).await?.duration_since(zero);
                let epoch = middle.checked_sub(age.unwrap_or_default());
                let too_old = || BusError::Journal("the clock of NATS was set back".to_owned());
                writer.epoch = epoch.ok_or_else(too_old)?;
            }
        }
        Ok(writer)
    }

    /// When the clock of the controller showed nothing.
    pub(super) fn epoch(&self) -> Instant {
        self.epoch
    }

    /// When it has written last.
    pub(super) fn last_entry(&self) -> LastEntry {
        self.last_entry.clone()
    }

    /// Writes a record.
    pub(super) async fn record(&mut self, mut record: Bytes) -> Result<(), Unkept> {
        loop {
            let bytes = record.split_to(record.len().min(PIECE));
            let goes_on = !record.is_empty();
            self.write(What::Piece { bytes, goes_on }).await?;
            if !goes_on {
                return Ok(());
            }
        }
    }

    /// Writes that the controller is there.
    pub(super) async fn alive(&mut self) -> Result<(), Unkept> {
        self.write(What::Alive).await
    }

    async fn write(&mut self, what: What) -> Result<(), Unkept> {
        let at = Some(self.epoch.elapsed());
        self.append(&Entry { at, what }).await
    }

    async fn append(&mut self, entry: &Entry) -> Result<(), Unkept> {
        self.count += 1;
        let name = format!("{:016x}-{}", self.name, self.count);
        let payload = encode(entry);
        let mut refused_since = None;
        loop {
            self.stood_still |= self.tried.elapsed() > SILENT;
            self.tried = Instant::now();
            match self.publish(&name, payload.clone()).await {
                Ok(number) => {
                    self.last = number;
                    self.last_entry.is_written();
                    self.stood_still = false;
                    return Ok(());
                }
                Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => {
                    // It may have been kept, and only the word of that been lost.
                    if self.is_last(&name).await? {
                        return Ok(());
                    }
                    // A cluster that is without a leader for a while may have taken it for kept.
                    let since = *refused_since.get_or_insert_with(Instant::now);
                    if since.elapsed() > LEADERLESS {
                        return Err(Unkept::Refused(error.to_string()));
                    }
                    sleep(AGAIN).await;
                }
                Err(error) if error.kind() == PublishErrorKind::Other => {
                    return Err(Unkept::Refused(error.to_string()));
                }
                Err(error) => {
                    let client = self.store.context.client();
                    let is_connected = client.connection_state() == State::Connected;
                    let is_absent = error.kind() == PublishErrorKind::StreamNotFound;
                    // Whoever led meanwhile may have come to the end of the run.
                    if is_connected && is_absent && self.stood_still && self.is_removed().await {
                        return Err(Unkept::Superseded);
                    }
                    // A server that cannot be reached keeps nothing for anybody else either.
                    refused_since = (is_connected && is_absent)
                        .then(|| refused_since.unwrap_or_else(Instant::now));
                    if refused_since.is_some_and(|since: Instant| since.elapsed() > LEADERLESS) {
                        return Err(Unkept::Refused(error.to_string()));
                    }
                    sleep(AGAIN).await;
                }
            }
        }
    }

    async fn publish(&self, name: &str, payload: Bytes) -> Result<u64, PublishError> {
        let late = |_| PublishError::new(PublishErrorKind::TimedOut);
        let message = PublishMessage::build()
            .payload(payload)
            .message_id(name)
            .expected_last_sequence(self.last);
        let context = &self.store.context;
        let published = async {
            let acknowledged = context.send_publish(self.store.subject.clone(), message);
            acknowledged.await?.await
        };
        let acknowledged = timeout(PATIENCE, published).await.map_err(late)??;
        Ok(acknowledged.sequence)
    }

    /// Whether there is no journal any more.
    async fn is_removed(&self) -> bool {
        let stream = self.store.context.get_stream(&self.store.stream).await;
        stream.is_err_and(|error| is_absent(&error))
    }

    /// Whether the last entry is the one of this name; it is not if the last is still the one before.
    async fn is_last(&mut self, name: &str) -> Result<bool, Unkept> {
        loop {
            let stream = self.store.context.get_stream(&self.store.stream).await;
            if let Ok(stream) = stream {
                let last = stream.cached_info().state.last_sequence;
                match last.cmp(&self.last) {
                    // The stream is another one, which somebody else has made.
                    Ordering::Less => return Err(Unkept::Superseded),
                    Ordering::Equal => return Ok(false),
                    Ordering::Greater => {}
                }
                if let Ok(message) = stream.get_raw_message(last).await {
                    let id = message.headers.get("Nats-Msg-Id");
                    if id.is_none_or(|id| id.as_str() != name) {
                        return Err(Unkept::Superseded);
                    }
                    self.last = last;
                    self.last_entry.is_written();
                    return Ok(true);
                }
            }
            sleep(AGAIN).await;
        }
    }

    /// When NATS has taken an entry.
    async fn written_at(&self, number: u64) -> Result<SystemTime, BusError> {
        let broken = |error: &dyn std::fmt::Display| BusError::Journal(error.to_string());
        let stream = self.store.context.get_stream(&self.store.stream).await;
        let stream = stream.map_err(|error| broken(&error))?;
        let message = stream.get_raw_message(number).await;
        Ok(message.map_err(|error| broken(&error))?.time.into())
    }

    /// Removes the entries of other runs; the claim says that they count no more.
    async fn forget_what_was_before(&self) {
        // A server that is told to keep what comes from the first entry on keeps nothing.
        if self.last <= 1 {
            return;
        }
        let purge = async {
            let stream = self
                .store
                .context
                .get_stream(&self.store.stream)
                .await
                .ok()?;
            stream.purge().sequence(self.last).await.ok()
        };
        if purge.await.is_none() {
            tracing::debug!("what former controllers have kept stays on NATS");
        }
    }

    /// Removes the whole journal.
    pub(super) async fn remove(&self) {
        let removal = self.store.context.delete_stream(&self.store.stream);
        if !matches!(timeout(PATIENCE, removal).await, Ok(Ok(_))) {
            tracing::warn!(
                "the stream {} stays on NATS, since it could not be removed; the next controller \
                 that is started to be replaced would take its run for unfinished",
                self.store.stream
            );
        }
    }
}
