//! Workers on a paused clock: what they start, when, and with what data.

mod desk;
mod pacing;
mod still;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::LocalSet,
    time::sleep,
};

use super::{
    RunnerEntry, RunnerSettings,
    alarm::Alarm,
    worker::{Outbox, Worker, WorkerSettings},
};
use crate::{
    clock::RunClock,
    config::Config,
    context::{Context, Shared},
    datapool::{Policy, lease},
    error::Result,
    id::{EntryId, ItemId},
    journey::{Journey, Runnable},
    link::{Message, Order},
    stats::{DEFAULT_CAP, JourneyStatistics, Statistics, Waits},
    volume::{
        Constant, Observed, Ramp, VolumeModel,
        schedule::{Planner, Share},
    },
};

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const ENTRY: EntryId = EntryId(0);

thread_local! {
    static IN_FLIGHT: Cell<usize> = const { Cell::new(0) };
    static MOST: Cell<usize> = const { Cell::new(0) };
    static BEGAN: Cell<Option<tokio::time::Instant>> = const { Cell::new(None) };
    static SEEN: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

/// One more in flight, until it is dropped.
struct Flight;

impl Flight {
    fn begin() -> Self {
        IN_FLIGHT.set(IN_FLIGHT.get() + 1);
        MOST.set(MOST.get().max(IN_FLIGHT.get()));
        Self
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        IN_FLIGHT.set(IN_FLIGHT.get() - 1);
    }
}

/// Takes a second.
struct Think;

impl Journey for Think {
    type Data = ();
    const NAME: &'static str = "tests::think";

    async fn run(ctx: &Context, (): ()) -> Result {
        let _flight = Flight::begin();
        ctx.pause(SECOND).await;
        Ok(())
    }
}

/// Takes a hundredth of a second.
struct Blink;

impl Journey for Blink {
    type Data = ();
    const NAME: &'static str = "tests::blink";

    async fn run(ctx: &Context, (): ()) -> Result {
        let _flight = Flight::begin();
        ctx.pause(10 * MILLISECOND).await;
        Ok(())
    }
}

/// Never waits for anything.
struct Spin;

impl Journey for Spin {
    type Data = ();
    const NAME: &'static str = "tests::spin";

    async fn run(_: &Context, (): ()) -> Result {
        Ok(())
    }
}

/// Never ends.
struct Hang;

impl Journey for Hang {
    type Data = ();
    const NAME: &'static str = "tests::hang";

    async fn run(_: &Context, (): ()) -> Result {
        let _flight = Flight::begin();
        std::future::pending().await
    }
}

/// Fails for odd numbers, panics for those divisible by four, and takes a hundredth of a second.
struct Fragile;

impl Journey for Fragile {
    type Data = u32;
    const NAME: &'static str = "tests::fragile";

    async fn run(ctx: &Context, number: u32) -> Result {
        SEEN.with_borrow_mut(|seen| seen.push(number));
        ctx.pause(10 * MILLISECOND).await;
        crate::ensure!(number.is_multiple_of(2), "{number} is odd");
        assert!(!number.is_multiple_of(4), "{number} is divisible by four");
        Ok(())
    }
}

/// One worker, one entry, and limits that nothing here comes near.
fn settings<J: Journey>(policy: Policy) -> RunnerSettings {
    RunnerSettings {
        clock: RunClock::start(),
        entries: vec![RunnerEntry {
            journey: Runnable::of::<J>(),
            policy,
        }],
        config: Config::default(),
        metrics: Vec::new(),
        series_cap: DEFAULT_CAP,
        workers: 1,
        max_in_flight: 100_000,
        spawn_rate: 1000.0,
        max_start_delay: 10 * SECOND,
        precise: false,
        seed: 7,
        tap: None,
        keep: None,
        sent: None,
        trace: None,
        machine: None,
        leaving: None,
    }
}

/// A worker on a paused clock, with somebody at its desk.
struct Bench {
    worker: Rc<Worker>,
    orders: UnboundedSender<Order>,
    messages: UnboundedReceiver<(usize, Message)>,
}

impl Bench {
    /// With an item already there, if one serves all.
    fn new<J: Journey>(policy: Policy, change: impl FnOnce(&mut RunnerSettings)) -> Self {
        let bench = Self::without_data::<J>(policy, change);
        if policy == Policy::Shared {
            bench.give(&[()]);
        }
        bench
    }

    fn without_data<J: Journey>(policy: Policy, change: impl FnOnce(&mut RunnerSettings)) -> Self {
        let mut runner = settings::<J>(policy);
        change(&mut runner);
        let (sender, messages) = unbounded_channel();
        let (orders, inbox) = unbounded_channel();
        let shared = Arc::new(Shared::default());
        let worker = Worker::new(
            WorkerSettings {
                runner,
                shared,
                index: 0,
            },
            inbox,
            Outbox::new(0, sender),
        );
        Self {
            worker,
            orders,
            messages,
        }
    }

    fn order(&self, order: Order) {
        self.orders.send(order).unwrap();
    }

    fn give<T: serde::Serialize>(&self, values: &[T]) {
        self.give_to(ENTRY, values);
    }

    fn give_to<T: serde::Serialize>(&self, entry: EntryId, values: &[T]) {
        let items = values.iter().zip(0..).map(|(value, number)| lease::Item {
            id: ItemId(number),
            data: crate::datapool::encode::<(), _>(number, value).unwrap(),
        });
        let order = lease::Order::Give(items.collect());
        self.order(Order::Data { entry, order });
    }

    /// Tells the worker the whole plan at once, as if it were the only one.
    fn plan(&self, volume: impl VolumeModel) {
        self.plan_for(volume, Share::ALL);
    }

    fn plan_for(&self, volume: impl VolumeModel, share: Share) {
        self.plan_entry(ENTRY, volume, share);
    }

    fn plan_entry(&self, entry: EntryId, volume: impl VolumeModel, share: Share) {
        let mut planner = Planner::new(Box::new(volume));
        let segments = planner
            .advance(3600 * SECOND, &Observed::default())
            .unwrap();
        for segment in segments {
            self.order(Order::Target {
                entry,
                segment,
                share,
            });
        }
    }

    /// Lets the worker work until `drain`, then drain, then cuts it at `cut`.
    async fn run(self, drain: Duration, cut: Duration) -> Run {
        self.run_with(drain, cut, |_| ()).await
    }

    async fn run_with(self, drain: Duration, cut: Duration, at_drain: impl FnOnce(&Worker)) -> Run {
        IN_FLIGHT.set(0);
        MOST.set(0);
        SEEN.with_borrow_mut(Vec::clear);
        let Self {
            worker,
            orders,
            mut messages,
        } = self;
        let local = LocalSet::new();
        let running = Rc::clone(&worker).run(Alarm::Coarse, Alarm::Coarse);
        let schedule = async {
            sleep(drain).await;
            at_drain(&worker);
            orders.send(Order::Drain { at: drain }).unwrap();
            sleep(cut.saturating_sub(drain)).await;
            let in_flight = IN_FLIGHT.get();
            orders.send(Order::Cut).unwrap();
            in_flight
        };
        let ((), in_flight_at_cut) = local
            .run_until(async { tokio::join!(running, schedule) })
            .await;
        drop(local);
        worker.farewell();
        let mut run = Run {
            in_flight_at_cut,
            most: MOST.get(),
            ..Run::default()
        };
        while let Ok((_, message)) = messages.try_recv() {
            run.hear(message);
        }
        run
    }
}

/// What a worker did.
#[derive(Default)]
struct Run {
    statistics: Statistics,
    snapshots: Vec<(u64, u64, u64)>,
    data: Vec<lease::Report>,
    drained: usize,
    stood_still: usize,
    in_flight_at_cut: usize,
    most: usize,
}

impl Run {
    fn hear(&mut self, message: Message) {
        match message {
            Message::Snapshot(snapshot) => {
                let started = snapshot
                    .statistics
                    .journeys
                    .values()
                    .map(|journey| journey.started)
                    .sum();
                let covers = snapshot.covers.iter();
                self.snapshots
                    .extend(covers.map(|cover| (cover.first, cover.until, started)));
                self.statistics.follow(snapshot.statistics);
            }
            Message::Data { report, .. } => self.data.push(report),
            Message::Drained => self.drained += 1,
            Message::StoodStill => self.stood_still += 1,
            Message::Hello(_)
            | Message::Machine(_)
            | Message::Leaving
            | Message::Sending
            | Message::Sent(_)
            | Message::Bye
            | Message::Died
            | Message::Lost => {}
        }
    }

    fn journey(&self) -> &JourneyStatistics {
        self.statistics.journeys.values().next().unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn a_rate_starts_exactly_its_integral_and_in_each_second() {
    let bench = Bench::new::<Blink>(Policy::Shared, |_| ());
    bench.plan(Constant::per_second(1000, 10 * SECOND));
    let run = bench.run(10 * SECOND, 11 * SECOND).await;
    assert_eq!(run.journey().started, 10_000);
    assert_eq!(run.journey().completed, 10_000);
    assert_eq!(run.journey().dropped, 0);
    for (first, until, started) in &run.snapshots[..10] {
        assert_eq!(until - first, 1);
        assert!((998..=1002).contains(started), "second {first}: {started}");
    }
    let delay = run.journey().start_delay.max().unwrap();
    assert!(delay <= 2 * MILLISECOND, "{delay:?}");
}

#[tokio::test(start_paused = true)]
async fn users_that_waited_for_an_item_they_share_all_begin_when_it_comes() {
    let bench = Bench::without_data::<Think>(Policy::Shared, |_| ());
    bench.plan(Constant::users(20, 10 * SECOND));
    let orders = bench.orders.clone();
    let run = bench.run(4500 * MILLISECOND, 6 * SECOND);
    let late = async {
        sleep(SECOND).await;
        let data = crate::datapool::encode::<(), _>(0, &()).unwrap();
        let item = lease::Item {
            id: ItemId(0),
            data,
        };
        let order = lease::Order::Give(vec![item]);
        orders
            .send(Order::Data {
                entry: ENTRY,
                order,
            })
            .unwrap();
    };
    let (run, ()) = tokio::join!(run, late);
    assert_eq!(run.most, 20);
    assert_eq!(run.journey().started, 80);
}

#[tokio::test(start_paused = true)]
async fn a_ramp_starts_exactly_its_integral() {
    let bench = Bench::new::<Blink>(Policy::Shared, |_| ());
    bench.plan(Ramp::per_second(0, 100, 10 * SECOND));
    let run = bench.run(10 * SECOND, 11 * SECOND).await;
    assert_eq!(run.journey().started, 500);
}

#[tokio::test(start_paused = true)]
async fn sharers_start_the_whole_between_them() {
    let mut started = 0;
    for index in 0..3 {
        let bench = Bench::new::<Blink>(Policy::Shared, |_| ());
        let share = Share::one(index, 3);
        bench.plan_for(Constant::per_second(100, 10 * SECOND), share);
        started += bench.run(10 * SECOND, 11 * SECOND).await.journey().started;
    }
    assert_eq!(started, 1000);
}

#[tokio::test(start_paused = true)]
async fn users_are_in_flight_at_once_and_run_their_journey_again_and_again() {
    let bench = Bench::new::<Think>(Policy::Shared, |_| ());
    bench.plan(Constant::users(10, 60 * SECOND));
    let run = bench.run(60 * SECOND, 62 * SECOND).await;
    assert_eq!(run.most, 10);
    let started = run.journey().started;
    assert!((590..=610).contains(&started), "{started}");
    assert_eq!(
        run.journey().completed,
        started,
        "the last ones were let to their end"
    );
    assert!(
        run.journey().start_delay.is_empty(),
        "the closed model has no intended start"
    );
    let users = run.journey().users;
    assert_eq!(users.unmet, Duration::ZERO);
    assert!(
        users.wanted > 590 * SECOND && users.wanted <= 600 * SECOND,
        "{:?}",
        users.wanted
    );
}

#[tokio::test(start_paused = true)]
async fn the_spawn_rate_limits_how_fast_users_are_added_and_costs_no_validity() {
    let bench = Bench::new::<Think>(Policy::Shared, |runner| runner.spawn_rate = 10.0);
    bench.plan(Constant::users(50, 20 * SECOND));
    let run = bench.run_with(3 * SECOND, 5 * SECOND, |_| ()).await;
    assert!((30..=31).contains(&run.most), "{}", run.most);
    assert!(
        run.journey().users.unmet < 500 * MILLISECOND,
        "{:?}",
        run.journey().users.unmet
    );
}

#[tokio::test(start_paused = true)]
async fn the_spawn_rate_is_that_of_all_entries_together() {
    let bench = Bench::new::<Think>(Policy::Shared, |runner| {
        runner.spawn_rate = 10.0;
        runner.entries = vec![runner.entries[0].clone(); 3];
    });
    for entry in (0..3).map(EntryId) {
        bench.give_to(entry, &[()]);
        bench.plan_entry(entry, Constant::users(50, 20 * SECOND), Share::ALL);
    }
    let run = bench.run_with(3 * SECOND, 5 * SECOND, |_| ()).await;
    assert!((30..=31).contains(&run.most), "{}", run.most);
    let started: Vec<_> = run
        .statistics
        .journeys
        .values()
        .map(|row| row.started)
        .collect();
    let (least, most) = (started.iter().min().unwrap(), started.iter().max().unwrap());
    assert!(most - least <= 3, "they take turns: {started:?}");
}

#[tokio::test(start_paused = true)]
async fn a_spawn_rate_of_next_to_nothing_adds_one_user_and_harms_no_one() {
    let bench = Bench::new::<Think>(Policy::Shared, |runner| runner.spawn_rate = 1e-300);
    bench.plan(Constant::users(0, SECOND) + Constant::users(5, 5 * SECOND));
    let run = bench.run(6 * SECOND, 7 * SECOND).await;
    assert_eq!(run.most, 1);
}

#[tokio::test(start_paused = true)]
async fn a_falling_target_lets_users_finish_their_journey() {
    let bench = Bench::new::<Think>(Policy::Shared, |_| ());
    bench.plan(Constant::users(10, 5 * SECOND) + Constant::users(2, 5 * SECOND));
    let run = bench.run(10 * SECOND, 12 * SECOND).await;
    let users: Vec<_> = run
        .snapshots
        .iter()
        .map(|(_, _, started)| *started)
        .collect();
    assert!(users[6..9].iter().all(|started| *started == 2), "{users:?}");
    assert_eq!(run.journey().interrupted, 0);
    assert_eq!(run.journey().failed, 0);
}

#[tokio::test(start_paused = true)]
async fn a_user_that_never_waits_leaves_the_thread_to_others() {
    let bench = Bench::new::<Spin>(Policy::Shared, |_| ());
    bench.plan(Constant::users(2, SECOND));
    // The clock is paused and somebody is always ready: only real time ends this, if nothing does.
    let Bench { worker, orders, .. } = bench;
    let local = LocalSet::new();
    let stop = async {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        orders.send(Order::Cut).unwrap();
    };
    local
        .run_until(async { tokio::join!(worker.run(Alarm::Coarse, Alarm::Coarse), stop) })
        .await;
}

#[tokio::test(start_paused = true)]
async fn starts_wait_in_order_for_room_with_their_clock_running() {
    let bench = Bench::new::<Think>(Policy::Shared, |runner| runner.max_in_flight = 10);
    // Ten a second fit; twenty a second do not, and the queue grows for five seconds.
    bench.plan(Constant::per_second(20, 5 * SECOND));
    let run = bench.run(5 * SECOND, 8 * SECOND).await;
    let journey = run.journey();
    assert_eq!(run.most, 10);
    assert_eq!(
        journey.started + journey.dropped,
        100,
        "started and dropped are what was planned"
    );
    assert!((50..=60).contains(&journey.started), "{}", journey.started);
    assert!(
        journey.response_time.max().unwrap() > 2900 * MILLISECOND,
        "the wait is in the response time"
    );
    assert!(
        journey.service_time.max().unwrap() < 1100 * MILLISECOND,
        "and not in the service time"
    );
    assert_waited(journey, |waits| waits.room);
}

/// Held in the third second of each five, and else done in a hundredth.
struct Stalled;

impl Journey for Stalled {
    type Data = ();
    const NAME: &'static str = "tests::stalled";

    async fn run(ctx: &Context, (): ()) -> Result {
        let elapsed = BEGAN.get().map_or(Duration::ZERO, |began| began.elapsed());
        let age = Duration::from_nanos((elapsed.as_nanos() % (5 * SECOND).as_nanos()) as u64);
        let held = if age >= 2 * SECOND {
            (3 * SECOND).saturating_sub(age)
        } else {
            Duration::ZERO
        };
        ctx.pause(held.max(MILLISECOND)).await;
        Ok(())
    }
}

/// A fifth of the starts come due during the stall, and one that does `t` before its end takes `t`.
#[tokio::test(start_paused = true)]
async fn a_stalled_server_shows_in_response_time_not_in_service_time() {
    for max_in_flight in [100_000, 50] {
        BEGAN.set(Some(tokio::time::Instant::now()));
        let bench = Bench::new::<Stalled>(Policy::Shared, |runner| {
            runner.max_in_flight = max_in_flight;
        });
        bench.plan(Constant::per_second(1000, 10 * SECOND));
        let run = bench.run(10 * SECOND, 12 * SECOND).await;
        let journey = run.journey();
        assert_eq!((journey.completed, journey.dropped), (10_000, 0));
        for (quantile, truth) in [(0.90, 0.50), (0.95, 0.75), (0.99, 0.95)] {
            let response = journey.response_time.quantile(quantile).unwrap();
            let off = response.as_secs_f64() / truth - 1.0;
            assert!(
                off.abs() < 0.05,
                "{quantile} of {max_in_flight}: {response:?}"
            );
        }
        let service = journey.service_time.quantile(0.95).unwrap();
        let hidden = max_in_flight == 50;
        assert_eq!(service < 5 * MILLISECOND, hidden, "{service:?}");
    }
}

/// All the waiting was for this, but for the few milliseconds by which a timer is late.
fn assert_waited(journey: &JourneyStatistics, what_for: impl Fn(Waits) -> Duration) {
    let waits = journey.waits;
    let all = waits.worker + waits.room + waits.data;
    let delay = &journey.start_delay;
    let delays = delay.mean_seconds().unwrap_or(0.0) * delay.count() as f64;
    assert!(all.as_secs_f64() > delays * 0.98, "{waits:?}, {delays}");
    assert!(what_for(waits) > all.mul_f64(0.95), "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn a_start_that_waits_too_long_is_dropped() {
    let bench = Bench::new::<Think>(Policy::Shared, |runner| {
        runner.max_in_flight = 1;
        runner.max_start_delay = 2 * SECOND;
    });
    bench.plan(Constant::per_second(10, 5 * SECOND));
    let run = bench.run(10 * SECOND, 12 * SECOND).await;
    let journey = run.journey();
    assert_eq!(journey.started + journey.dropped, 50);
    assert!((6..=8).contains(&journey.started), "{}", journey.started);
    let delay = journey.start_delay.max().unwrap();
    assert!(delay <= 2 * SECOND + 5 * MILLISECOND, "{delay:?}");
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_was_held_up_starts_what_it_missed() {
    let bench = Bench::new::<Blink>(Policy::Shared, |_| ());
    bench.plan(Constant::per_second(100, 5 * SECOND));
    let hold_up = async {
        sleep(2 * SECOND).await;
        tokio::time::advance(2 * SECOND).await;
    };
    let (run, ()) = tokio::join!(bench.run(5 * SECOND, 6 * SECOND), hold_up);
    assert_eq!(run.journey().started, 500);
    assert!(run.journey().start_delay.max().unwrap() >= 1900 * MILLISECOND);
    assert_waited(run.journey(), |waits| waits.worker);
    let covered: u64 = run
        .snapshots
        .iter()
        .map(|(first, until, _)| until - first)
        .sum();
    assert_eq!(
        covered,
        run.snapshots.last().unwrap().1,
        "no second is missing"
    );
}

#[tokio::test(start_paused = true)]
async fn journeys_that_never_end_are_counted_as_interrupted() {
    let bench = Bench::new::<Hang>(Policy::Shared, |_| ());
    bench.plan(Constant::users(5, 2 * SECOND));
    let run = bench.run(2 * SECOND, 4 * SECOND).await;
    assert_eq!(run.in_flight_at_cut, 5);
    assert_eq!(run.journey().started, 5);
    assert_eq!(run.journey().interrupted, 5);
    assert_eq!(run.drained, 0);
    assert_eq!(IN_FLIGHT.get(), 0, "their futures were dropped");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_last_journey_is_told_once() {
    let bench = Bench::new::<Think>(Policy::Shared, |_| ());
    bench.plan(Constant::users(5, 2 * SECOND));
    assert_eq!(bench.run(2 * SECOND, 4 * SECOND).await.drained, 1);
}

#[tokio::test(start_paused = true)]
async fn an_item_comes_back_from_a_journey_that_fails_or_panics() {
    let bench = Bench::new::<Fragile>(Policy::Recycle, |_| ());
    bench.give(&[1_u32, 2, 4]);
    bench.plan(Constant::users(3, 3 * SECOND));
    let run = bench.run(3 * SECOND, 4 * SECOND).await;
    let journey = run.journey();
    assert!(
        journey.completed > 90 && journey.failed > 180,
        "{journey:?}"
    );
    let kinds: Vec<_> = run
        .statistics
        .errors
        .iter()
        .map(|(key, count)| (key.kind.to_string(), *count))
        .collect();
    assert_eq!(kinds.len(), 2, "{kinds:?}");
    assert!(
        kinds
            .iter()
            .any(|(kind, count)| kind == "panic" && *count > 90),
        "{kinds:?}"
    );
    let returned = &run.data.last().unwrap().returned;
    let mut ids: Vec<_> = returned.iter().map(|item| item.id.0).collect();
    ids.sort_unstable();
    assert_eq!(ids, [0, 1, 2], "everything is given back at the end");
}

#[tokio::test(start_paused = true)]
async fn a_once_only_item_is_used_one_time_and_then_the_entry_is_over() {
    let bench = Bench::new::<Fragile>(Policy::Once, |_| ());
    bench.give(&(0..20_u32).collect::<Vec<_>>());
    bench.order(Order::Data {
        entry: ENTRY,
        order: lease::Order::Exhausted,
    });
    bench.plan(Constant::users(3, 60 * SECOND));
    let run = bench.run(60 * SECOND, 61 * SECOND).await;
    let mut seen = SEEN.take();
    seen.sort_unstable();
    assert_eq!(seen, (0..20).collect::<Vec<_>>());
    assert_eq!(run.journey().started, 20);
    let spent: usize = run.data.iter().map(|report| report.spent.len()).sum();
    assert_eq!(spent, 20, "each was reported as spent");
}

#[tokio::test(start_paused = true)]
async fn a_pool_smaller_than_the_volume_makes_users_wait_and_takes_no_one_down() {
    let bench = Bench::new::<Fragile>(Policy::Recycle, |_| ());
    bench.give(&[2_u32, 6]);
    bench.plan(Constant::users(10, 5 * SECOND));
    let run = bench.run(5 * SECOND, 6 * SECOND).await;
    let journey = run.journey();
    assert!(
        journey.completed > 900,
        "the two that can go on do: {}",
        journey.completed
    );
    let unmet = journey.users.unmet.as_secs_f64() / journey.users.wanted.as_secs_f64();
    assert!((0.75..=0.85).contains(&unmet), "eight of ten wait: {unmet}");
    assert!(
        run.data
            .iter()
            .any(|report| report.wish.is_some_and(|wish| wish.needed >= 8))
    );
}

#[tokio::test(start_paused = true)]
async fn a_start_without_data_waits_and_is_dropped_in_the_end() {
    let bench = Bench::new::<Fragile>(Policy::Recycle, |runner| {
        runner.max_start_delay = SECOND;
    });
    bench.plan(Constant::per_second(10, 3 * SECOND));
    let run = bench.run(3 * SECOND, 4 * SECOND).await;
    assert_eq!(run.journey().started, 0);
    assert_eq!(run.journey().dropped, 30);
    assert_waited(run.journey(), |waits| waits.data);
}

#[tokio::test(start_paused = true)]
async fn a_recalled_item_goes_to_those_who_starve() {
    let bench = Bench::new::<Fragile>(Policy::Recycle, |_| ());
    bench.give(&[2_u32, 6, 10, 14]);
    bench.plan(Constant::users(1, 3 * SECOND));
    let recall = lease::Order::Recall(lease::Recall { total: 2, keep: 1 });
    let orders = bench.orders.clone();
    let recall = async {
        sleep(SECOND).await;
        orders
            .send(Order::Data {
                entry: ENTRY,
                order: recall,
            })
            .unwrap();
    };
    let (run, ()) = tokio::join!(bench.run(3 * SECOND, 4 * SECOND), recall);
    let returned: Vec<_> = run
        .data
        .iter()
        .map(|report| report.returned.len())
        .collect();
    assert!(
        returned.starts_with(&[2]) || returned.contains(&2),
        "{returned:?}"
    );
    assert!(run.journey().completed > 250, "its own user went on");
}
