//! Runners that come, go and get lost while the run goes on.

use bytes::Bytes;

use super::*;
use crate::{datapool::lease, id::ItemId};

impl Simulation {
    /// A runner joins at the time it is.
    fn join(&mut self, id: u32) {
        self.join_with(id, 1);
    }

    fn join_with(&mut self, id: u32, weight: u32) {
        let mut runner = Runner::new(id);
        runner.reported = self.now.as_secs();
        self.runners.insert(runner.id, runner);
        let recruit = Recruit {
            weight,
            ..recruit(1)
        };
        let actions = self
            .controller
            .hear(self.now, RunnerId(id), Message::Hello(recruit));
        self.act(actions);
    }

    /// A runner is gone from one moment to the next; that is seen `after` a while.
    fn kill(&mut self, id: u32, after: Duration) -> u64 {
        let killed = self.runners.remove(&RunnerId(id)).unwrap();
        self.run_until(self.now + after);
        let actions = self.controller.hear(self.now, RunnerId(id), Message::Lost);
        self.act(actions);
        killed.started
    }

    fn say_goodbye(&mut self, id: u32) {
        let mut runner = self.runners.remove(&RunnerId(id)).unwrap();
        let last = runner.snapshot(self.now.as_secs() + 1, true);
        self.say(runner.id, last);
        self.say(runner.id, Message::Bye);
    }
}

#[test]
fn a_runner_that_joins_takes_its_share_and_no_start_is_lost_or_doubled() {
    let mut run = Simulation::new(Constant::per_second(100, MINUTE), 2);
    run.step = SECOND / 20;
    run.run_until(20 * SECOND + SECOND / 3);
    run.join(2);
    run.run_until(40 * SECOND);
    run.join(3);
    run.run_until(2 * MINUTE);
    assert_eq!(run.started(), 6000);
    let started = |id: u32| run.runners[&RunnerId(id)].started;
    assert!(started(0).abs_diff(started(1)) <= 2);
    // A half for 20.8 s, a third until 40.5 s, a fourth for the rest.
    assert!((2160..=2190).contains(&started(0)), "{}", started(0));
    assert!((1130..=1155).contains(&started(2)), "{}", started(2));
    assert!((480..=492).contains(&started(3)), "{}", started(3));
    let outcome = run.finish();
    assert_eq!(outcome.entries[0].started, 6000);
    assert_eq!(outcome.missing, 0);
    assert_eq!(outcome.ending.silent, 0);
    let joined: Vec<_> = outcome
        .crew
        .iter()
        .map(|member| member.joined.as_secs())
        .collect();
    assert_eq!(joined, [0, 0, 20, 40]);
}

#[test]
fn the_volume_of_a_runner_that_got_lost_is_back_as_soon_as_that_is_known() {
    let mut run = Simulation::new(Constant::per_second(90, MINUTE), 3);
    run.step = SECOND / 20;
    run.run_until(30 * SECOND);
    let before = run.started();
    assert!((2690..=2700).contains(&before), "{before} up to then");
    let of_the_killed = run.kill(1, 3 * SECOND);
    let known = run.now;
    run.run_until(2 * MINUTE);
    let outcome = run.finish();
    // What it had started but not reported is not counted; neither is what it was to start.
    let missing = outcome.entries[0].planned - outcome.entries[0].started;
    let gap = 30 * 3 + 15;
    assert!((gap..=gap + 35).contains(&missing), "{missing} are missing");
    assert!((896..=900).contains(&of_the_killed), "{of_the_killed}");
    let later = outcome
        .points
        .iter()
        .filter(|point| point.at >= known + SECOND);
    // In its last second a simulated runner has drained before it reports.
    let later: Vec<_> = later.filter(|point| point.at < MINUTE - SECOND).collect();
    assert!(later.len() > 20);
    for point in later {
        assert!((89..=91).contains(&point.starts), "{point:?}");
    }
    assert_eq!(outcome.missing, 0, "nobody else's are");
    let lost: Vec<_> = outcome.crew.iter().map(|member| member.lost).collect();
    assert_eq!(lost, [false, true, false]);
}

#[test]
fn users_move_to_the_runners_that_are_left_and_to_those_that_come() {
    let mut run = Simulation::new(Constant::users(60, MINUTE), 3);
    let users = |run: &Simulation| -> Vec<u64> {
        let now = run.now;
        let users = |runner: &Runner| runner.timeline.users_at(now, runner.share.unwrap());
        run.runners.values().map(users).collect()
    };
    run.run_until(10 * SECOND);
    assert_eq!(users(&run), [20, 20, 20]);
    run.kill(0, SECOND);
    run.run_until(20 * SECOND);
    assert_eq!(users(&run), [30, 30]);
    run.join(3);
    run.join(4);
    run.run_until(30 * SECOND);
    assert_eq!(users(&run), [15, 15, 15, 15]);
    run.say_goodbye(1);
    run.run_until(40 * SECOND);
    assert_eq!(users(&run), [20, 20, 20]);
}

#[test]
fn ramps_and_stages_to_come_are_shared_anew_as_well() {
    let plan = Constant::per_second(10, 10 * SECOND)
        + Ramp::per_second(10, 100, 20 * SECOND)
        + Constant::per_second(100, 10 * SECOND);
    let mut run = Simulation::new(plan, 1);
    run.step = SECOND / 20;
    // In the middle of the ramp, and just before it is over.
    run.run_until(17 * SECOND);
    run.join(1);
    run.run_until(29 * SECOND);
    run.join(2);
    run.run_until(2 * MINUTE);
    assert_eq!(run.started(), 100 + 1100 + 1000);
    assert_eq!(run.finish().entries[0].planned, 2200);
}

#[test]
fn a_run_that_has_lost_every_runner_is_over_and_says_so() {
    let mut run = Simulation::new(Constant::per_second(10, HOUR), 2);
    run.run_until(10 * SECOND);
    run.kill(0, SECOND);
    assert!(!run.controller.is_finished());
    run.kill(1, SECOND);
    assert!(run.controller.is_finished());
    let outcome = run.finish();
    assert!(
        outcome.ending.cause == StopCause::Abandoned,
        "{:?}",
        outcome.ending
    );
    assert!(outcome.crew.iter().all(|member| member.lost));
}

#[test]
fn who_joins_when_the_run_stops_is_sent_away_and_not_waited_for() {
    let mut run = Simulation::new(Constant::per_second(10, HOUR), 1);
    run.run_until(10 * SECOND);
    let mut actions = run.controller.stop(run.now);
    let late = RunnerId(7);
    let hello = Message::Hello(recruit(4));
    let answer = run.controller.hear(run.now, late, hello);
    let is_sent_away = |action: &Action| matches!(action, Action::Send { runner, order: Order::Cut } if *runner == late);
    assert!(answer.iter().all(is_sent_away) && answer.len() == 1);
    actions.extend(answer);
    run.act(actions);
    run.run_until(MINUTE);
    assert!(run.controller.is_finished());
    assert!(run.now < 20 * SECOND, "{:?}", run.now);
    let outcome = run.finish();
    assert_eq!(outcome.crew.len(), 1, "it took no part");
    assert_eq!((outcome.missing, outcome.ending.silent), (0, 0));
}

#[test]
fn runners_share_by_weight_whoever_comes_and_goes() {
    let mut run = Simulation::new(Constant::per_second(100, MINUTE), 0);
    run.step = SECOND / 20;
    for (id, weight) in [(0, 1), (1, 3)] {
        run.join_with(id, weight);
    }
    run.run_until(20 * SECOND);
    let started = |run: &Simulation, id: u32| run.runners[&RunnerId(id)].started;
    assert!(started(&run, 0).abs_diff(500) <= 2, "a quarter");
    assert_eq!(started(&run, 1), run.started() - started(&run, 0));
    run.join_with(2, 4);
    run.run_until(40 * SECOND + SECOND / 2);
    assert!(started(&run, 2).abs_diff(1000) <= 5, "a half from then on");
    assert!(started(&run, 0).abs_diff(762) <= 5);
    run.run_until(2 * MINUTE);
    assert_eq!(run.started(), 6000);
    assert_eq!(run.finish().entries[0].started, 6000);
}

/// What a run says of its runners: whether each is lost, and the second in which it left.
fn departures(outcome: &Outcome) -> Vec<(bool, Option<u64>)> {
    let each = outcome.crew.iter();
    each.map(|member| (member.lost, member.left.map(|left| left.as_secs())))
        .collect()
}

#[test]
fn a_runner_that_was_told_to_end_leaves_its_share_to_others_and_no_start_is_lost_or_doubled() {
    for plan in [
        Constant::per_second(100, MINUTE),
        Constant::per_second(100, MINUTE).poisson(),
    ] {
        let random = plan.clone();
        let mut run = Simulation::new(plan, 3);
        run.step = SECOND / 20;
        run.run_until(20 * SECOND + SECOND / 3);
        run.say(RunnerId(1), Message::Leaving);
        run.say(RunnerId(1), Message::Leaving);
        run.run_until(22 * SECOND);
        let leaver = run.runners[&RunnerId(1)].started;
        run.say_goodbye(1);
        run.run_until(2 * MINUTE);
        let mut alone = Simulation::new(random, 1);
        alone.run_until(2 * MINUTE);
        assert_eq!(run.started() + leaver, alone.started());
        // A third for 20.8 s.
        assert!((600..=790).contains(&leaver), "{leaver}");
        let outcome = run.finish();
        assert_eq!(outcome.entries[0].started, alone.started());
        assert_eq!(outcome.missing, 0);
        assert_eq!(outcome.ending.cause, StopCause::Planned);
        assert_eq!(
            departures(&outcome),
            [(false, None), (false, Some(22)), (false, None)]
        );
    }
}

#[test]
fn when_all_runners_were_told_to_end_the_run_comes_to_its_end_and_says_why() {
    let mut run = Simulation::new(Constant::users(10, HOUR), 2);
    run.run_until(10 * SECOND);
    run.say(RunnerId(0), Message::Leaving);
    run.run_until(12 * SECOND);
    let users = |run: &Simulation, id: u32| {
        let runner = &run.runners[&RunnerId(id)];
        runner.timeline.users_at(run.now, runner.share.unwrap())
    };
    assert_eq!((users(&run, 0), users(&run, 1)), (0, 10));
    run.say(RunnerId(1), Message::Leaving);
    run.run_until(HOUR);
    assert!(run.now < 20 * SECOND, "{:?}", run.now);
    let outcome = run.finish();
    assert_eq!(outcome.ending.cause, StopCause::Abandoned);
    assert_eq!((outcome.missing, outcome.ending.silent), (0, 0));
}

#[test]
fn when_only_a_runner_that_leaves_is_left_the_run_comes_to_its_end() {
    let mut run = Simulation::new(Constant::per_second(10, HOUR), 2);
    run.run_until(10 * SECOND);
    run.say(RunnerId(0), Message::Leaving);
    run.kill(1, SECOND);
    run.run_until(HOUR);
    assert!(run.now < 20 * SECOND, "{:?}", run.now);
    assert_eq!(run.finish().ending.cause, StopCause::Abandoned);
}

#[test]
fn what_a_lost_runner_says_later_counts_nothing() {
    let mut run = Simulation::new(Constant::per_second(100, 20 * SECOND), 2);
    run.run_until(10 * SECOND);
    let mut frozen = run.runners.remove(&RunnerId(1)).unwrap();
    run.run_until(14 * SECOND);
    let actions = run.controller.hear(run.now, RunnerId(1), Message::Lost);
    run.act(actions);
    run.run_until(15 * SECOND);
    let late = frozen.snapshot(15, false);
    run.say(RunnerId(1), late);
    run.run_until(MINUTE);
    let outcome = run.finish();
    let known: u64 = outcome.points.iter().map(|point| point.starts).sum();
    assert_eq!(known, outcome.entries[0].started);
    assert!(outcome.entries[0].started < 2000 - 100);
}

#[test]
fn all_are_told_that_the_data_is_used_up_before_they_are_told_to_end() {
    let mut run = Simulation::with(Constant::per_second(10, MINUTE), 2, |settings| {
        settings.entries[0].policy = Policy::Once;
    });
    run.run_until(SECOND);
    let (entry, first) = (EntryId(0), RunnerId(0));
    let say = |run: &mut Simulation, report: lease::Report| {
        let actions = run
            .controller
            .hear(run.now, first, Message::Data { entry, report });
        run.act(actions);
    };
    let wish = Some(lease::Wish {
        wanted: 1,
        needed: 1,
    });
    say(
        &mut run,
        lease::Report {
            wish,
            ..lease::Report::default()
        },
    );
    let item = lease::Item {
        id: ItemId(7),
        data: Bytes::new(),
    };
    let actions = run.controller.supply(run.now, entry, vec![item], true);
    run.act(actions);
    let spent = vec![ItemId(7)];
    // The first wants another one; the second has not said yet that it waits.
    say(
        &mut run,
        lease::Report {
            spent,
            wish: Some(lease::Wish {
                wanted: 2,
                needed: 2,
            }),
            ..lease::Report::default()
        },
    );
    let told = run.controller.tick(run.now + SECOND / 20);
    for runner in [first, RunnerId(1)] {
        let mut orders = told.iter().filter_map(|action| match action {
            Action::Send { runner: to, order } if *to == runner => Some(order),
            _ => None,
        });
        let order = lease::Order::Exhausted;
        let last = orders.position(|other| {
            *other
                == Order::Data {
                    entry,
                    order: order.clone(),
                }
        });
        let end = orders.position(|order| matches!(order, Order::Drain { .. }));
        assert!(last.is_some() && end.is_some(), "{told:?}");
    }
}
