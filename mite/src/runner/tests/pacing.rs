//! When starts take place: along the plan, to the moment; and what delays them.

use tokio::time::Instant;

use super::*;
use crate::volume::Chain;

thread_local! {
    static BEGAN: RefCell<Vec<Instant>> = const { RefCell::new(Vec::new()) };
    static LEFT: RefCell<Vec<Instant>> = const { RefCell::new(Vec::new()) };
    static ORDERS: RefCell<Option<UnboundedSender<Order>>> = const { RefCell::new(None) };
}

/// What the timer of a paused clock rounds by: up to the millisecond, twice.
const ROUNDING: f64 = 0.002;

/// Says when it began, and when its user was told to go.
struct Stay;

impl Journey for Stay {
    type Data = ();
    const NAME: &'static str = "tests::stay";

    async fn run(ctx: &Context, (): ()) -> Result {
        BEGAN.with_borrow_mut(|began| began.push(Instant::now()));
        while !ctx.should_stop() {
            ctx.pause(MILLISECOND).await;
        }
        LEFT.with_borrow_mut(|left| left.push(Instant::now()));
        Ok(())
    }
}

/// Says when it began.
struct Touch;

impl Journey for Touch {
    type Data = ();
    const NAME: &'static str = "tests::touch";

    async fn run(_: &Context, (): ()) -> Result {
        BEGAN.with_borrow_mut(|began| began.push(Instant::now()));
        Ok(())
    }
}

/// Blocks its thread, and in its fifth run orders the worker to cut.
struct Block;

impl Journey for Block {
    type Data = ();
    const NAME: &'static str = "tests::block";

    async fn run(_: &Context, (): ()) -> Result {
        let runs = BEGAN.with_borrow_mut(|began| {
            began.push(Instant::now());
            began.len()
        });
        if runs == 5 {
            ORDERS.with_borrow(|orders| orders.as_ref().map(|orders| orders.send(Order::Cut)));
        }
        std::thread::sleep(5 * MILLISECOND);
        Ok(())
    }
}

fn seconds_since(origin: Instant, moments: Vec<Instant>) -> Vec<f64> {
    let mut seconds: Vec<_> = moments
        .into_iter()
        .map(|moment| (moment - origin).as_secs_f64())
        .collect();
    seconds.sort_by(f64::total_cmp);
    seconds
}

/// When journeys began and were told to go, in seconds, with `workers` to share the plan.
async fn moments<J: Journey>(
    volume: impl Fn() -> Chain,
    length: Duration,
    workers: u32,
) -> (Vec<f64>, Vec<f64>) {
    let (mut began, mut left) = (Vec::new(), Vec::new());
    for index in 0..workers {
        BEGAN.take();
        LEFT.take();
        let origin = Instant::now();
        let bench = Bench::new::<J>(Policy::Shared, |_| ());
        let of = workers;
        bench.plan_for(volume(), Share::one(index, of));
        bench.run(length, length + SECOND).await;
        began.extend(seconds_since(origin, BEGAN.take()));
        left.extend(seconds_since(origin, LEFT.take()));
    }
    began.sort_by(f64::total_cmp);
    left.sort_by(f64::total_cmp);
    (began, left)
}

fn assert_on_time(seen: &[f64], expected: impl ExactSizeIterator<Item = f64>) {
    assert_eq!(seen.len(), expected.len());
    for (k, (seen, due)) in seen.iter().zip(expected).enumerate() {
        let late = seen - due;
        assert!(
            (-1e-6..=ROUNDING).contains(&late),
            "number {k} is due at {due} and came at {seen}"
        );
    }
}

/// Up to 20 in 4 s, so for 2 s, and down to 0 in 4 s.
fn up_and_down(part: fn(f64, Duration) -> Constant) -> Chain {
    Ramp::over(4 * SECOND).from(0) + part(20.0, 2 * SECOND) + Ramp::over(4 * SECOND).to(0)
}

#[tokio::test(start_paused = true)]
async fn starts_follow_the_integral_of_a_ramp_within_each_second_and_across_its_ends() {
    // The integral is 2.5 t² up to 40, then 20 t, then from 80 on 120 - 2.5 (10 - t)².
    let due = |k: u32| match f64::from(k) + 0.5 {
        place if place < 40.0 => (place / 2.5).sqrt(),
        place if place < 80.0 => 4.0 + (place - 40.0) / 20.0,
        place => 10.0 - ((120.0 - place) / 2.5).sqrt(),
    };
    for workers in [1, 3] {
        let plan = || up_and_down(Constant::per_second);
        let (began, _) = moments::<Touch>(plan, 10 * SECOND, workers).await;
        assert_on_time(&began, (0..120).map(due));
        let second: Vec<_> = began
            .iter()
            .filter(|at| (1.0..2.0).contains(*at))
            .copied()
            .collect();
        let gaps: Vec<_> = second.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.len() > 5, "{gaps:?}");
        assert!(
            gaps.windows(2).all(|pair| pair[1] < pair[0]),
            "starts come closer within the second: {gaps:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn users_come_and_go_along_a_ramp_and_not_once_a_second() {
    let plan = || up_and_down(Constant::users);
    for workers in [1, 3] {
        let (began, left) = moments::<Stay>(plan, 10 * SECOND, workers).await;
        // User k is there where the level, 5 t at first, is above k + 1/2.
        let comes = |k: u32| (f64::from(k) + 0.5) / 5.0;
        assert_on_time(&began, (0..20).map(comes));
        assert_on_time(&left, (0..20).map(|k| 6.0 + comes(k)));
    }
}

#[tokio::test(start_paused = true)]
async fn random_starts_are_the_same_in_each_run_of_a_seed() {
    async fn began(seed: u64) -> Vec<f64> {
        BEGAN.take();
        let origin = Instant::now();
        let bench = Bench::new::<Touch>(Policy::Shared, |runner| runner.seed = seed);
        bench.plan(Constant::per_second(100, 5 * SECOND).poisson());
        bench.run(5 * SECOND, 6 * SECOND).await;
        seconds_since(origin, BEGAN.take())
    }
    let (first, again, other) = (began(1).await, began(1).await, began(2).await);
    assert_eq!(first, again);
    assert_ne!(first, other);
}

#[tokio::test(start_paused = true)]
async fn the_delay_of_starts_that_found_no_room_is_counted_while_they_still_run() {
    let bench = Bench::new::<Hang>(Policy::Shared, |runner| runner.max_in_flight = 3);
    bench.plan(Constant::per_second(10, SECOND));
    let run = bench.run(SECOND, 2 * SECOND).await;
    let journey = run.journey();
    assert_eq!((journey.started, journey.dropped), (3, 7));
    assert_eq!(journey.start_delay.count(), 3, "{journey:?}");

    let bench = Bench::new::<Think>(Policy::Shared, |runner| runner.max_in_flight = 1);
    bench.plan(Constant::per_second(2, SECOND));
    let run = bench.run(1500 * MILLISECOND, 1600 * MILLISECOND).await;
    let journey = run.journey();
    assert_eq!((journey.started, journey.interrupted), (2, 1));
    let delay = journey.start_delay.max().unwrap();
    // Due at 0.75 s, when the first, due at 0.25 s, still needs half a second.
    assert!(
        delay >= 500 * MILLISECOND && delay <= 505 * MILLISECOND,
        "{delay:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_delay_of_a_start_that_had_no_data_is_counted() {
    let bench = Bench::without_data::<Hang>(Policy::Shared, |_| ());
    bench.plan(Constant::per_second(10, SECOND));
    let orders = bench.orders.clone();
    let give = async {
        sleep(950 * MILLISECOND).await;
        let data = crate::datapool::encode::<(), _>(0, &()).unwrap();
        let id = ItemId(0);
        let order = lease::Order::Give(vec![lease::Item { id, data }]);
        let entry = ENTRY;
        orders.send(Order::Data { entry, order }).unwrap();
    };
    let (run, ()) = tokio::join!(bench.run(SECOND, 2 * SECOND), give);
    let delay = &run.journey().start_delay;
    assert_eq!(delay.count(), 10);
    let longest = delay.max().unwrap();
    assert!(
        longest >= 900 * MILLISECOND && longest <= 910 * MILLISECOND,
        "{longest:?}"
    );
}

/// Runs a worker on the real clock until it is cut, and tells what it did.
async fn run_until_cut(bench: Bench, alarm: Alarm) -> Run {
    BEGAN.take();
    let Bench {
        worker,
        orders,
        mut messages,
    } = bench;
    ORDERS.set(Some(orders));
    let local = LocalSet::new();
    local
        .run_until(Rc::clone(&worker).run(alarm, Alarm::Coarse))
        .await;
    ORDERS.take();
    drop(local);
    worker.farewell();
    let mut run = Run::default();
    while let Ok((_, message)) = messages.try_recv() {
        run.hear(message);
    }
    run
}

#[tokio::test]
async fn an_order_waits_for_one_journey_that_blocks_and_not_for_all_that_are_ready() {
    let open = Bench::new::<Block>(Policy::Shared, |_| ());
    open.plan(Constant::per_second(1000, 60 * SECOND));
    let closed = Bench::new::<Block>(Policy::Shared, |_| ());
    closed.plan(Constant::users(50, 60 * SECOND));
    for bench in [open, closed] {
        let run = run_until_cut(bench, Alarm::Coarse).await;
        let journey = run.journey();
        assert_eq!(journey.started, 5, "the fifth gave the order");
        assert_eq!((journey.completed, journey.interrupted), (5, 0));
    }
}

#[tokio::test]
async fn starts_that_never_had_their_turn_are_dropped_and_not_forgotten() {
    let bench = Bench::new::<Block>(Policy::Shared, |_| ());
    bench.plan(Constant::per_second(1000, 60 * SECOND));
    let run = run_until_cut(bench, Alarm::Coarse).await;
    let journey = run.journey();
    // Four journeys of 5 ms have kept as many as twenty waiting when the fifth looks on.
    assert!(journey.dropped >= 15, "{}", journey.dropped);
}

#[tokio::test]
async fn a_timer_of_the_kernel_and_a_watch_are_finer_than_the_timer_of_the_runtime() {
    // What three of four are later than, since others use the machine as well.
    async fn lateness(mut alarm: Alarm) -> Duration {
        let mut late = Vec::new();
        for _ in 0..100 {
            let due = Instant::now() + Duration::from_micros(1300);
            while Instant::now() < due {
                alarm.wait_until(due).await;
            }
            late.push(due.elapsed());
        }
        late.sort_unstable();
        late[late.len() / 4]
    }
    let coarse = lateness(Alarm::Coarse).await;
    let fine = lateness(Alarm::fine()).await;
    let precise = lateness(Alarm::Precise(Rc::default())).await;
    if cfg!(target_os = "linux") {
        assert!(fine < coarse / 2, "{fine:?}, {coarse:?}");
    }
    assert!(precise < Duration::from_micros(100), "{precise:?}");
}
