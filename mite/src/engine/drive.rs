//! The controller's driver: carries its words to runners, pools and whoever is told of the run, and
//! theirs to it.

use std::time::Duration;

use tokio::{
    sync::mpsc::UnboundedReceiver,
    time::{MissedTickBehavior, interval},
};

use super::{
    Run, RunError, Settings, Stop,
    archive::Archive,
    audience::{Audience, Ending, Invited, Programme},
    muster::{LookedAt, Muster, muster},
    pools::{Answer, Pools},
    preparation::{Checked, prepare, tear_down, unless_stopped},
    suspect::Watch,
};
use crate::{
    clock::RunClock,
    controller::{Action, Controller, ControllerEntry, ControllerSettings, StopCause},
    id::RunnerId,
    link::{self, ControllerEnd, Message},
    report::Report,
    runner::RunnerEntry,
    scenario::{Entry, Hook, Scenario},
    serve::{Question, Volume},
};

/// How often the controller is told the time.
const TICK: Duration = Duration::from_millis(50);

/// Runs a scenario on this thread's runtime.
pub(super) async fn drive(run: Run) -> Result<Report, RunError> {
    let Run {
        mut scenario,
        mut settings,
        observer,
        tap,
        stop,
        mut stops,
        served,
    } = run;
    let checked = Checked::new(&scenario, &settings, stop, served)?;
    let preparation = prepare(
        scenario.setup.take(),
        scenario.base_url.take(),
        scenario.http.take(),
        &mut scenario.entries,
        &mut settings.config,
    );
    unless_stopped(&mut stops, preparation).await?;

    let Scenario {
        entries,
        warm_up,
        teardown,
        thresholds,
        ..
    } = scenario;
    let (runner_entries, controller_entries, pools) = split(entries);
    let telemetry = checked.telemetry;
    let archive = checked.files.start(&settings)?;
    let looked_at = LookedAt {
        tap: archive.tap(tap),
        keep: archive.keep(),
    };
    let mustering = muster(
        &settings,
        runner_entries,
        checked.metrics,
        looked_at,
        telemetry,
    );
    let Muster {
        link,
        clock,
        runners,
        begin,
        telemetry,
    } = unless_stopped(&mut stops, mustering).await?;
    let controller = Controller::new(
        ControllerSettings {
            entries: controller_entries,
            thresholds: checked.thresholds,
            duration: settings.duration,
            graceful_stop: settings.graceful_stop,
            warm_up,
        },
        runners.iter().cloned(),
    );
    let invited = Invited {
        observer,
        sinks: checked.sinks,
        dashboard: checked.dashboard,
        telemetry,
    };
    let programme = Programme {
        settings: &settings,
        clock,
        controller: &controller,
        runners: &runners,
        warm_up,
        thresholds,
    };
    let mut driver = Driver {
        audience: Audience::begin(invited, programme)?,
        controller,
        clock,
        link,
        begin,
        pools,
        archive,
        stopping: None,
        watch: Watch::start(),
    };
    driver.run(&mut stops).await;
    driver.finish(teardown, settings, &mut stops).await
}

/// The parts of a run while it goes on.
struct Driver {
    controller: Controller,
    clock: RunClock,
    link: ControllerEnd,
    /// What the controller's clock showed at the beginning; runners on other machines are told.
    begin: Option<Duration>,
    pools: Pools,
    audience: Audience,
    archive: Archive,
    stopping: Option<Duration>,
    watch: Watch,
}

impl Driver {
    async fn run(&mut self, stops: &mut UnboundedReceiver<Stop>) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        while !self.controller.is_finished() {
            let actions = tokio::select! {
                _ = ticks.tick() => self.controller.tick(self.clock.elapsed()),
                Some(heard) = self.link.receive() => self.hear(heard.runner, heard.message),
                Some(answer) = self.pools.answer() => self.supply(answer),
                Some(stop) = stops.recv() => self.stop(stop),
                Some(question) = self.audience.question() => self.answer(question),
            };
            for action in actions {
                self.act(action);
            }
        }
        for action in self.controller.close() {
            self.act(action);
        }
    }

    /// Does what comes after the last journey, and tells everybody how it was.
    async fn finish(
        mut self,
        teardown: Option<Hook>,
        mut settings: Settings,
        stops: &mut UnboundedReceiver<Stop>,
    ) -> Result<Report, RunError> {
        let figures = self.watch.finish();
        for (entry, error) in self.pools.close().await {
            let why = error.to_string();
            self.controller
                .pool_broke(self.clock.elapsed(), entry, &why);
        }
        let mut outcome = self.controller.finish(self.clock.elapsed());
        // Whoever is still there is not needed any more.
        drop(self.link);
        let torn_down = tear_down(teardown, &mut settings.config, stops).await;
        outcome.ending.broken.extend(torn_down.err());
        let archived = self.archive.finish();
        let ending = Ending {
            outcome,
            figures,
            archived,
        };
        self.audience.end(&settings, ending, stops).await
    }

    fn hear(&mut self, runner: RunnerId, message: Message) -> Vec<Action> {
        if let (Some(at), Message::Hello(_)) = (self.begin, &message) {
            self.link.send(runner, link::Order::Begin { at });
        }
        self.controller.hear(self.clock.elapsed(), runner, message)
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Send { runner, order } => {
                if let link::Order::Drain { at } = order {
                    self.stopping = Some(at);
                }
                self.link.send(runner, order);
            }
            Action::Draw { entry, want } => self.pools.draw(entry, want),
            Action::Checkin { entry, items, used } => self.pools.check_in(entry, items, used),
            Action::Show(second) => {
                for news in self.archive.news() {
                    self.audience.note(&news);
                }
                let (controller, watch) = (&self.controller, &self.watch);
                self.audience
                    .second(&second, controller, watch, self.stopping);
            }
            Action::Note(note) => self.audience.note(&note),
        }
    }

    fn supply(&mut self, answer: Answer) -> Vec<Action> {
        let now = self.clock.elapsed();
        match answer.block {
            Ok(block) => self
                .controller
                .supply(now, answer.entry, block.items, block.exhausted),
            Err(error) => self
                .controller
                .pool_broke(now, answer.entry, &error.to_string()),
        }
    }

    fn stop(&mut self, stop: Stop) -> Vec<Action> {
        let now = self.clock.elapsed();
        match stop {
            Stop::Gracefully => self.controller.stop(now),
            Stop::Now => self.controller.cut(now, StopCause::Interrupted),
            Stop::AtFailure => self.controller.cut(now, StopCause::FirstFailure),
        }
    }

    /// Answers whoever looks at the run from outside, or wants something of it.
    fn answer(&mut self, question: Question) -> Vec<Action> {
        match question {
            Question::Look(answer) => {
                // Who has gone away meanwhile needs nothing to be put together.
                if !answer.is_closed() {
                    let figures = self.watch.so_far();
                    let stopping = self.stopping.is_some();
                    let _ = answer.send(self.audience.moment(&self.controller, figures, stopping));
                }
                Vec::new()
            }
            Question::Volume(factor, answer) => {
                let now = self.clock.elapsed();
                let adjustable = self.controller.volume().adjustable;
                let change = factor.map(|factor| self.controller.change_volume(now, factor));
                let factor = self.controller.volume().factor;
                let _ = answer.send(Volume { adjustable, factor });
                change.unwrap_or_default()
            }
        }
    }
}

/// What the runner, the controller and the pools each need of the entries.
fn split(entries: Vec<Entry>) -> (Vec<RunnerEntry>, Vec<ControllerEntry>, Pools) {
    let mut runner = Vec::with_capacity(entries.len());
    let mut controller = Vec::with_capacity(entries.len());
    let mut pools = Vec::with_capacity(entries.len());
    for Entry {
        journey,
        pool,
        volume,
    } in entries
    {
        let policy = pool.policy();
        runner.push(RunnerEntry { journey, policy });
        controller.push(ControllerEntry {
            journey: journey.name().to_owned(),
            volume,
            policy,
        });
        pools.push(pool);
    }
    (runner, controller, Pools::start(pools))
}
