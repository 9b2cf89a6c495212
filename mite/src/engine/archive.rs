//! What a run writes down beside its report: the events it collects, and what its journeys record.

use std::{path::PathBuf, sync::Arc, time::Duration};

#[cfg(feature = "nats")]
use super::elsewhere::{Elsewhere, SentAway};
use super::{Run, RunError, Settings};
use crate::{
    archive::{ArchiveError, Collected, Collector, Kept, Ready, Recorder},
    clock::RunClock,
    config::Config,
    event::{Event, Exchange, Keep, Tap},
    report::{Cause, CollectSummary, RecordSummary, Report, Suspicion, human},
    runner::TapFactory,
};

/// The number of the runner of this process.
const RUNNER: u32 = 0;

/// What is written down beside the reports.
impl Run {
    /// Collects every event of the run, warm-up included, in files of this directory, which is made
    /// if it is not there: each end of a journey, a transaction and a request, each failure, and what
    /// journeys [send](crate::Context::send). The default is to collect nothing.
    ///
    /// What is in the files, and how they are named, is told in `docs/collecting.md`. A disk that is
    /// too slow changes nothing about the load: what it does not take is missing, is counted, and a
    /// record of type `gap` stands in its place; the run ends with [`RunError::NotWritten`] then.
    ///
    /// ```no_run
    /// # use mite::{Run, Scenario};
    /// # async fn test(scenario: Scenario) -> mite::Result {
    /// let report = Run::new(scenario).collect("target/events").execute().await?;
    /// assert_eq!(report.collected.expect("events were to be collected").missing, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn collect(mut self, directory: impl Into<PathBuf>) -> Self {
        self.settings.collect.directory = Some(directory.into());
        self
    }

    /// The form of collected events: `msgpack` or `jsonl`. The default is `msgpack`.
    pub fn collect_format(mut self, format: impl Into<String>) -> Self {
        self.settings.collect.format = format.into();
        self
    }

    /// So many bytes a file of collected events has before the next one is begun. The default is
    /// 256 MiB.
    pub fn collect_roll_size(mut self, bytes: u64) -> Self {
        self.settings.collect.roll_size = bytes;
        self
    }

    /// So long a file of collected events is written before the next one is begun. The default is
    /// an hour.
    pub fn collect_roll_time(mut self, time: Duration) -> Self {
        self.settings.collect.roll_time = time;
        self
    }

    /// Lets journeys [record](crate::Context::record) what a later run is to use, into files of this
    /// directory, which is made if it is not there. The default is to let none: recording fails.
    ///
    /// When something that was recorded could not be written the run ends with
    /// [`RunError::NotWritten`].
    pub fn record(mut self, directory: impl Into<PathBuf>) -> Self {
        self.settings.record = Some(directory.into());
        self
    }
}

/// What has been found to be writable before anything begins.
pub(super) struct Files {
    collector: Option<Ready>,
    recorder: Option<Recorder>,
}

impl Files {
    /// Opens what there is to write.
    ///
    /// # Errors
    /// When it cannot be written, or there is no runner here whose events it could be.
    pub(super) fn open(settings: &Settings) -> Result<Self, RunError> {
        #[cfg(feature = "nats")]
        if settings.bus.is_some()
            && (settings.collect.directory.is_some() || settings.record.is_some())
        {
            return Err(RunError::Option(
                "--collect and --record write down what the runner of this process does, and the \
                 runners of this test are elsewhere; start the command collector or recorder with \
                 the same --nats instead, which takes the directory"
                    .to_owned(),
            ));
        }
        Ok(Self {
            collector: Ready::open(&settings.collect)?,
            recorder: settings
                .record
                .as_deref()
                .map(Recorder::start)
                .transpose()?,
        })
    }

    /// Begins to write.
    pub(super) fn start(self, settings: &Settings) -> Result<Archive, RunError> {
        let start = |ready: Ready| ready.start(&settings.name, RUNNER);
        let collector = self.collector.map(start).transpose();
        Ok(Archive {
            collector: collector.map_err(RunError::Thread)?,
            recorder: self.recorder.map(Arc::new),
            #[cfg(feature = "nats")]
            elsewhere: None,
        })
    }
}

/// What writes while the run goes on.
pub(super) struct Archive {
    collector: Option<Collector>,
    recorder: Option<Arc<Recorder>>,
    /// What runners on other machines send to be kept.
    #[cfg(feature = "nats")]
    pub(super) elsewhere: Option<Elsewhere>,
}

impl Archive {
    /// Who looks at every event, beside whoever does already.
    pub(super) fn tap(&self, other: Option<TapFactory>) -> Option<TapFactory> {
        let Some(collector) = &self.collector else {
            return other;
        };
        let collect = collector.taps();
        Some(Arc::new(move |config: &Config, clock: RunClock| {
            let one = collect(config, clock.started_at());
            match &other {
                Some(other) => Box::new(Both(one, other(config, clock))),
                None => one,
            }
        }))
    }

    /// Who keeps what journeys record.
    pub(super) fn keep(&self) -> Option<Arc<dyn Keep>> {
        let recorder = self.recorder.clone()?;
        Some(recorder)
    }

    /// What has gone wrong since this was asked last.
    pub(super) fn news(&mut self) -> Vec<String> {
        let collector = self.collector.as_mut().map(Collector::news);
        let recorder = self.recorder.as_ref().map(|recorder| recorder.news());
        [collector, recorder]
            .into_iter()
            .flatten()
            .flatten()
            .collect()
    }

    /// Waits until all is written. The workers are gone.
    pub(super) async fn finish(self) -> Archived {
        #[cfg(feature = "nats")]
        let sent = match self.elsewhere {
            Some(elsewhere) => Some(elsewhere.finish().await),
            None => None,
        };
        Archived {
            #[cfg(feature = "nats")]
            sent,
            collected: self.collector.map(Collector::finish),
            kept: self.recorder.map(|recorder| recorder.finish()),
        }
    }
}

/// What was written.
pub(super) struct Archived {
    #[cfg(feature = "nats")]
    sent: Option<SentAway>,
    collected: Option<Collected>,
    kept: Option<Kept>,
}

impl Archived {
    /// Puts into the report what became of it, and says what could not be written.
    pub(super) fn tell(self, settings: &Settings, report: &mut Report) -> Vec<String> {
        #[cfg(feature = "nats")]
        if let Some(sent) = self.sent {
            return sent.tell(report);
        }
        let mut unwritten = Vec::new();
        if let (Some(collected), Some(into)) = (self.collected, &settings.collect.directory) {
            let directory = into.display().to_string();
            report.collected = Some(CollectSummary {
                directory: Some(settings.config.mask(&directory)),
                stream: None,
                events: collected.events,
                missing: collected.missing,
                files: Some(collected.files),
                bytes: collected.bytes,
            });
            if collected.missing > 0 {
                let suspicion = gap(&collected, &directory);
                unwritten.push(suspicion.message.clone());
                report.generator.suspicions.push(suspicion);
            }
            unwritten.extend(collected.failures);
        }
        let Some(kept) = self.kept else {
            return unwritten;
        };
        for name in &kept.names {
            if name.missing > 0 {
                let suspicion = lost(&name.name, name.items, name.missing, "the disk");
                unwritten.push(suspicion.message.clone());
                report.generator.suspicions.push(suspicion);
            }
        }
        report.recorded = (kept.names.into_iter())
            .map(|row| RecordSummary {
                name: row.name,
                items: row.items,
                missing: row.missing,
            })
            .collect();
        unwritten.extend(kept.failures);
        unwritten
    }
}

fn gap(collected: &Collected, directory: &str) -> Suspicion {
    let all = collected.events + collected.missing;
    let share = collected.missing as f64 / all.max(1) as f64;
    warning(
        "collect_gap",
        share,
        format!(
            "{} of {} ({}) are not in the files of {directory}: the disk took them too slowly or \
             not at all, or a worker that was left behind had them. The load and all other numbers are as they should be; records of type gap \
             say where events are missing. Collect onto a faster or larger disk.",
            human::count(collected.missing),
            human::plural(all, "event"),
            human::percent(share),
        ),
    )
}

/// Items are missing, since something did not take them.
pub(super) fn lost(name: &str, items: u64, missing: u64, by: &str) -> Suspicion {
    let share = missing as f64 / (items + missing).max(1) as f64;
    warning(
        "record_lost",
        share,
        format!(
            "{} of {} that journeys recorded as {name} are in no file: {by} did not take them.",
            human::count(missing),
            human::plural(items + missing, "item"),
        ),
    )
}

pub(super) fn warning(name: &str, value: f64, message: String) -> Suspicion {
    Suspicion {
        name: name.to_owned(),
        value,
        limit: 0.0,
        invalid: false,
        cause: Cause::Generator,
        message,
    }
}

impl From<ArchiveError> for RunError {
    fn from(error: ArchiveError) -> Self {
        RunError::Option(error.to_string())
    }
}

/// Two who look at everything.
struct Both(Box<dyn Tap>, Box<dyn Tap>);

impl Tap for Both {
    fn event(&mut self, event: &Event<'_>, run: u64) {
        self.0.event(event, run);
        self.1.event(event, run);
    }

    fn wants_exchanges(&self) -> bool {
        self.0.wants_exchanges() || self.1.wants_exchanges()
    }

    fn exchange(&mut self, exchange: Exchange) {
        let Self(one, other) = self;
        match (one.wants_exchanges(), other.wants_exchanges()) {
            (true, true) => {
                one.exchange(exchange.clone());
                other.exchange(exchange);
            }
            (true, false) => one.exchange(exchange),
            (false, true) => other.exchange(exchange),
            (false, false) => {}
        }
    }

    fn flush(&mut self) {
        self.0.flush();
        self.1.flush();
    }
}
