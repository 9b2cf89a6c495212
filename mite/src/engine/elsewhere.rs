//! What runners send to be kept on other machines, as the controller hears of it.

use std::collections::BTreeMap;

use super::archive::{lost, warning};
use crate::{
    link::{
        Sent, SentEvents, SentItems,
        nats::{Keepers, Over},
    },
    report::{CollectSummary, RecordSummary, Report, Suspicion, human},
};

/// What runners have sent, added up.
pub(super) struct Elsewhere {
    keepers: Keepers,
    events: SentEvents,
    recorded: BTreeMap<String, SentItems>,
    failures: Vec<String>,
}

/// The same when all have told.
pub(super) struct SentAway {
    /// The stream that events went to, if they were to be collected.
    stream: Option<String>,
    events: SentEvents,
    recorded: BTreeMap<String, SentItems>,
    failures: Vec<String>,
}

impl Elsewhere {
    pub(super) fn new(keepers: Keepers) -> Self {
        Self {
            keepers,
            events: SentEvents::default(),
            recorded: BTreeMap::new(),
            failures: Vec::new(),
        }
    }

    /// A runner has told what became of what it sent.
    pub(super) fn hear(&mut self, sent: Sent) {
        if let Some(events) = sent.events {
            self.events.events += events.events;
            self.events.missing += events.missing;
            self.events.bytes += events.bytes;
        }
        for (name, items) in sent.recorded {
            let sum = self.recorded.entry(name).or_default();
            sum.items += items.items;
            sum.missing += items.missing;
        }
        for failure in sent.failures {
            if !self.failures.contains(&failure) {
                self.failures.push(failure);
            }
        }
    }

    /// Tells collectors that the run is over.
    pub(super) async fn finish(self) -> SentAway {
        let collect = self.keepers.keeping.collect.as_ref();
        let stream = collect.map(|collect| collect.stream.clone());
        let over = Over {
            run: self.keepers.keeping.run,
            events: self.events.events,
            missing: self.events.missing,
        };
        self.keepers.tell_over(over).await;
        SentAway {
            stream,
            events: self.events,
            recorded: self.recorded,
            failures: self.failures,
        }
    }
}

impl SentAway {
    /// Puts into the report what became of it, and says what was not sent.
    pub(super) fn tell(self, report: &mut Report) -> Vec<String> {
        let mut unsent = Vec::new();
        if let Some(stream) = self.stream {
            if self.events.missing > 0 {
                let suspicion = gap(self.events, &stream);
                unsent.push(suspicion.message.clone());
                report.generator.suspicions.push(suspicion);
            }
            report.collected = Some(CollectSummary {
                stream: Some(stream),
                events: self.events.events,
                missing: self.events.missing,
                bytes: self.events.bytes,
                ..CollectSummary::default()
            });
        }
        for (name, items) in &self.recorded {
            if items.missing > 0 {
                let suspicion = lost(name, items.items, items.missing, "the stream");
                unsent.push(suspicion.message.clone());
                report.generator.suspicions.push(suspicion);
            }
        }
        let recorded = self.recorded.into_iter();
        report.recorded = recorded
            .map(|(name, items)| RecordSummary {
                name,
                items: items.items,
                missing: items.missing,
            })
            .collect();
        unsent.extend(self.failures);
        unsent
    }
}

fn gap(events: SentEvents, stream: &str) -> Suspicion {
    let all = events.events + events.missing;
    let share = events.missing as f64 / all.max(1) as f64;
    warning(
        "collect_gap",
        share,
        format!(
            "{} of {} ({}) never were in the stream {stream}: it had no room for them or could not \
             be reached, or a worker that was left behind had them. The load and all other numbers \
             are as they should be; records of type gap say where events are missing. Give the \
             stream more room (--stream-size), or have more collectors.",
            human::count(events.missing),
            human::plural(all, "event"),
            human::percent(share),
        ),
    )
}
