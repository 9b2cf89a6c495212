//! Who leads a run, and what the controller before him has left behind.

use std::{
    hash::{Hash, Hasher},
    vec::IntoIter,
};

use bytes::Bytes;
use rustc_hash::FxHasher;

use super::{Batch, Beginning, Ledger, Record};
use crate::{
    config::Config,
    engine::{RunError, Settings},
    link::{
        decode, encode,
        nats::{
            BusError,
            journal::{self, ABANDONED, Decision, Found, Journal, Turn},
        },
    },
    report::human,
    scenario::Scenario,
};

/// What a controller is to begin with.
#[derive(Default)]
pub(in crate::engine) struct Succession {
    /// Where it writes down what happens, if it does.
    pub(in crate::engine) journal: Option<Journal>,
    /// The run it goes on with.
    pub(in crate::engine) past: Option<Past>,
    /// What the run is made of.
    pub(in crate::engine) plan: Vec<(String, String)>,
}

/// A run that another controller has begun.
pub(in crate::engine) struct Past {
    pub(in crate::engine) beginning: Box<Beginning>,
    records: IntoIter<Bytes>,
}

impl Succession {
    /// Takes over what the run was begun with, if it was; whether that is so.
    pub(in crate::engine) fn restore(&self, settings: &mut Settings) -> bool {
        let Some(Past { beginning, .. }) = &self.past else {
            return false;
        };
        settings.config = beginning.config.clone();
        settings.seed = beginning.seed;
        settings.run.clone_from(&beginning.run);
        true
    }

    /// Where what happens is written down from now on, and what has happened.
    pub(in crate::engine) fn split(self) -> (Ledger, Option<Past>) {
        (Ledger::new(self.journal), self.past)
    }
}

impl Past {
    /// What happened next.
    ///
    /// # Errors
    /// When it cannot be read: going on without it would be going on with another run.
    pub(in crate::engine) fn next(&mut self) -> Result<Option<Batch>, RunError> {
        let Some(record) = self.records.next() else {
            return Ok(None);
        };
        match decode::<Record>(&record) {
            Some(Record::Batch(batch)) => Ok(Some(batch)),
            Some(Record::Begin(_)) | None => Err(RunError::Link(
                "the run that was broken off cannot be gone on with: what was kept of it cannot \
                 be read; was it kept by another version of this program?"
                    .to_owned(),
            )),
        }
    }
}

/// Waits for its turn, if the run is to be one that can be taken over.
///
/// # Errors
/// When NATS cannot keep anything, another controller leads, or the run stood by for is over.
pub(in crate::engine) async fn succession(
    settings: &Settings,
    scenario: &Scenario,
) -> Result<Succession, RunError> {
    let Some(bus) = settings.bus.as_ref().filter(|bus| bus.durable) else {
        return Ok(Succession::default());
    };
    let plan = plan(settings, scenario);
    loop {
        let link = |error: BusError| RunError::Link(error.to_string());
        let turn = journal::open(bus.options.clone(), bus.stands_by).await;
        let mut opened = match turn.map_err(link)? {
            Turn::Over => return Err(RunError::NotNeeded),
            Turn::Lead(opened) => opened,
        };
        let past = opened.found.take().and_then(|found| past(found, &plan));
        let decision = match past {
            Some(_) => Decision::GoOn,
            None => Decision::BeginAnew,
        };
        match opened.claim(decision).await {
            Ok(journal) => {
                return Ok(Succession {
                    journal: Some(journal),
                    past,
                    plan,
                });
            }
            // Another one that stood by was quicker.
            Err(BusError::Taken(_)) if bus.stands_by => {}
            Err(error) => return Err(link(error)),
        }
    }
}

/// The run that was found, if it is the one that is to be run.
fn past(found: Found, plan: &[(String, String)]) -> Option<Past> {
    let mut records = found.records.into_iter();
    let Some(Record::Begin(beginning)) = decode(&records.next()?) else {
        return None;
    };
    let first = beginning.plan.first();
    let name = first.map(|(_, name)| name.clone()).unwrap_or_default();
    if found.age > ABANDONED {
        let age = human::span(found.age);
        tracing::warn!("a run of {name} was broken off {age} ago; it is not gone on with");
        return None;
    }
    let theirs = &beginning.plan;
    let differs = plan.iter().find(|ours| !theirs.contains(ours));
    if let Some((what, _)) = differs {
        tracing::warn!(
            "a run of {name} was broken off that had another {what}; it is not gone on with"
        );
        return None;
    }
    Some(Past { beginning, records })
}

/// What a run is made of, as far as it has to be the same to be gone on with.
fn plan(settings: &Settings, scenario: &Scenario) -> Vec<(String, String)> {
    let entries = scenario.entries.iter();
    let journeys: Vec<_> = entries
        .map(|entry| {
            let duration = entry.volume.duration();
            format!("{} {duration:?}", entry.journey.name())
        })
        .collect();
    let named = |name: &str, value: String| (name.to_owned(), value);
    vec![
        named("scenario", settings.name.clone()),
        named("list of journeys", journeys.join(", ")),
        named("--threshold", scenario.thresholds.join("; ")),
        named("warm-up", format!("{:?}", scenario.warm_up)),
        named("--duration", format!("{:?}", settings.duration)),
        named("--graceful-stop", format!("{:?}", settings.graceful_stop)),
        named("--spawn-rate", settings.spawn_rate.to_string()),
        named(
            "--max-start-delay",
            format!("{:?}", settings.max_start_delay),
        ),
        named("--config", digest(&settings.config).to_string()),
    ]
}

fn digest(config: &Config) -> u64 {
    let mut hasher = FxHasher::default();
    encode(config).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::link::nats::Keeping;

    #[test]
    fn what_cannot_be_read_is_not_left_out() {
        let beginning = Beginning {
            plan: Vec::new(),
            config: Config::default(),
            seed: 0,
            run: String::new(),
            begin: Duration::ZERO,
            started_at: SystemTime::UNIX_EPOCH,
            runners: Vec::new(),
            marks: Default::default(),
            keeping: Keeping {
                run: 0,
                collect: None,
                record: None,
            },
        };
        let batch = encode(&Record::Batch(Batch::default()));
        let mut past = Past {
            beginning: Box::new(beginning),
            records: vec![batch, Bytes::from_static(b"?")].into_iter(),
        };
        assert!(past.next().is_ok_and(|batch| batch.is_some()));
        let error = past.next().unwrap_err().to_string();
        assert!(error.contains("cannot be read"), "{error}");
    }
}
