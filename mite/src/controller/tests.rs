//! The controller over hours of simulated time, with runners that do as they are told.

mod crew;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{Action, Controller, ControllerEntry, ControllerSettings, Outcome, StopCause};
use crate::{
    datapool::Policy,
    event::{JourneyEnd, Outcome as JourneyOutcome, What},
    id::{EntryId, RunnerId, TransactionId},
    link::{Cover, Message, Order, Recruit, Snapshot},
    stats::{CpuTime, DEFAULT_CAP, Recorder},
    volume::{
        Conclusion, Constant, Ramp, Saturate, Volume, VolumeModel, Window,
        schedule::{Arrivals, Share, Timeline},
    },
};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// A runner with so many workers.
fn recruit(workers: u32) -> Recruit {
    Recruit {
        workers,
        weight: workers,
        max_in_flight: 1000,
        host: String::new(),
    }
}

/// A runner of one worker whose journeys take no time.
struct Runner {
    id: RunnerId,
    recorder: Recorder,
    arrivals: Arrivals,
    timeline: Timeline,
    share: Option<Share>,
    drain: Option<Duration>,
    reported: u64,
    started: u64,
    orders: usize,
    most_users: u64,
    /// Whether it reports ends and times, which takes a while over hours.
    measures: bool,
}

impl Runner {
    fn new(id: u32) -> Self {
        Self {
            id: RunnerId(id),
            recorder: Recorder::new(vec![Arc::from("shop::browse")], DEFAULT_CAP, Vec::new()),
            arrivals: Arrivals::new(1),
            timeline: Timeline::default(),
            share: None,
            drain: None,
            reported: 0,
            started: 0,
            orders: 0,
            most_users: 0,
            measures: false,
        }
    }

    fn obey(&mut self, order: Order) -> Option<Message> {
        self.orders += 1;
        match order {
            Order::Target { segment, share, .. } => {
                if self.share.replace(share) != Some(share) {
                    self.arrivals.set_share(share, segment.first());
                }
                self.arrivals.push(segment.clone());
                self.timeline.push(segment);
                None
            }
            Order::Drain { at } => {
                self.start_what_is_due(at);
                self.drain = Some(at);
                Some(Message::Drained)
            }
            Order::Cut => Some(Message::Bye),
            Order::Data { .. } | Order::Begin { .. } | Order::Release { .. } | Order::GoOn => None,
        }
    }

    /// Starts and ends what is due, and reports each second.
    fn live(&mut self, now: Duration) -> Option<Message> {
        let until = self.drain.unwrap_or(now).min(now);
        self.start_what_is_due(until);
        let share = self.share.unwrap_or(Share::NONE);
        self.most_users = self.most_users.max(self.timeline.users_at(now, share));
        (now.as_secs() > self.reported).then(|| self.snapshot(now.as_secs(), false))
    }

    fn start_what_is_due(&mut self, until: Duration) {
        while self.arrivals.peek().is_some_and(|due| due <= until) {
            self.arrivals.next();
            self.start();
        }
    }

    fn start(&mut self) {
        let end = JourneyEnd {
            outcome: JourneyOutcome::Completed,
            service_time: Duration::ZERO,
            response_time: Duration::ZERO,
            start_delay: Some(Duration::ZERO),
        };
        self.started += 1;
        self.recorder.journey_started(EntryId(0), None);
        if !self.measures {
            return;
        }
        self.recorder.record(
            Duration::ZERO,
            EntryId(0),
            TransactionId::ROOT,
            &What::Journey(&end),
        );
    }

    fn snapshot(&mut self, until: u64, last: bool) -> Message {
        let first = std::mem::replace(&mut self.reported, until);
        let statistics = self.recorder.take();
        Message::Snapshot(Box::new(Snapshot {
            covers: vec![Cover {
                worker: 0,
                first,
                until,
                last,
                cpu: CpuTime::default(),
            }],
            statistics,
        }))
    }
}

/// Runs a plan on a clock that jumps, and gives what came of it and how far the clock went.
struct Simulation {
    controller: Controller,
    runners: BTreeMap<RunnerId, Runner>,
    now: Duration,
    step: Duration,
    shown: usize,
}

impl Simulation {
    fn new(volume: impl VolumeModel, runners: u32) -> Self {
        Self::with(volume, runners, |_| ())
    }

    fn with(
        volume: impl VolumeModel,
        runners: u32,
        change: impl FnOnce(&mut ControllerSettings),
    ) -> Self {
        let mut settings = ControllerSettings {
            entries: vec![ControllerEntry {
                journey: "shop::browse".into(),
                volume: Box::new(volume),
                policy: Policy::Shared,
            }],
            thresholds: Vec::new(),
            duration: None,
            graceful_stop: 30 * SECOND,
            warm_up: Duration::ZERO,
            foresight: ControllerSettings::FORESIGHT,
        };
        change(&mut settings);
        let runners: BTreeMap<_, _> = (0..runners)
            .map(|id| (RunnerId(id), Runner::new(id)))
            .collect();
        let workers = runners.keys().map(|id| (*id, recruit(1)));
        Self {
            controller: Controller::new(settings, workers),
            runners,
            now: Duration::ZERO,
            step: SECOND / 4,
            shown: 0,
        }
    }

    fn measure(&mut self) {
        self.runners
            .values_mut()
            .for_each(|runner| runner.measures = true);
    }

    /// Goes on until the run is over or the clock shows `until`.
    fn run_until(&mut self, until: Duration) {
        while self.now < until && !self.controller.is_finished() {
            let actions = self.controller.tick(self.now);
            self.act(actions);
            for id in self.runners.keys().copied().collect::<Vec<_>>() {
                let said = self
                    .runners
                    .get_mut(&id)
                    .and_then(|runner| runner.live(self.now));
                if let Some(message) = said {
                    self.say(id, message);
                }
            }
            self.now += self.step;
        }
    }

    fn act(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Send { runner, order } => {
                    let is_cut = matches!(order, Order::Cut);
                    let Some(runner) = self.runners.get_mut(&runner) else {
                        continue;
                    };
                    let id = runner.id;
                    let last = is_cut.then(|| runner.snapshot(self.now.as_secs() + 1, true));
                    let answer = runner.obey(order);
                    for message in last.into_iter().chain(answer) {
                        self.say(id, message);
                    }
                }
                Action::Show(_) => self.shown += 1,
                _ => {}
            }
        }
    }

    fn say(&mut self, from: RunnerId, message: Message) {
        let actions = self.controller.hear(self.now, from, message);
        self.act(actions);
    }

    fn started(&self) -> u64 {
        self.runners.values().map(|runner| runner.started).sum()
    }

    fn finish(self) -> Outcome {
        self.controller.finish(self.now)
    }
}

#[test]
fn six_hours_of_a_steady_rate_start_exactly_what_was_asked_for_on_three_runners() {
    let mut run = Simulation::new(Constant::per_second(7.5, 6 * HOUR), 3);
    run.run_until(7 * HOUR);
    assert!(run.controller.is_finished());
    assert_eq!(run.started(), 162_000);
    let shares: Vec<u64> = run.runners.values().map(|runner| runner.started).collect();
    assert_eq!(shares, [54_000; 3], "each runner has an equal share");
    let outcome = run.finish();
    assert_eq!(outcome.ending.cause, StopCause::Planned);
    assert_eq!(outcome.entries[0].planned, 162_000);
    assert_eq!(outcome.entries[0].started, 162_000);
    assert_eq!(
        outcome
            .points
            .iter()
            .map(|point| point.planned_starts)
            .sum::<u64>(),
        162_000
    );
    assert_eq!(
        outcome.points.iter().map(|point| point.starts).sum::<u64>(),
        162_000
    );
    assert_eq!(outcome.missing, 0);
}

#[test]
fn a_standing_target_is_told_once_and_not_every_second() {
    let mut run = Simulation::new(Constant::users(10, HOUR), 2);
    run.run_until(2 * HOUR);
    // The target, its end, the order to drain and the order to cut.
    assert_eq!(
        run.runners.values().map(|runner| runner.orders).max(),
        Some(4)
    );
    assert_eq!(
        run.runners
            .values()
            .map(|runner| runner.most_users)
            .collect::<Vec<_>>(),
        [5, 5]
    );
}

#[test]
fn users_that_do_not_divide_evenly_are_all_there() {
    let mut run = Simulation::new(Constant::users(10, MINUTE), 4);
    run.run_until(2 * MINUTE);
    let users: Vec<_> = run
        .runners
        .values()
        .map(|runner| runner.most_users)
        .collect();
    assert_eq!(users, [3, 3, 2, 2]);
}

#[test]
fn the_duration_cuts_a_plan_short_and_never_stretches_it() {
    let plan = || Ramp::per_second(0, 100, 10 * SECOND) + Constant::per_second(100, 10 * SECOND);
    for (duration, starts) in [(5, 125), (10, 500), (15, 1000), (20, 1500), (60, 1500)] {
        let mut run = Simulation::with(plan(), 2, |settings| {
            settings.duration = Some(duration * SECOND);
        });
        run.run_until(HOUR);
        assert_eq!(run.started(), starts, "{duration} s");
        assert_eq!(run.finish().entries[0].planned, starts, "{duration} s");
    }
}

#[test]
fn a_stop_ends_the_plan_where_it_is_and_nothing_is_lost() {
    let mut run = Simulation::new(Constant::per_second(10, HOUR), 2);
    run.run_until(90 * SECOND);
    let actions = run.controller.stop(run.now);
    run.act(actions);
    run.run_until(HOUR);
    let started = run.started();
    let outcome = run.finish();
    assert_eq!(outcome.ending.cause, StopCause::Interrupted);
    assert!((899..=901).contains(&started), "{started}");
    assert_eq!(outcome.entries[0].started, started);
    assert_eq!(outcome.missing, 0);
}

#[test]
fn journeys_that_never_end_are_cut_after_the_grace() {
    let mut run = Simulation::with(Constant::users(1, 10 * SECOND), 1, |settings| {
        settings.graceful_stop = 5 * SECOND;
    });
    // A runner that hears the order to drain and says nothing.
    let mut cut_at = None;
    while !run.controller.is_finished() && run.now < MINUTE {
        let actions = run.controller.tick(run.now);
        for action in actions {
            if let Action::Send {
                order: Order::Cut, ..
            } = action
            {
                cut_at = Some(run.now);
            }
        }
        run.now += SECOND / 4;
    }
    assert_eq!(cut_at, Some(15 * SECOND));
    assert!(
        run.controller.is_finished(),
        "a silent runner holds nobody up"
    );
    let outcome = run.finish();
    assert_eq!(outcome.ending.silent, 1);
    assert_eq!(outcome.missing, 1);
}

#[test]
fn a_late_snapshot_holds_nobody_up_and_is_counted() {
    let mut run = Simulation::new(Constant::per_second(10, 20 * SECOND), 2);
    run.run_until(5 * SECOND);
    let second = run.runners.get_mut(&RunnerId(1)).unwrap();
    let held_back = second.snapshot(7, false);
    run.run_until(12 * SECOND);
    assert!(
        run.shown >= 9,
        "a worker that does not report does not stop the display"
    );
    run.say(RunnerId(1), held_back);
    run.run_until(MINUTE);
    assert_eq!(run.started(), 200);
    let outcome = run.finish();
    assert_eq!(
        outcome.entries[0].started, 200,
        "late statistics count all the same"
    );
    assert_eq!(outcome.missing, 0);
}

#[test]
fn a_snapshot_that_never_comes_is_missed() {
    let mut run = Simulation::new(Constant::per_second(10, 20 * SECOND), 2);
    run.run_until(5 * SECOND);
    let _lost = run
        .runners
        .get_mut(&RunnerId(1))
        .unwrap()
        .snapshot(7, false);
    run.run_until(MINUTE);
    assert_eq!(run.finish().missing, 1);
}

#[test]
fn a_threshold_that_aborts_ends_the_run_when_it_is_broken() {
    let mut run = Simulation::with(Constant::per_second(10, HOUR), 1, |settings| {
        settings.thresholds = vec!["journey.count < 100 abort after 5s".parse().unwrap()];
    });
    run.measure();
    run.run_until(2 * HOUR);
    let outcome = run.finish();
    let StopCause::Threshold(expression) = &outcome.ending.cause else {
        panic!("{:?}", outcome.ending.cause)
    };
    assert_eq!(expression, "journey.count < 100 abort after 5s");
    assert!(outcome.duration < 13 * SECOND, "{:?}", outcome.duration);
    assert!(!outcome.thresholds[0].passed);
}

#[test]
fn a_model_that_breaks_in_mid_run_ends_it_and_what_was_measured_stays() {
    for (volume, why) in [
        (Volume::PerSecond(f64::NAN), "NaN"),
        (Volume::PerSecond(-1.0), "-1"),
    ] {
        let model = move |window: Window| {
            if window.start < MINUTE {
                Volume::PerSecond(5.0)
            } else {
                volume
            }
        };
        let mut run = Simulation::new(model, 1);
        run.run_until(HOUR);
        let outcome = run.finish();
        assert!(matches!(outcome.ending.cause, StopCause::Broken(_)));
        let reason = &outcome.ending.broken[0];
        assert!(
            reason.contains("shop::browse") && reason.contains(why),
            "{reason}"
        );
        assert!(
            outcome.entries[0].started > 250,
            "{}",
            outcome.entries[0].started
        );
    }
}

#[test]
fn a_model_that_panics_in_mid_run_ends_it_with_its_message() {
    let model = |window: Window| {
        assert!(window.start < MINUTE, "no idea what comes now");
        Volume::PerSecond(5.0)
    };
    let mut run = Simulation::new(model, 1);
    run.run_until(HOUR);
    let outcome = run.finish();
    assert!(outcome.ending.broken[0].contains("no idea what comes now"));
    assert!(outcome.entries[0].started > 250);
}

#[test]
fn the_warm_up_is_in_the_series_and_not_in_the_totals() {
    let mut run = Simulation::with(Constant::per_second(10, 10 * SECOND), 1, |settings| {
        settings.warm_up = 4 * SECOND;
    });
    run.run_until(MINUTE);
    let outcome = run.finish();
    let total: u64 = outcome
        .totals
        .journeys
        .values()
        .map(|journey| journey.started)
        .sum();
    assert_eq!(total, 60);
    assert_eq!(
        outcome.points.iter().map(|point| point.starts).sum::<u64>(),
        100
    );
    assert_eq!(
        outcome.entries[0].started, 100,
        "the plan is judged as a whole"
    );
}

#[test]
fn seconds_are_added_up_by_stage_and_not_in_the_warm_up() {
    let rate = |rate: u32| Constant::per_second(rate, 10 * SECOND);
    let plan = rate(10).named("calm") + rate(20) + rate(30).named("peak") + rate(40).named("calm");
    let mut run = Simulation::with(plan, 2, |settings| settings.warm_up = 4 * SECOND);
    run.measure();
    run.run_until(MINUTE);
    let stages: Vec<_> = run
        .finish()
        .stages
        .into_iter()
        .map(|stage| {
            let rows = stage.statistics.journeys.values();
            let completed: u64 = rows.map(|row| row.completed).sum();
            let times = [stage.from, stage.until, stage.lasted].map(|time| time.as_secs());
            (stage.name, times, stage.planned[0], completed)
        })
        .collect();
    let expected = [
        ("calm".to_owned(), [4, 40, 16], 460, 460),
        ("peak".to_owned(), [20, 30, 10], 300, 300),
    ];
    assert_eq!(stages, expected);
}

#[test]
fn a_model_sees_what_the_run_has_shown() {
    struct Doubling(f64);
    impl VolumeModel for Doubling {
        fn volume(&mut self, window: Window, observed: &crate::volume::Observed) -> Volume {
            if observed.completed > 50 {
                return Volume::Stop;
            }
            assert!(observed.elapsed <= window.start);
            Volume::PerSecond(self.0)
        }
    }
    let mut run = Simulation::new(Doubling(10.0), 1);
    run.measure();
    run.run_until(HOUR);
    let started = run.started();
    assert!((60..=100).contains(&started), "{started}");
}

#[test]
fn a_model_sees_what_its_entry_has_shown_over_several_seconds() {
    struct Looking;
    impl VolumeModel for Looking {
        fn volume(&mut self, window: Window, observed: &crate::volume::Observed) -> Volume {
            assert!(
                window.start <= observed.elapsed + 2 * SECOND,
                "it is asked late"
            );
            let last = observed.last(4 * SECOND);
            if last.seconds == 4 {
                assert_eq!(last.completed, last.started);
                assert!((39..=41).contains(&last.completed), "{last:?}");
                assert_eq!(last.completed_per_second().round(), 10.0);
                assert_eq!(
                    observed.response_quantile(0.99, SECOND),
                    Some(Duration::ZERO)
                );
                return Volume::Stop;
            }
            Volume::PerSecond(10.0)
        }
    }
    let mut run = Simulation::new(Looking, 2);
    run.measure();
    run.run_until(HOUR);
    assert!(run.finish().duration < 10 * SECOND);
}

#[test]
fn what_a_search_has_found_is_part_of_the_outcome_and_ends_the_plan() {
    let search = Saturate::per_second(10, 40)
        .until_p99(SECOND / 4)
        .of_journeys()
        .step_time(2 * SECOND)
        .settle(SECOND);
    let mut run = Simulation::new(search, 2);
    run.measure();
    run.run_until(HOUR);
    let started = run.started();
    let outcome = run.finish();
    assert!(outcome.duration < MINUTE, "{:?}", outcome.duration);
    assert_eq!(outcome.ending.cause, StopCause::Planned);
    let [entry] = outcome.entries.as_slice() else {
        panic!("{:?}", outcome.entries);
    };
    assert_eq!((entry.planned, entry.started), (started, started));
    let finding = &entry.findings[0];
    assert_eq!(finding.conclusion, Conclusion::AtLeast);
    assert_eq!((finding.found, finding.steps.len()), (Some(40.0), 3));
}

#[test]
fn a_volume_that_is_changed_is_what_was_planned_from_then_on() {
    let mut run = Simulation::new(Constant::per_second(100, 10 * SECOND), 3);
    run.run_until(2 * SECOND);
    assert!(run.controller.volume().adjustable);
    let actions = run.controller.change_volume(run.now, 1.5);
    run.act(actions);
    assert_eq!(run.controller.volume().factor, 1.5);
    run.run_until(HOUR);
    assert!(
        !run.controller.volume().adjustable,
        "there is nothing left to change"
    );
    assert_eq!(run.controller.change_volume(run.now, 9.0).len(), 0);
    // Half a second after it was asked for.
    assert_eq!(run.started(), 250 + 1125);
    let outcome = run.finish();
    assert_eq!(outcome.entries[0].planned, 250 + 1125);
    assert_eq!(outcome.volume_changes, [(5 * SECOND / 2, 1.5)]);
    let planned = outcome.points.iter().map(|point| point.planned_starts);
    assert_eq!(planned.collect::<Vec<_>>()[..4], [100, 100, 125, 150]);
}

#[test]
fn what_there_is_so_far_is_what_the_known_seconds_showed() {
    let mut run = Simulation::new(Constant::per_second(100, MINUTE), 2);
    run.measure();
    run.run_until(10 * SECOND);
    let so_far = run.controller.so_far();
    let seconds = so_far.points.iter().count() as u64;
    assert!((7..=10).contains(&seconds), "{seconds}");
    assert_eq!(so_far.duration, Duration::from_secs(seconds));
    let started = so_far
        .totals
        .journeys
        .values()
        .map(|row| row.started)
        .sum::<u64>();
    assert_eq!(started, 100 * seconds);
    assert_eq!(
        (so_far.entries[0].planned, so_far.entries[0].started),
        (started, started)
    );
    let entry = &run.controller.entries_now(run.now, &so_far)[0];
    assert_eq!(
        (entry.required_users, entry.required_rate),
        (None, Some(100.0))
    );
    run.run_until(HOUR);
    assert_eq!(
        run.finish()
            .totals
            .journeys
            .values()
            .next()
            .unwrap()
            .started,
        6000
    );
}
