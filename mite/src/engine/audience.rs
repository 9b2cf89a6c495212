//! All who are told how a run goes: terminal, files, dashboard, OpenTelemetry and webhook.

use std::{future::pending, sync::Arc, time::Duration};

use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;

use super::{
    RunError, Settings, Stop,
    archive::Archived,
    dashboard::{self, Dashboard},
    moment::Frame,
    onlooker::Onlooker,
    outcome,
    progress::Telling,
    recording::Recording,
    suspect::Watch,
    telemetry::Telemetry,
    webhook::{Start, Webhook},
};
use crate::{
    clock::RunClock,
    controller::{Controller, Outcome, Second},
    families::Source,
    id::RunnerId,
    link::Recruit,
    report::{Observer, Report, RunInfo, Sinks},
    serve::{Moment, Question, Server},
    stats::MachineFigures,
};

/// Who is told of a run while it goes on and when it is over.
pub(super) struct Audience {
    onlooker: Option<Onlooker>,
    telling: Telling,
    sinks: Sinks,
    recording: Recording,
    server: Option<Server>,
    telemetry: Telemetry,
    webhook: Option<Webhook>,
    frame: Frame,
}

/// Those who want to be told, before the run begins.
pub(super) struct Invited {
    pub(super) observer: Option<Box<dyn Observer>>,
    pub(super) sinks: Sinks,
    pub(super) dashboard: Dashboard,
    pub(super) telemetry: Telemetry,
}

/// What there is to tell of a run before it begins.
pub(super) struct Programme<'a> {
    pub(super) settings: &'a Settings,
    pub(super) clock: RunClock,
    pub(super) controller: &'a Controller,
    /// Who runs it, each with its number of workers.
    pub(super) runners: &'a [(RunnerId, Recruit)],
    pub(super) warm_up: Duration,
    /// The thresholds as they are written.
    pub(super) thresholds: Vec<String>,
}

/// What is said by those who are told.
pub(super) enum Said {
    /// Somebody wants to know something, or to change it.
    Question(Question),
    /// The webhook has taken the start, and calls the run so if it has a name for it.
    Logged(Option<Value>),
}

/// How a run ended.
pub(super) struct Ending {
    pub(super) outcome: Outcome,
    pub(super) figures: MachineFigures,
    pub(super) archived: Archived,
}

impl Audience {
    /// Tells everybody that the run begins.
    ///
    /// # Errors
    /// When a file or a thread cannot be made.
    pub(super) fn begin(invited: Invited, programme: Programme<'_>) -> Result<Self, RunError> {
        let Invited {
            observer,
            sinks,
            mut dashboard,
            telemetry,
        } = invited;
        let Programme {
            settings,
            clock,
            controller,
            runners,
            warm_up,
            thresholds,
        } = programme;
        let watched = dashboard.is_page();
        let recorder = sinks.begin(clock.started_at(), &settings.config, watched)?;
        let batching = recorder.batches.clone();
        let recording = Recording::start(recorder)?;
        let telling = Telling::new(observer.as_ref().is_some_and(|one| one.shows_names()));
        let onlooker = observer.and_then(Onlooker::new);
        let planned = controller.planned_duration();
        if let Some(onlooker) = &onlooker {
            let info = RunInfo {
                scenario: settings.name.clone(),
                planned,
                entries: controller.entry_count(),
                runners: runners.len(),
                workers: runners
                    .iter()
                    .map(|(_, recruit)| recruit.workers as usize)
                    .sum(),
                dashboard: None,
            };
            dashboard.introduce(onlooker, info);
        }
        let webhook = settings.webhook.iter().flatten().next();
        let webhook = webhook.and_then(|address| {
            let start = Start::new(settings, clock, planned, &thresholds);
            Webhook::start(address, start, settings)
        });
        Ok(Self {
            onlooker,
            telling,
            sinks,
            recording,
            server: dashboard.server,
            telemetry,
            webhook,
            frame: Frame {
                settings: Arc::new(settings.clone()),
                clock,
                warm_up,
                planned,
                batching,
            },
        })
    }

    /// Tells of a second that is known; nothing starts any more since `stopping`.
    pub(super) fn second(
        &mut self,
        second: &Second,
        controller: &Controller,
        watch: &Watch,
        stopping: Option<Duration>,
    ) {
        if let Some(server) = &self.server {
            server.second(second.point.at.as_secs() + 1);
        }
        for failure in self.recording.second(second) {
            self.note(&failure);
        }
        let frame = &self.frame;
        let count =
            || -> Box<dyn Source> { frame.moment(controller, watch.so_far(), stopping.is_some()) };
        for news in self.telemetry.second(count) {
            self.note(&news);
        }
        if let Some(onlooker) = &self.onlooker {
            let (telling, config) = (&mut self.telling, &self.frame.settings.config);
            onlooker.progress(telling.progress(controller, second, stopping, config));
        }
    }

    /// Takes note of a second that somebody else has told of already.
    #[cfg(feature = "nats")]
    pub(super) fn recall(&mut self, second: &Second) {
        if let Some(server) = &self.server {
            server.second(second.point.at.as_secs() + 1);
        }
        for failure in self.recording.second(second) {
            self.note(&failure);
        }
    }

    /// Tells a person something.
    pub(super) fn note(&self, note: &str) {
        if let Some(onlooker) = &self.onlooker {
            onlooker.note(self.frame.settings.config.mask(note));
        }
    }

    /// Tells the webhook that the run begins, unless it has been told.
    pub(super) fn log_start(&mut self) {
        if let Some(webhook) = &mut self.webhook {
            webhook.begin();
        }
    }

    /// The webhook has taken the start, of this controller or of one before it.
    pub(super) fn is_logged(&mut self, id: Option<Value>) {
        if let Some(webhook) = &mut self.webhook {
            webhook.is_told(id);
        }
    }

    /// The run is another controller's: nobody is told of its end by this one.
    pub(super) fn fall_silent(&mut self) {
        if let Some(webhook) = self.webhook.take() {
            webhook.leave();
        }
    }

    /// What somebody says from outside.
    pub(super) async fn said(&mut self) -> Said {
        let Self {
            server, webhook, ..
        } = self;
        let logged = async {
            match webhook {
                Some(webhook) => webhook.answer().await,
                None => pending().await,
            }
        };
        tokio::select! {
            Some(question) = dashboard::question(server) => Said::Question(question),
            id = logged => Said::Logged(id),
        }
    }

    /// How the run stands.
    pub(super) fn moment(
        &self,
        controller: &Controller,
        figures: MachineFigures,
        stopping: bool,
    ) -> Box<dyn Moment> {
        self.frame.moment(controller, figures, stopping)
    }

    /// Tells everybody how the run ended, and gives the report.
    ///
    /// # Errors
    /// When a report could not be written.
    pub(super) async fn end(
        self,
        settings: &Settings,
        ending: Ending,
        stops: &mut UnboundedReceiver<Stop>,
    ) -> Result<Report, RunError> {
        let Self {
            onlooker,
            sinks,
            recording,
            server,
            telemetry,
            mut webhook,
            frame,
            ..
        } = self;
        let Ending {
            outcome,
            figures,
            archived,
        } = ending;
        let outcome = Arc::new(outcome);
        let mut report = outcome::report(settings, frame.clock, &outcome, &figures);
        let (batches, mut unwritten) = recording.finish(&outcome.unshown);
        unwritten.extend(archived.tell(settings, &mut report));
        report.batches = batches;
        if webhook.is_some() || telemetry.is_told() {
            // Others may take their time, and nobody knows how long this process has. What is wrong
            // with a file is told when it is written again.
            let _ = sinks.write(&report, &outcome.totals);
        }
        if let Some(webhook) = &mut webhook {
            report.webhook = Some(webhook.summary().await);
        }
        let last = |report| -> Box<dyn Source> {
            frame.last(Arc::clone(&outcome), figures.clone(), report)
        };
        telemetry.finish(&mut report, last, stops).await;
        // A terminal that stands still shall cost no report.
        let written = sinks.write(&report, &outcome.totals);
        unwritten.extend(written.err().map(|error| error.to_string()));
        if let Some(server) = server {
            server.over(frame.last(outcome, figures, report.clone()));
        }
        if let Some(webhook) = webhook {
            let paths = settings.report_paths();
            webhook.end(&report, paths, &unwritten, stops).await;
        }
        if let Some(onlooker) = onlooker {
            onlooker.ended(&report);
        }
        if unwritten.is_empty() {
            return Ok(report);
        }
        Err(RunError::NotWritten {
            report: Box::new(report),
            message: unwritten.join("; "),
        })
    }
}
