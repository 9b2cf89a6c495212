//! What a runner sends to be kept elsewhere: its events, and what its journeys record.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use bytes::Bytes;
use tokio::{
    runtime::Builder,
    sync::{oneshot, watch},
};

use super::RunError;
use crate::{
    archive::{Outbox, OutboxOutgoing, Relay, Sender, Shipment},
    clock::RunClock,
    config::Config,
    event::Keep,
    link::{
        Sent, SentEvents, SentItems,
        nats::{self, Assignment, Letter, Options, Outgoing, Stream},
    },
    runner::{SentSource, TapFactory},
};

/// The way of a runner to collectors and the recorder, as far as there are any.
pub(super) struct Sending {
    relay: Option<Arc<Relay>>,
    outbox: Option<Arc<Outbox>>,
    closing: watch::Sender<bool>,
    over: oneshot::Receiver<()>,
}

impl Sending {
    /// Starts the thread that sends, if there is anything to be sent.
    ///
    /// # Errors
    /// When it cannot be started, or nobody knows the form in which events are wanted.
    pub(super) fn start(
        options: &Options,
        assignment: &Assignment,
        runner: u32,
    ) -> Result<Self, RunError> {
        let name = fastrand::u64(..);
        let sender = Sender {
            run: assignment.keeping.run,
            test: assignment.scenario.clone(),
            runner,
            name,
        };
        let bytes = |waiting: u64| usize::try_from(waiting).unwrap_or(usize::MAX);
        let relay = assignment.keeping.collect.as_ref();
        let relay =
            relay.map(|collect| Relay::new(sender, &collect.format, bytes(collect.waiting)));
        let (relay, shipment) = relay.transpose().map_err(RunError::Link)?.unzip();
        let record = assignment.keeping.record.as_ref();
        let (outbox, outgoing) = record
            .map(|record| Outbox::new(bytes(record.waiting)))
            .unzip();
        let (closing, closes) = watch::channel(false);
        let (done, over) = oneshot::channel();
        if relay.is_some() || outbox.is_some() {
            let options = options.clone();
            let runtime = Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(RunError::Thread)?;
            thread::Builder::new()
                .name("mite-sender".to_owned())
                .spawn(move || {
                    // It is dropped, and says so, when all is sent.
                    let _done: oneshot::Sender<()> = done;
                    runtime.block_on(send(&options, name, shipment, outgoing, closes));
                })
                .map_err(RunError::Thread)?;
        }
        Ok(Self {
            relay: relay.map(Arc::new),
            outbox: outbox.map(Arc::new),
            closing,
            over,
        })
    }

    /// Who looks at every event, if somebody collects them.
    pub(super) fn tap(&self) -> Option<TapFactory> {
        let taps = self.relay.as_ref()?.taps();
        Some(Arc::new(move |config: &Config, clock: RunClock| {
            taps(config, clock.started_at())
        }))
    }

    /// Who keeps what journeys record.
    pub(super) fn keep(&self) -> Arc<dyn Keep> {
        match &self.outbox {
            Some(outbox) => outbox.clone(),
            None => Arc::new(NoRecorder),
        }
    }

    /// Tells at the end what became of all.
    pub(super) fn sent(self) -> Option<SentSource> {
        if self.relay.is_none() && self.outbox.is_none() {
            return None;
        }
        let Self {
            relay,
            outbox,
            closing,
            over,
        } = self;
        let over = Mutex::new(Some(over));
        Some(Arc::new(move || {
            closing.send_replace(true);
            let (relay, outbox) = (relay.clone(), outbox.clone());
            if let Some(relay) = &relay {
                relay.close();
            }
            if let Some(outbox) = &outbox {
                outbox.close();
            }
            let over = over.lock().unwrap_or_else(PoisonError::into_inner).take();
            Box::pin(async move {
                if let Some(over) = over {
                    let _ = over.await;
                }
                told(relay.as_deref(), outbox.as_deref())
            })
        }))
    }
}

fn told(relay: Option<&Relay>, outbox: Option<&Outbox>) -> Sent {
    let events = relay.map(Relay::relayed).map(|relayed| SentEvents {
        events: relayed.events,
        missing: relayed.missing,
        bytes: relayed.bytes,
    });
    let Some((names, trouble)) = outbox.map(Outbox::sent) else {
        return Sent {
            events,
            ..Sent::default()
        };
    };
    let recorded = names.into_iter().map(|name| {
        let (items, missing) = (name.items, name.missing);
        (name.name, SentItems { items, missing })
    });
    Sent {
        events,
        recorded: recorded.collect::<BTreeMap<_, _>>(),
        failures: trouble.into_iter().collect(),
    }
}

async fn send(
    options: &Options,
    name: u64,
    shipment: Option<Shipment>,
    outgoing: Option<OutboxOutgoing>,
    closes: watch::Receiver<bool>,
) {
    let events = async {
        if let Some(shipment) = shipment {
            let events = Events(shipment);
            let sent = nats::deliver(options, Stream::Events, name, events, closes.clone()).await;
            complain(sent);
        }
    };
    let items = async {
        if let Some(outgoing) = outgoing {
            let items = Items(outgoing);
            let sent = nats::deliver(options, Stream::Recorded, name, items, closes.clone()).await;
            complain(sent);
        }
    };
    tokio::join!(events, items);
}

fn complain(sent: Result<(), nats::BusError>) {
    if let Err(error) = sent {
        tracing::error!("nothing can be sent to be kept: {error}");
    }
}

/// Where letters with events come from.
struct Events(Shipment);

impl Outgoing for Events {
    async fn next(&mut self, most: usize) -> Option<Letter> {
        let parcel = self.0.next(most).await?;
        Some(Letter {
            number: parcel.number,
            bytes: encoded(&parcel),
        })
    }

    fn arrived(&mut self) {
        self.0.arrived();
    }

    fn lost(&mut self, why: &str) {
        tracing::warn!("events are missing: {why}");
        self.0.lost();
    }
}

/// Where letters with recorded items come from.
struct Items(OutboxOutgoing);

impl Outgoing for Items {
    async fn next(&mut self, most: usize) -> Option<Letter> {
        let (number, notes) = self.0.next(most).await?;
        Some(Letter {
            number,
            bytes: encoded(&notes),
        })
    }

    fn arrived(&mut self) {
        self.0.arrived();
    }

    fn lost(&mut self, why: &str) {
        self.0.lost(why);
    }
}

fn encoded(what: &impl serde::Serialize) -> Bytes {
    // No type of ours fails to have a form.
    rmp_serde::to_vec_named(what).unwrap_or_default().into()
}

/// Keeps nothing, and says why.
struct NoRecorder;

const NO_RECORDER: &str = "nobody records: when the run began there was no recorder; start the \
                           command recorder with the same --nats before the controller";

impl Keep for NoRecorder {
    fn keep(&self, _: &str, _: Vec<u8>) -> Result<(), String> {
        Err(NO_RECORDER.to_owned())
    }

    fn purge(&self, _: &str) -> Result<(), String> {
        Err(NO_RECORDER.to_owned())
    }
}
