//! Whole runs, in real time but short: how they begin, end and are judged.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;

use super::{Run, RunError};
use crate::{
    Config, Context, ItemId, Scenario, Verdict,
    datapool::{Checkout, DataPool, DataPoolError, Once, Policy, Recyclable, Single},
    journey,
    report::{Cause, Report},
    volume::{Constant, Volume, Window, one_shot},
};

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

#[journey(crate = "crate")]
async fn tick(ctx: &Context) -> crate::Result {
    ctx.pause(10 * MILLISECOND).await;
    Ok(())
}

#[journey(crate = "crate")]
async fn forever(_ctx: &Context) -> crate::Result {
    std::future::pending().await
}

#[journey(crate = "crate")]
async fn note(ctx: &Context, number: u32) -> crate::Result {
    ctx.transaction("note", async {
        ctx.pause(5 * MILLISECOND).await;
        crate::ensure!(number != 13, "thirteen is unlucky");
        Ok(())
    })
    .await
}

async fn execute(run: Run) -> Report {
    run.execute().await.unwrap()
}

fn reasons(report: &Report) -> String {
    report.reasons.join("\n")
}

#[tokio::test]
async fn a_rate_is_met_exactly_and_passes() {
    let scenario = Scenario::new().journey::<tick>((), Constant::per_second(200, 2 * SECOND));
    let report = crate::run(scenario).await.unwrap();
    assert_eq!(report.journeys[0].started, 400);
    assert_eq!(report.journeys[0].completed, 400);
    assert_eq!(
        report
            .series
            .points
            .iter()
            .map(|point| point.planned_starts)
            .sum::<u64>(),
        400
    );
    assert_eq!(
        report
            .series
            .points
            .iter()
            .map(|point| point.starts)
            .sum::<u64>(),
        400
    );
    assert!(
        (1.9..3.0).contains(&report.duration_seconds),
        "{}",
        report.duration_seconds
    );
}

#[tokio::test]
async fn two_entries_of_one_journey_are_two_rows() {
    let scenario = Scenario::new()
        .journey::<tick>((), Constant::per_second(10, SECOND))
        .journey::<tick>((), Constant::per_second(20, SECOND));
    let report = crate::run(scenario).await.unwrap();
    let rows: Vec<_> = report
        .journeys
        .iter()
        .map(|row| (row.entry, row.started))
        .collect();
    assert_eq!(rows, [(Some(0), 10), (Some(1), 20)]);
}

#[tokio::test]
async fn many_entries_of_one_user_each_are_spread_over_the_workers() {
    static THREADS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

    #[journey(crate = "crate")]
    async fn where_am_i(ctx: &Context) -> crate::Result {
        let name = std::thread::current().name().unwrap_or_default().to_owned();
        THREADS.lock().unwrap().insert(name);
        ctx.pause(10 * MILLISECOND).await;
        Ok(())
    }

    let scenario = (0..4).fold(Scenario::new(), |scenario, _| {
        scenario.journey::<where_am_i>((), Constant::users(1, SECOND / 2))
    });
    execute(Run::new(scenario).workers(4)).await;
    assert_eq!(THREADS.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn a_setup_that_fails_does_not_tell_secrets() {
    let scenario = Scenario::new()
        .setup(async |config| {
            let password: String = config.get("db_password")?;
            crate::bail!("the database does not take {password}")
        })
        .journey::<tick>((), one_shot());
    let mut config = Config::default();
    config.set("db_password", "hunter2");
    let run = Run::new(scenario).config(config);
    let error = run.execute().await.unwrap_err().to_string();
    assert!(
        error.contains("does not take ***") && error.contains("tests.rs:"),
        "{error}"
    );
}

#[tokio::test]
async fn a_base_url_that_is_none_is_refused_before_anything_starts() {
    let scenario = Scenario::new()
        .base_url("nonsense")
        .journey::<tick>((), one_shot());
    let error = Run::new(scenario).execute().await.unwrap_err().to_string();
    assert!(
        error.contains("nonsense") && error.contains("https://"),
        "{error}"
    );
}

#[tokio::test]
async fn a_one_shot_runs_one_time() {
    let scenario = Scenario::new().journey::<tick>((), one_shot());
    let report = execute(Run::new(scenario).workers(2)).await;
    assert_eq!(report.journeys[0].started, 1);
    // A machine that is busy with other things may start it late.
    let is_late = reasons(&report).contains("start delay");
    let verdict = if is_late {
        Verdict::Invalid
    } else {
        Verdict::Passed
    };
    assert_eq!(report.verdict, verdict, "{}", reasons(&report));
}

#[tokio::test]
async fn a_failure_without_a_threshold_on_errors_fails_the_run_and_is_told_with_its_place() {
    let scenario =
        Scenario::new().journey::<note>(Single::new(13_u32), Constant::per_second(10, SECOND));
    let report = crate::run(scenario).await.unwrap();
    assert_eq!(report.verdict, Verdict::Failed);
    assert!(
        reasons(&report).contains("10 journeys failed"),
        "{}",
        reasons(&report)
    );
    assert_eq!(report.errors.len(), 1);
    let error = &report.errors[0];
    assert_eq!((error.kind.as_str(), error.count), ("error", 10));
    assert_eq!(error.message, "thirteen is unlucky");
    assert_eq!(error.transaction, "note");
    assert!(
        error.location.contains("engine/tests.rs:"),
        "{}",
        error.location
    );
    assert_eq!(report.transactions[0].errors, 10);
}

#[tokio::test]
async fn a_threshold_on_errors_says_how_many_are_too_many() {
    let numbers = || Recyclable::new((0..20_u32).collect::<Vec<_>>());
    let volume = || Constant::per_second(40, SECOND);
    for (threshold, passed) in [("errors.rate < 50%", true), ("errors.rate < 1%", false)] {
        let scenario = Scenario::new()
            .journey::<note>(numbers(), volume())
            .threshold(threshold);
        let report = crate::run(scenario).await.unwrap();
        assert_eq!(report.thresholds[0].passed, passed, "{threshold}");
        assert_eq!(reasons(&report).contains("does not hold"), !passed);
        assert!(!reasons(&report).contains("no threshold is on errors"));
    }
}

#[tokio::test]
async fn stopping_lets_journeys_end_and_cutting_does_not() {
    let scenario = || Scenario::new().journey::<tick>((), Constant::users(4, 60 * SECOND));
    let run = Run::new(scenario());
    let stop = run.stop_handle();
    let (report, ()) = tokio::join!(execute(run), async {
        tokio::time::sleep(300 * MILLISECOND).await;
        stop.stop();
    });
    assert_eq!(report.verdict, Verdict::Interrupted);
    assert_eq!(report.journeys[0].interrupted, 0);
    assert!(report.duration_seconds < 5.0);

    let hanging = Scenario::new().journey::<forever>((), Constant::users(4, 60 * SECOND));
    let run = Run::new(hanging);
    let stop = run.stop_handle();
    let (report, ()) = tokio::join!(execute(run), async {
        tokio::time::sleep(300 * MILLISECOND).await;
        stop.stop();
        tokio::time::sleep(200 * MILLISECOND).await;
        stop.cut();
    });
    assert_eq!(report.verdict, Verdict::Interrupted);
    assert_eq!(report.journeys[0].interrupted, 4);
    assert!(
        report.duration_seconds < 5.0,
        "the grace of 30 s was not waited for"
    );
}

#[tokio::test]
async fn what_does_not_end_within_the_grace_is_interrupted() {
    let scenario = Scenario::new().journey::<forever>((), Constant::users(3, SECOND));
    let report = execute(Run::new(scenario).graceful_stop(200 * MILLISECOND)).await;
    assert_eq!(report.journeys[0].started, 3);
    assert_eq!(report.journeys[0].interrupted, 3);
    assert!(report.duration_seconds < 3.0, "{}", report.duration_seconds);
}

#[tokio::test]
async fn dropping_the_future_ends_the_run() {
    static ALIVE: AtomicUsize = AtomicUsize::new(0);

    struct Guard;
    impl Drop for Guard {
        fn drop(&mut self) {
            ALIVE.fetch_sub(1, Ordering::SeqCst);
        }
    }

    #[journey(crate = "crate")]
    async fn guarded(ctx: &Context) -> crate::Result {
        ALIVE.fetch_add(1, Ordering::SeqCst);
        let _guard = Guard;
        ctx.pause(60 * SECOND).await;
        Ok(())
    }

    let scenario = Scenario::new().journey::<guarded>((), Constant::users(2, 60 * SECOND));
    let run = Run::new(scenario).execute();
    let waited = tokio::time::timeout(500 * MILLISECOND, run).await;
    assert!(waited.is_err());
    let deadline = Instant::now() + 5 * SECOND;
    while ALIVE.load(Ordering::SeqCst) > 0 && Instant::now() < deadline {
        tokio::time::sleep(10 * MILLISECOND).await;
    }
    assert_eq!(ALIVE.load(Ordering::SeqCst), 0, "its journeys are gone");
}

#[tokio::test]
async fn a_worker_stuck_in_blocking_code_is_left_behind_and_makes_the_run_invalid() {
    #[journey(crate = "crate")]
    async fn block(_ctx: &Context) -> crate::Result {
        std::thread::sleep(8 * SECOND);
        Ok(())
    }

    let scenario = Scenario::new()
        .journey::<block>((), one_shot())
        .journey::<tick>((), Constant::per_second(10, SECOND));
    let run = Run::new(scenario)
        .workers(2)
        .graceful_stop(200 * MILLISECOND);
    let began = Instant::now();
    let report = execute(run).await;
    assert!(began.elapsed() < 7 * SECOND, "{:?}", began.elapsed());
    assert_eq!(report.verdict, Verdict::Invalid);
    assert!(reasons(&report).contains("stuck"), "{}", reasons(&report));
    assert!(
        report.journeys.iter().any(|row| row.completed > 0),
        "the other worker counts"
    );
}

#[tokio::test]
async fn a_once_only_pool_is_used_up_and_that_is_a_planned_end() {
    let pool = Once::new((100..150_u32).collect::<Vec<_>>());
    let scenario = Scenario::new().journey::<note>(pool, Constant::users(5, 60 * SECOND));
    let report = execute(Run::new(scenario).workers(2)).await;
    assert_eq!(report.journeys[0].started, 50);
    assert_eq!(report.verdict, Verdict::Passed, "{}", reasons(&report));
    assert!(
        report.duration_seconds < 10.0,
        "{}",
        report.duration_seconds
    );
}

#[tokio::test]
async fn an_open_entry_ends_with_its_data_while_another_goes_on() {
    let pool = Once::new((100..120_u32).collect::<Vec<_>>());
    let scenario = Scenario::new()
        .journey::<note>(pool, Constant::per_second(100, 3 * SECOND))
        .journey::<tick>((), Constant::per_second(10, 2 * SECOND));
    let report = execute(Run::new(scenario).workers(2)).await;
    assert_eq!(report.journey("note").unwrap().started, 20);
    assert_eq!(report.journey("tick").unwrap().started, 20);
    assert_eq!(report.verdict, Verdict::Passed, "{}", reasons(&report));
}

#[tokio::test]
async fn a_pool_smaller_than_the_volume_is_reported_as_starved_and_the_run_as_invalid() {
    let pool = Recyclable::new([1_u32, 2]);
    let scenario = Scenario::new().journey::<note>(pool, Constant::users(6, 2 * SECOND));
    let report = execute(Run::new(scenario).workers(2)).await;
    assert_eq!(report.verdict, Verdict::Invalid);
    assert!(
        reasons(&report).contains("datapool is too small"),
        "{}",
        reasons(&report)
    );
    assert_eq!(report.generator.starved.len(), 1);
    assert_eq!(report.generator.suspicions[0].cause, Cause::Data);
    let row = &report.journeys[0];
    assert!(
        row.completed > 100,
        "it goes on with what there is: {}",
        row.completed
    );
    assert_eq!(row.failed, 0);
    assert!(
        (0.6..0.75).contains(&row.unmet),
        "four of six wait: {}",
        row.unmet
    );
}

#[tokio::test]
async fn recyclable_items_are_never_with_two_journeys_at_once() {
    static OUT: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

    #[journey(crate = "crate")]
    async fn exclusive(ctx: &Context, number: u32) -> crate::Result {
        crate::ensure!(OUT.lock().unwrap().insert(number), "{number} is out twice");
        ctx.pause(2 * MILLISECOND).await;
        OUT.lock().unwrap().remove(&number);
        crate::ensure!(!number.is_multiple_of(3), "a failure gives it back as well");
        assert!(!number.is_multiple_of(5), "and so does a panic");
        Ok(())
    }

    let pool = Recyclable::new((0..30_u32).collect::<Vec<_>>());
    let scenario = Scenario::new()
        .journey::<exclusive>(pool, Constant::users(20, 2 * SECOND))
        .threshold("errors.rate < 100%");
    let report = execute(Run::new(scenario).workers(3)).await;
    let twice = report
        .errors
        .iter()
        .find(|row| row.message.contains("out twice"));
    assert_eq!(twice, None);
    assert!(
        report.journeys[0].started > 1000,
        "{}",
        report.journeys[0].started
    );
    assert_eq!(report.verdict, Verdict::Passed, "{}", reasons(&report));
}

#[tokio::test]
async fn a_recyclable_pool_goes_round_as_a_whole() {
    static SEEN: Mutex<Vec<u32>> = Mutex::new(Vec::new());

    #[journey(crate = "crate")]
    async fn look(_ctx: &Context, number: u32) -> crate::Result {
        SEEN.lock().unwrap().push(number);
        Ok(())
    }

    let pool = Recyclable::new((0..200_u32).collect::<Vec<_>>());
    let scenario = Scenario::new().journey::<look>(pool, Constant::per_second(400, 2 * SECOND));
    execute(Run::new(scenario).workers(2)).await;
    let mut seen = SEEN.lock().unwrap().clone();
    assert_eq!(seen.len(), 800);
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 200, "each was used, not a few again and again");
}

/// A pool that writes down what is done with it, and breaks when it is told to.
struct Watched {
    log: Arc<Mutex<Vec<String>>>,
    next: u64,
    breaks_at: u64,
}

#[async_trait]
impl DataPool for Watched {
    type Item = u32;

    fn policy(&self) -> Policy {
        Policy::Once
    }

    async fn open(&mut self, config: &Config) -> Result<(), DataPoolError> {
        self.log.lock().unwrap().push("open".into());
        if config.contains("refuse") {
            return Err(DataPoolError::new("the database is asleep; wake it"));
        }
        Ok(())
    }

    async fn checkout(&mut self, want: usize) -> Result<Checkout<u32>, DataPoolError> {
        if self.next >= self.breaks_at {
            return Err(DataPoolError::new("the database fell over"));
        }
        let items = (self.next..).take(want.min(5));
        let items: Vec<_> = items
            .map(|number| (ItemId(number), 100 + number as u32))
            .collect();
        self.next += items.len() as u64;
        Ok(Checkout {
            items,
            exhausted: false,
        })
    }

    async fn checkin(&mut self, items: &[ItemId], used: bool) {
        let mut log = self.log.lock().unwrap();
        log.extend(items.iter().map(|item| format!("{} {used}", item.0)));
    }
}

#[tokio::test]
async fn everything_checked_out_is_checked_in_by_the_end() {
    let log = Arc::default();
    let pool = Watched {
        log: Arc::clone(&log),
        next: 0,
        breaks_at: u64::MAX,
    };
    let scenario = Scenario::new().journey::<note>(pool, Constant::per_second(50, SECOND));
    let report = execute(Run::new(scenario).workers(2)).await;
    assert_eq!(report.journeys[0].started, 50, "{}", reasons(&report));
    let log = log.lock().unwrap();
    let used: BTreeSet<_> = log.iter().filter(|line| line.ends_with(" true")).collect();
    assert_eq!(used.len(), 50);
    let all: BTreeSet<_> = log.iter().filter(|line| *line != "open").collect();
    assert_eq!(all.len(), log.len() - 1, "nothing came back twice");
}

#[tokio::test]
async fn a_pool_that_breaks_ends_its_entry_and_fails_the_run() {
    let pool = Watched {
        log: Arc::default(),
        next: 0,
        breaks_at: 20,
    };
    let scenario = Scenario::new()
        .journey::<note>(pool, Constant::per_second(50, 60 * SECOND))
        .journey::<tick>((), Constant::per_second(10, 2 * SECOND));
    let report = crate::run(scenario).await.unwrap();
    assert!(report.duration_seconds < 10.0);
    assert_ne!(report.verdict, Verdict::Passed);
    assert!(
        reasons(&report).contains("the database fell over"),
        "{}",
        reasons(&report)
    );
    assert!((1..=20).contains(&report.journey("note").unwrap().started));
    assert_eq!(
        report.journey("tick").unwrap().started,
        20,
        "the other entry goes on"
    );
}

#[tokio::test]
async fn a_pool_that_cannot_be_opened_starts_nothing() {
    let pool = Watched {
        log: Arc::default(),
        next: 0,
        breaks_at: 0,
    };
    let scenario = Scenario::new().journey::<note>(pool, Constant::per_second(50, SECOND));
    let mut config = Config::default();
    config.set("refuse", true);
    let error = Run::new(scenario)
        .config(config)
        .execute()
        .await
        .unwrap_err();
    assert!(matches!(error, RunError::DataPool { .. }));
    assert!(
        error
            .to_string()
            .ends_with("the database is asleep; wake it"),
        "{error}"
    );
}

#[tokio::test]
async fn setup_and_teardown_run_once_with_the_config() {
    #[journey(crate = "crate")]
    async fn reads(ctx: &Context) -> crate::Result {
        let number: u32 = ctx.config().get("number")?;
        crate::ensure!(number == 42, "the number is {number}");
        Ok(())
    }

    static TORN_DOWN: AtomicU64 = AtomicU64::new(0);
    let scenario = Scenario::new()
        .setup(async |config| {
            config.set("number", 42);
            Ok(())
        })
        .teardown(async |config| {
            TORN_DOWN.fetch_add(config.get("number")?, Ordering::SeqCst);
            Ok(())
        })
        .journey::<reads>((), Constant::per_second(10, SECOND));
    let report = crate::run(scenario).await.unwrap();
    assert_eq!(report.verdict, Verdict::Passed, "{:?}", report.errors);
    assert_eq!(TORN_DOWN.load(Ordering::SeqCst), 42);
}

#[tokio::test]
async fn a_setup_that_fails_starts_nothing_and_a_teardown_that_panics_loses_nothing() {
    let failing = Scenario::new()
        .setup(async |_| crate::bail!("the shop is closed"))
        .journey::<tick>((), one_shot());
    let error = Run::new(failing).execute().await.unwrap_err();
    assert!(error.to_string().contains("the shop is closed"), "{error}");

    let panicking = Scenario::new()
        .teardown(async |_| panic!("cannot sweep"))
        .journey::<tick>((), one_shot());
    let report = crate::run(panicking).await.unwrap();
    assert_eq!(report.verdict, Verdict::Failed);
    assert!(
        reasons(&report).contains("cannot sweep"),
        "{}",
        reasons(&report)
    );
    assert_eq!(report.journeys[0].completed, 1);
}

#[tokio::test]
async fn a_user_keeps_its_state_and_a_value_is_shared_by_all() {
    #[derive(Default)]
    struct SignedIn(std::cell::Cell<bool>);
    static SIGN_INS: AtomicUsize = AtomicUsize::new(0);
    static TOKENS: AtomicUsize = AtomicUsize::new(0);

    #[journey(crate = "crate")]
    async fn visit(ctx: &Context) -> crate::Result {
        let state = ctx.user::<SignedIn>();
        if !state.0.replace(true) {
            SIGN_INS.fetch_add(1, Ordering::SeqCst);
        }
        let token = ctx
            .shared("token", async {
                tokio::time::sleep(20 * MILLISECOND).await;
                Ok(TOKENS.fetch_add(1, Ordering::SeqCst))
            })
            .await?;
        crate::ensure!(*token == 0, "made {token} times before");
        ctx.pause(10 * MILLISECOND).await;
        Ok(())
    }

    let scenario = Scenario::new().journey::<visit>((), Constant::users(6, SECOND));
    let report = execute(Run::new(scenario).workers(3)).await;
    assert_eq!(report.journeys[0].failed, 0, "{:?}", report.errors);
    assert!(report.journeys[0].completed > 60);
    assert_eq!(SIGN_INS.load(Ordering::SeqCst), 6);
    assert_eq!(TOKENS.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_random_numbers() {
    static DRAWN: Mutex<Vec<u64>> = Mutex::new(Vec::new());

    #[journey(crate = "crate")]
    async fn draw(ctx: &Context) -> crate::Result {
        DRAWN.lock().unwrap().push(ctx.rng().u64(..));
        Ok(())
    }

    let mut runs = Vec::new();
    for (seed, workers) in [(1, 1), (1, 3), (2, 1)] {
        let scenario = Scenario::new().journey::<draw>((), Constant::per_second(20, SECOND));
        execute(Run::new(scenario).seed(seed).workers(workers)).await;
        let mut drawn = std::mem::take(&mut *DRAWN.lock().unwrap());
        drawn.sort_unstable();
        runs.push(drawn);
    }
    assert_eq!(runs[0].len(), 20);
    assert_eq!(runs[0], runs[1], "however many workers share them");
    assert_ne!(runs[0], runs[2]);
}

#[tokio::test]
async fn a_volume_that_goes_from_users_to_a_rate_does_both() {
    let model = |window: Window| match window.start.as_secs() {
        0 => Volume::Users(3),
        1 => Volume::PerSecond(50.0),
        _ => Volume::Stop,
    };
    let scenario = Scenario::new().journey::<tick>((), model);
    let report = execute(Run::new(scenario).workers(2)).await;
    let starts: Vec<_> = report
        .series
        .points
        .iter()
        .map(|point| point.starts)
        .collect();
    assert!(
        starts[0] > 150,
        "three users of a hundredth of a second each: {starts:?}"
    );
    assert!((40..=60).contains(&starts[1]), "{starts:?}");
    assert_eq!(
        report
            .series
            .points
            .iter()
            .map(|point| point.planned_starts)
            .sum::<u64>(),
        50
    );
}

#[tokio::test]
async fn a_scenario_that_makes_no_sense_is_refused() {
    let empty = Run::new(Scenario::new()).execute().await.unwrap_err();
    assert!(empty.to_string().contains("no journeys"), "{empty}");
    let nan = Scenario::new().journey::<tick>((), Constant::per_second(f64::NAN, SECOND));
    let error = Run::new(nan).execute().await.unwrap_err().to_string();
    assert!(error.contains("tick") && error.contains("NaN"), "{error}");
    let threshold = Scenario::new()
        .journey::<tick>((), one_shot())
        .threshold("http.p99 < 3 bananas");
    let error = Run::new(threshold).execute().await.unwrap_err().to_string();
    assert!(error.contains("bananas"), "{error}");
    let spawn = Run::new(Scenario::new().journey::<tick>((), one_shot())).spawn_rate(f64::NAN);
    assert!(
        spawn
            .execute()
            .await
            .unwrap_err()
            .to_string()
            .contains("spawn rate")
    );
}

#[tokio::test]
async fn an_extension_that_panics_as_it_goes_fails_its_journey_and_not_the_user() {
    struct Fragile;

    impl crate::Extension for Fragile {
        fn attach(_: &Context) -> Self {
            Self
        }
    }

    impl Drop for Fragile {
        fn drop(&mut self) {
            panic!("broken as it was dropped");
        }
    }

    #[journey(crate = "crate")]
    async fn fragile(ctx: &Context) -> crate::Result {
        ctx.extension::<Fragile>();
        ctx.pause(10 * MILLISECOND).await;
        Ok(())
    }

    let scenario = Scenario::new().journey::<fragile>((), Constant::users(2, 500 * MILLISECOND));
    let report = execute(Run::new(scenario).workers(1)).await;
    let row = &report.journeys[0];
    // On a machine that is busy otherwise the run is invalid too.
    assert_ne!(report.verdict, Verdict::Passed, "{}", reasons(&report));
    assert!(row.failed > 20, "{row:?}");
    assert_eq!(report.errors[0].kind, "panic");
    assert_eq!(report.errors[0].count, row.failed);
}

#[tokio::test]
async fn a_journey_that_blocks_its_thread_lets_the_worker_hear_orders_after_each_run() {
    #[journey(crate = "crate")]
    async fn compute(_ctx: &Context) -> crate::Result {
        std::thread::sleep(100 * MILLISECOND);
        Ok(())
    }

    let scenario = Scenario::new().journey::<compute>((), Constant::users(1, 500 * MILLISECOND));
    let began = Instant::now();
    let report = execute(Run::new(scenario).workers(1)).await;
    assert!(began.elapsed() < 3 * SECOND, "{:?}", began.elapsed());
    let row = &report.journeys[0];
    assert!((4..=8).contains(&row.completed), "{row:?}");
}

#[tokio::test]
async fn a_worker_without_users_keeps_no_items_to_itself() {
    static SEEN: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

    #[journey(crate = "crate")]
    async fn see(ctx: &Context, number: u32) -> crate::Result {
        SEEN.lock().unwrap().insert(number);
        ctx.pause(10 * MILLISECOND).await;
        Ok(())
    }

    let pool = Recyclable::new(0..8_u32);
    let scenario = Scenario::new().journey::<see>(pool, Constant::users(1, SECOND));
    let report = execute(Run::new(scenario).workers(4)).await;
    assert_eq!(report.verdict, Verdict::Passed, "{}", reasons(&report));
    assert_eq!(*SEEN.lock().unwrap(), (0..8).collect());
}

#[tokio::test]
async fn a_secret_of_the_config_is_nowhere_in_the_report() {
    #[journey(crate = "crate")]
    async fn leak(ctx: &Context) -> crate::Result {
        let secret = ctx
            .config()
            .text("api_token")
            .unwrap_or_default()
            .to_owned();
        ctx.transaction(format!("as {secret}"), async {
            ctx.http()
                .get(format!("http://127.0.0.1:1/{secret}"))
                .send()
                .await?;
            Ok(())
        })
        .await
    }

    let scenario = Scenario::new()
        .setup(async |config: &mut Config| {
            config.set("api_token", "hunter2");
            Ok(())
        })
        .teardown(async |_: &mut Config| crate::bail!("cannot log hunter2 out"))
        .journey::<leak>((), one_shot());
    let report = execute(Run::new(scenario)).await;
    let text = serde_json::to_string(&report).unwrap();
    assert!(
        text.contains("log *** out") && text.contains("as ***"),
        "{text}"
    );
    assert!(!text.contains("hunter2"), "{text}");
}

#[tokio::test]
async fn a_run_that_is_over_before_its_warm_up_is_invalid() {
    let scenario = Scenario::new()
        .warm_up(60 * SECOND)
        .journey::<tick>((), Constant::per_second(20, 200 * MILLISECOND));
    let report = execute(Run::new(scenario)).await;
    assert_eq!(report.verdict, Verdict::Invalid);
    assert!(reasons(&report).contains("warm-up"), "{}", reasons(&report));
    assert_eq!(report.generator.suspicions[0].cause, Cause::Scenario);
}

/// Answers every request after half a second, and gives its address.
async fn slow_server() -> String {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut lines = BufReader::new(stream).lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    if line.is_empty() {
                        tokio::time::sleep(500 * MILLISECOND).await;
                        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
                        let stream = lines.get_mut();
                        stream.write_all(answer).await.unwrap();
                    }
                }
            });
        }
    });
    format!("http://{address}/")
}

#[journey(crate = "crate")]
async fn ask(ctx: &Context) -> crate::Result {
    let url: String = ctx.config().get("url")?;
    ctx.http().get(&url).send().await?;
    Ok(())
}

#[tokio::test]
async fn who_is_to_blame_for_missing_starts_depends_on_what_keeps_journeys_in_flight() {
    let mut config = Config::default();
    config.set("url", slow_server().await);
    let volume = || Constant::per_second(40, 2 * SECOND);
    let asking = Scenario::new().journey::<ask>((), volume());
    let sleeping = Scenario::new().journey::<nap>((), volume());
    for (scenario, cause) in [(asking, Cause::Server), (sleeping, Cause::Scenario)] {
        let run = Run::new(scenario).config(config.clone()).workers(2);
        let run = run.max_start_delay(300 * MILLISECOND);
        let report = execute(run.max_in_flight(4)).await;
        assert_eq!(report.verdict, Verdict::Invalid);
        let decisive = report.generator.suspicions.iter().filter(|one| one.invalid);
        // A busy machine may give reasons of its own.
        let of_load = decisive.filter(|one| one.name != "loop_lag");
        let of_load: Vec<_> = of_load.map(|one| (one.name.as_str(), one.cause)).collect();
        assert_eq!(of_load, [("starts", cause), ("start_delay", cause)]);
        assert!(reasons(&report).contains("--max-in-flight allows (4)"));
    }
}

#[journey(crate = "crate")]
async fn nap(ctx: &Context) -> crate::Result {
    ctx.pause(500 * MILLISECOND).await;
    Ok(())
}

#[tokio::test]
async fn more_workers_than_journeys_may_be_in_flight_lose_no_start() {
    let scenario = Scenario::new().journey::<tick>((), Constant::per_second(20, SECOND));
    let report = execute(Run::new(scenario).workers(4).max_in_flight(1)).await;
    assert_eq!(report.journeys[0].completed, 20, "{}", reasons(&report));
}
