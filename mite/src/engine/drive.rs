//! The controller's driver: carries its words to runners, pools and whoever is told of the run, and
//! theirs to it.

#[cfg(feature = "nats")]
mod recall;

use std::{collections::VecDeque, time::Duration};

use tokio::{
    sync::{mpsc::UnboundedReceiver, oneshot},
    time::{MissedTickBehavior, interval},
};

use super::{
    Run, RunError, Settings, Stop,
    archive::Archive,
    audience::{Audience, Ending, Invited, Programme, Said},
    happening::{Happening, Supply, What},
    ledger::{Ledger, succession},
    muster::{LookedAt, Muster, muster},
    pools::Pools,
    preparation::{Checked, prepare, tear_down, unless_stopped},
    suspect::Watch,
};
#[cfg(feature = "nats")]
use super::{exports::answer_exporters, happening::Reported};
use crate::{
    clock::RunClock,
    controller::{Action, Controller, ControllerEntry, ControllerSettings, StopCause},
    id::{EntryId, RunnerId},
    link::{self, ControllerEnd, Heard, Message},
    report::Report,
    runner::RunnerEntry,
    scenario::{Entry, Hook, Scenario},
    serve::{Question, Volume},
};

/// How often the controller is told the time.
const TICK: Duration = Duration::from_millis(50);

/// How far ahead runners on other machines know what is to come: as long as they go on when nothing
/// is heard of the controller.
pub(super) const FORESIGHT: Duration = Duration::from_secs(60);

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
    let mut succession = unless_stopped(&mut stops, succession(&settings, &scenario)).await?;
    let has_begun = succession.restore(&mut settings);
    let setup = scenario.setup.take().filter(|_| !has_begun);
    let preparation = prepare(
        setup,
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
    #[cfg_attr(
        not(feature = "nats"),
        expect(unused_mut, reason = "only what is elsewhere comes later")
    )]
    let mut archive = checked.files.start(&settings)?;
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
        &mut succession,
    );
    let Muster {
        link,
        clock,
        runners,
        begin,
        telemetry,
        #[cfg(feature = "nats")]
        elsewhere,
    } = unless_stopped(&mut stops, mustering).await?;
    #[cfg(feature = "nats")]
    {
        archive.elsewhere = elsewhere;
    }
    let controller = Controller::new(
        ControllerSettings {
            entries: controller_entries,
            thresholds: checked.thresholds,
            duration: settings.duration,
            graceful_stop: settings.graceful_stop,
            warm_up,
            foresight: match begin {
                Some(_) => FORESIGHT,
                None => ControllerSettings::FORESIGHT,
            },
        },
        runners.iter().cloned(),
    );
    #[cfg(feature = "nats")]
    if let (Some(bus), Some(feed)) = (&settings.bus, checked.dashboard.feed.clone()) {
        answer_exporters(&settings, &bus.options, feed)?;
    }
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
    #[cfg_attr(not(feature = "nats"), expect(unused_variables))]
    let (ledger, past) = succession.split();
    let mut driver = Driver {
        audience: Audience::begin(invited, programme)?,
        controller,
        clock,
        link,
        begin,
        pools,
        archive,
        ledger,
        asked: VecDeque::new(),
        stopping: None,
        watch: Watch::start(),
        #[cfg(feature = "nats")]
        recalls: false,
    };
    #[cfg(feature = "nats")]
    match past {
        Some(past) => driver.recall(past).await?,
        None => driver.begin_together(),
    }
    driver.audience.log_start();
    if let Err(error) = driver.run(&mut stops).await {
        // Whoever leads now tells how it ends.
        driver.audience.fall_silent();
        return Err(error);
    }
    let ledger = std::mem::take(&mut driver.ledger);
    let report = driver.finish(teardown, settings, &mut stops).await;
    // Not before its reports are there.
    ledger.close().await;
    report
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
    ledger: Ledger,
    /// Who waits for an answer to what is being written down.
    asked: VecDeque<oneshot::Sender<Volume>>,
    stopping: Option<Duration>,
    watch: Watch,
    /// Whether what happens has happened already, under another controller.
    #[cfg(feature = "nats")]
    recalls: bool,
}

impl Driver {
    /// Goes on until the run is over.
    ///
    /// # Errors
    /// When another controller has taken over.
    async fn run(&mut self, stops: &mut UnboundedReceiver<Stop>) -> Result<(), RunError> {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        while !self.controller.is_finished() {
            let what = tokio::select! {
                _ = ticks.tick() => Some(What::Tick),
                Some(heard) = self.link.receive() => Some(self.heard(heard)),
                Some((entry, supply)) = self.pools.answer() => {
                    Some(What::Supplied { entry, supply })
                }
                Some(stop) = stops.recv() => Some(What::Stop(stop)),
                said = self.audience.said() => match said {
                    Said::Question(question) => self.answer(question),
                    Said::Logged(id) => Some(What::Logged(id)),
                },
                kept = self.ledger.kept() => {
                    self.kept(kept?);
                    None
                }
            };
            if let Some(what) = what {
                self.happens(what);
            }
        }
        for action in self.controller.close() {
            self.act(action);
        }
        Ok(())
    }

    /// Something happens: it is acted upon, at once or when it is kept.
    fn happens(&mut self, what: What) {
        let at = self.clock.elapsed();
        let happening = self.ledger.take(Happening { at, what });
        if let Some(happening) = happening {
            self.do_what_follows(happening);
        }
    }

    #[cfg(not(feature = "nats"))]
    fn kept(&mut self, kept: super::ledger::Kept) {
        match kept {}
    }

    fn do_what_follows(&mut self, Happening { at, what }: Happening) {
        let actions = match what {
            What::Tick => self.controller.tick(at),
            What::Heard { runner, message } => self.hear(at, runner, message),
            #[cfg(feature = "nats")]
            What::Reported(reported) => {
                let Reported {
                    covers,
                    until,
                    statistics,
                } = *reported;
                self.controller.reported(at, covers, until, statistics)
            }
            What::Supplied { entry, supply } => self.supply(at, entry, supply),
            What::Stop(stop) => self.stop(at, stop),
            What::Volume(factor) => self.change_volume(at, factor),
            What::Logged(id) => {
                self.audience.is_logged(id);
                Vec::new()
            }
            What::TakenOver => self.controller.take_over(at),
        };
        for action in actions {
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
        let archived = self.archive.finish().await;
        let ending = Ending {
            outcome,
            figures,
            archived,
        };
        self.audience.end(&settings, ending, stops).await
    }

    /// Takes note of how far the conversation is.
    fn heard(&mut self, heard: Heard) -> What {
        let Heard {
            runner, message, ..
        } = heard;
        #[cfg(feature = "nats")]
        if let Some(mark) = heard.mark {
            self.ledger.mark(runner, mark);
            if let Message::Snapshot(snapshot) = message {
                return What::Reported(Box::new(Reported::of(runner, *snapshot)));
            }
        }
        What::Heard { runner, message }
    }

    fn hear(&mut self, at: Duration, runner: RunnerId, message: Message) -> Vec<Action> {
        #[cfg(feature = "nats")]
        if let (Some(elsewhere), Message::Sent(sent)) = (&mut self.archive.elsewhere, &message) {
            elsewhere.hear((**sent).clone());
        }
        #[cfg(feature = "nats")]
        self.tell_who_is_gone(runner, &message);
        if let (Some(at), Message::Hello(_)) = (self.begin, &message) {
            self.order(runner, link::Order::Begin { at, runner });
        }
        self.controller.hear(at, runner, message)
    }

    fn order(&mut self, runner: RunnerId, order: link::Order) {
        self.ledger.said(runner, &order);
        self.link.send(runner, order);
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Send { runner, order } => {
                if let link::Order::Drain { at } = order {
                    self.stopping = Some(at);
                }
                self.order(runner, order);
            }
            Action::Draw { entry, want } => self.pools.draw(entry, want),
            Action::Checkin { entry, items, used } => self.pools.check_in(entry, items, used),
            #[cfg(feature = "nats")]
            Action::Show(second) if self.recalls => self.audience.recall(&second),
            #[cfg(feature = "nats")]
            Action::Note(_) if self.recalls => {}
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

    fn supply(&mut self, at: Duration, entry: EntryId, supply: Supply) -> Vec<Action> {
        match supply {
            Supply::Block(_) => {
                let block = self.pools.take(entry);
                self.controller
                    .supply(at, entry, block.items, block.exhausted)
            }
            Supply::Broke(why) => self.controller.pool_broke(at, entry, &why),
        }
    }

    fn change_volume(&mut self, at: Duration, factor: f64) -> Vec<Action> {
        let adjustable = self.controller.volume().adjustable;
        let change = self.controller.change_volume(at, factor);
        let factor = self.controller.volume().factor;
        if let Some(answer) = self.asked.pop_front() {
            let _ = answer.send(Volume { adjustable, factor });
        }
        change
    }

    fn stop(&mut self, at: Duration, stop: Stop) -> Vec<Action> {
        match stop {
            Stop::Gracefully => self.controller.stop(at),
            Stop::Now => self.controller.cut(at, StopCause::Interrupted),
            Stop::AtFailure => self.controller.cut(at, StopCause::FirstFailure),
        }
    }

    /// Answers whoever looks at the run from outside, or wants something of it.
    fn answer(&mut self, question: Question) -> Option<What> {
        match question {
            Question::Look(answer) => {
                // Who has gone away meanwhile needs nothing to be put together.
                if !answer.is_closed() {
                    let figures = self.watch.so_far();
                    let stopping = self.stopping.is_some();
                    let _ = answer.send(self.audience.moment(&self.controller, figures, stopping));
                }
                None
            }
            Question::Volume(Some(factor), answer) => {
                self.asked.push_back(answer);
                Some(What::Volume(factor))
            }
            Question::Volume(None, answer) => {
                let now = self.controller.volume();
                let _ = answer.send(Volume {
                    adjustable: now.adjustable,
                    factor: now.factor,
                });
                None
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
