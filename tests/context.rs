//! What a journey can do with its context, seen through what it recorded.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::time::Instant;

use mite::{
    Config, Context, Error, Extension, journey,
    testing::{self, Recorded},
};

const MILLISECOND: Duration = Duration::from_millis(1);

/// The failures that were reported: kind, transaction, message.
fn failures(recorded: &Recorded) -> Vec<(String, String, String)> {
    let text = |value: Option<&serde_json::Value>| {
        value
            .and_then(|value| value.as_str())
            .unwrap_or_default()
            .to_owned()
    };
    recorded
        .events("error")
        .into_iter()
        .map(|event| {
            (
                text(event.field("kind")),
                event.transaction.clone(),
                text(event.field("message")),
            )
        })
        .collect()
}

fn failure(kind: &str, transaction: &str, message: &str) -> (String, String, String) {
    (kind.to_owned(), transaction.to_owned(), message.to_owned())
}

#[journey]
async fn joined(ctx: &Context) -> mite::Result {
    ctx.transaction("outer", async {
        let (left, right) = tokio::join!(
            ctx.transaction("left", async {
                ctx.pause(20 * MILLISECOND).await;
                ctx.transaction("deep", async {
                    ctx.pause(20 * MILLISECOND).await;
                    ctx.send("seen", "left")
                })
                .await
            }),
            ctx.transaction("right", async {
                ctx.pause(30 * MILLISECOND).await;
                ctx.send("seen", "right")
            }),
        );
        left.and(right)
    })
    .await?;
    ctx.send("seen", "after")
}

#[tokio::test(start_paused = true)]
async fn transactions_nest_rightly_under_join() {
    let recorded = testing::run::<joined>(()).await;
    recorded.result().unwrap();
    assert_eq!(
        recorded.transactions(),
        [
            "outer :: right",
            "outer :: left :: deep",
            "outer :: left",
            "outer"
        ]
    );
    let seen: Vec<_> = recorded
        .events("seen")
        .into_iter()
        .map(|event| event.transaction.as_str())
        .collect();
    assert_eq!(seen, ["outer :: right", "outer :: left :: deep", ""]);
    let times: Vec<_> = recorded
        .events("transaction")
        .into_iter()
        .map(|event| (event.field("time").unwrap().as_f64().unwrap() * 1000.0).round())
        .collect();
    assert_eq!(times, [30.0, 20.0, 40.0, 40.0], "milliseconds");
}

#[journey]
async fn streamed(ctx: &Context) -> mite::Result {
    ctx.transaction("all", async {
        let mut parts: FuturesUnordered<_> = (0..5_u32)
            .map(|number| {
                ctx.transaction(format!("part {number}"), async move {
                    ctx.pause((5 - number) * 10 * MILLISECOND).await;
                    ctx.send("seen", number)
                })
            })
            .collect();
        while let Some(result) = parts.next().await {
            result?;
        }
        Ok(())
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn transactions_nest_rightly_in_concurrent_streams() {
    let recorded = testing::run::<streamed>(()).await;
    let seen: Vec<_> = recorded
        .events("seen")
        .into_iter()
        .map(|event| event.transaction.clone())
        .collect();
    let expected: Vec<_> = (0..5)
        .rev()
        .map(|number| format!("all :: part {number}"))
        .collect();
    assert_eq!(seen, expected);
}

#[journey]
async fn made_elsewhere(ctx: &Context) -> mite::Result {
    let inner = ctx.transaction("inner", async { Ok(()) });
    ctx.transaction("outer", inner).await
}

#[tokio::test]
async fn a_transaction_belongs_where_it_is_polled_and_not_where_it_was_made() {
    let recorded = testing::run::<made_elsewhere>(()).await;
    assert_eq!(recorded.transactions(), ["outer :: inner", "outer"]);
}

#[journey]
async fn selected(ctx: &Context) -> mite::Result {
    tokio::select! {
        result = ctx.transaction("quick", async {
            ctx.pause(MILLISECOND).await;
            Ok(())
        }) => result?,
        result = ctx.transaction("slow", async {
            ctx.pause(1000 * MILLISECOND).await;
            Ok(())
        }) => result?,
    }
    ctx.send("seen", "after")
}

#[tokio::test(start_paused = true)]
async fn a_transaction_that_is_dropped_counts_nothing_and_leaves_nothing_behind() {
    let recorded = testing::run::<selected>(()).await;
    assert_eq!(recorded.transactions(), ["quick"]);
    assert_eq!(recorded.events("seen")[0].transaction, "");
}

#[journey]
async fn fails_deep(ctx: &Context) -> mite::Result {
    ctx.transaction("outer", async {
        ctx.transaction("inner", async {
            let _: u32 = "x".parse()?;
            Ok(())
        })
        .await
    })
    .await
}

#[tokio::test]
async fn a_failure_is_reported_once_at_the_innermost_transaction_and_ends_each_around_it() {
    let recorded = testing::run::<fails_deep>(()).await;
    let message = "ParseIntError: invalid digit found in string";
    assert_eq!(
        failures(&recorded),
        [failure("exception", "outer :: inner", message)]
    );
    let failed: Vec<_> = recorded
        .events("transaction")
        .into_iter()
        .map(|event| event.field("failed").unwrap().as_bool().unwrap())
        .collect();
    assert_eq!(failed, [true, true]);
    let location = recorded.result().unwrap_err().location();
    assert!(location.contains("context.rs:"), "{location}");
}

#[journey]
async fn recovers(ctx: &Context) -> mite::Result {
    ctx.transaction("outer", async {
        let tried: mite::Result = ctx
            .transaction("try", async {
                Err(Error::failure("sold out").field("article", 7))
            })
            .await;
        mite::ensure!(tried.is_err());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_failure_that_is_caught_fails_only_what_it_ended() {
    let recorded = testing::run::<recovers>(()).await;
    recorded.result().unwrap();
    assert_eq!(
        failures(&recorded),
        [failure("sold out", "outer :: try", "sold out (article=7)")]
    );
    let failed: Vec<_> = recorded
        .events("transaction")
        .into_iter()
        .map(|event| {
            (
                event.transaction.as_str(),
                event.field("failed").unwrap() == true,
            )
        })
        .collect();
    assert_eq!(failed, [("outer :: try", true), ("outer", false)]);
}

#[journey]
async fn panics_deep(ctx: &Context) -> mite::Result {
    ctx.transaction("outer", async {
        ctx.transaction("inner", async {
            ctx.pause(MILLISECOND).await;
            assert!(ctx.should_stop(), "a number");
            Ok(())
        })
        .await
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_reported_once_with_its_place_and_ends_the_transactions_around_it() {
    let recorded = testing::run::<panics_deep>(()).await;
    assert_eq!(
        failures(&recorded),
        [failure("panic", "outer :: inner", "a number")]
    );
    assert_eq!(recorded.transactions(), ["outer :: inner", "outer"]);
    let location = recorded.result().unwrap_err().location();
    assert!(location.contains("context.rs:"), "{location}");
    let outcome = recorded.events("journey")[0]
        .field("outcome")
        .unwrap()
        .clone();
    assert_eq!(outcome, "failed");
}

#[journey]
async fn fails_outside(_ctx: &Context) -> mite::Result {
    mite::bail!("nothing works today")
}

#[tokio::test]
async fn a_failure_outside_any_transaction_is_reported_as_well() {
    let recorded = testing::run::<fails_outside>(()).await;
    assert_eq!(
        failures(&recorded),
        [failure("error", "", "nothing works today")]
    );
}

#[journey]
async fn sends(ctx: &Context) -> mite::Result {
    ctx.transaction("basket", async {
        ctx.send("basket", serde_json::json!({ "items": 3, "shop": "north" }))
    })
    .await
}

#[tokio::test]
async fn an_event_of_the_journeys_own_keeps_its_fields_and_its_place() {
    let recorded = testing::run::<sends>(()).await;
    let event = recorded.events("basket")[0];
    assert_eq!(event.transaction, "basket");
    assert_eq!(event.field("items").unwrap(), 3);
    assert_eq!(event.field("shop").unwrap(), "north");
    assert_eq!(
        event.field("journey").unwrap(),
        concat!(module_path!(), "::sends")
    );
}

#[journey]
async fn paced(ctx: &Context) -> mite::Result {
    let began = Instant::now();
    for work in [10, 250, 30] {
        ctx.pace(100 * MILLISECOND, async {
            ctx.send("start", began.elapsed().as_millis() as u64)?;
            ctx.pause(work * MILLISECOND).await;
            Ok(())
        })
        .await?;
    }
    ctx.send("end", began.elapsed().as_millis() as u64)
}

#[tokio::test(start_paused = true)]
async fn what_is_paced_begins_once_a_step_however_long_it_takes() {
    let recorded = testing::run::<paced>(()).await;
    let starts: Vec<_> = recorded
        .events("start")
        .into_iter()
        .map(|event| event.field("value").unwrap().as_u64().unwrap())
        .collect();
    assert_eq!(starts[0], 0);
    assert!((100..=101).contains(&starts[1]), "{starts:?}");
    assert!(
        (350..=352).contains(&starts[2]),
        "there is no catching up: {starts:?}"
    );
}

#[journey]
async fn paced_around(ctx: &Context) -> mite::Result {
    for _ in 0..200 {
        let began = Instant::now();
        ctx.pace_around(100 * MILLISECOND, 50 * MILLISECOND, async { Ok(()) })
            .await?;
        ctx.send("step", began.elapsed().as_millis() as u64)?;
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_step_around_a_mean_stays_within_its_bounds_and_varies() {
    let recorded = testing::run::<paced_around>(()).await;
    let mut steps: Vec<_> = recorded
        .events("step")
        .into_iter()
        .map(|event| event.field("value").unwrap().as_u64().unwrap())
        .collect();
    steps.sort_unstable();
    assert!(
        steps[0] >= 50 && steps[199] <= 152,
        "{} to {}",
        steps[0],
        steps[199]
    );
    assert!(steps[20] < 80 && steps[180] > 120, "{steps:?}");
    let mean = steps.iter().sum::<u64>() / 200;
    assert!((90..=110).contains(&mean), "{mean}");
}

#[derive(Default)]
struct Clicks(Cell<u32>, RefCell<Option<Context>>);

impl Extension for Clicks {
    fn attach(_: &Context) -> Self {
        Self::default()
    }
}

thread_local! {
    static DROPPED: Cell<u32> = const { Cell::new(0) };
}

impl Drop for Clicks {
    fn drop(&mut self) {
        DROPPED.set(DROPPED.get() + 1);
    }
}

#[journey]
async fn clicks(ctx: &Context) -> mite::Result {
    let clicks: Rc<Clicks> = ctx.extension();
    // An extension that holds on to the context must not keep it alive for ever.
    clicks.1.replace(Some(ctx.clone()));
    clicks.0.set(clicks.0.get() + 1);
    let again = ctx.extension::<Clicks>().0.get();
    mite::ensure!(again == 1, "the extension has {again} clicks");
    Ok(())
}

#[tokio::test]
async fn an_extension_is_made_once_a_run_of_the_journey_and_goes_with_it() {
    for runs in 1..=3 {
        testing::run::<clicks>(()).await.result().unwrap();
        assert_eq!(DROPPED.get(), runs);
    }
}

/// Asks for itself while it is made, once.
struct Chain(u32);

thread_local! {
    static LINKS: Cell<u32> = const { Cell::new(0) };
}

impl Extension for Chain {
    fn attach(ctx: &Context) -> Self {
        match LINKS.replace(LINKS.get() + 1) {
            0 => Self(ctx.extension::<Self>().0 + 1),
            _ => Self(0),
        }
    }
}

#[journey]
async fn links(ctx: &Context) -> mite::Result {
    let first = ctx.extension::<Chain>();
    mite::ensure!(Rc::ptr_eq(&first, &ctx.extension::<Chain>()));
    Ok(())
}

#[tokio::test]
async fn an_extension_that_asks_for_itself_is_one_all_the_same() {
    let recorded = testing::run::<links>(()).await;
    assert!(recorded.result().is_ok(), "{:?}", recorded.result());
}

#[journey]
async fn paced_for_ever(ctx: &Context) -> mite::Result {
    ctx.pace(Duration::MAX, async { Ok(()) }).await
}

#[tokio::test(start_paused = true)]
async fn a_step_longer_than_time_itself_is_waited_for() {
    let journey = testing::run::<paced_for_ever>(());
    let waited = tokio::time::timeout(Duration::from_secs(3600), journey).await;
    assert!(waited.is_err(), "{waited:?}");
}

#[journey]
async fn reads_config(ctx: &Context) -> mite::Result {
    let users: u32 = ctx.config().get("users")?;
    mite::ensure!(users == 20, "{users}");
    Ok(())
}

#[tokio::test]
async fn a_setting_of_the_wrong_type_is_a_failure_that_names_it() {
    let mut config = Config::default();
    config.set("users", "20");
    testing::run_with::<reads_config>((), config.clone())
        .await
        .result()
        .unwrap();
    config.set("users", "many");
    let recorded = testing::run_with::<reads_config>((), config).await;
    let message = recorded.result().unwrap_err().message().to_owned();
    assert!(
        message.contains("users=many") && message.contains("not a u32"),
        "{message}"
    );
}

#[journey]
async fn draws(ctx: &Context) -> mite::Result {
    ctx.send("draw", ctx.rng().u64(..))?;
    ctx.send("draw", ctx.rng().u64(..))
}

#[tokio::test]
async fn random_numbers_differ_within_a_journey_and_agree_between_runs_of_one_seed() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let recorded = testing::run::<draws>(()).await;
        let drawn: Vec<_> = recorded
            .events("draw")
            .into_iter()
            .map(|event| event.field("value").unwrap().clone())
            .collect();
        assert_ne!(drawn[0], drawn[1]);
        runs.push(drawn);
    }
    assert_eq!(runs[0], runs[1]);
}

#[test]
fn a_future_of_a_transaction_costs_little_beyond_its_own() {
    fn size<F: Future>(_: &F) -> usize {
        size_of::<F>()
    }
    async fn measured(ctx: &Context) -> (usize, usize) {
        let bare = async {
            ctx.pause(MILLISECOND).await;
            Ok::<_, Error>(())
        };
        let plain = size(&bare);
        (plain, size(&ctx.transaction("x", bare)))
    }
    #[journey]
    async fn sizes(ctx: &Context) -> mite::Result {
        let (plain, wrapped) = measured(ctx).await;
        mite::ensure!(wrapped <= plain + 64, "{wrapped} bytes instead of {plain}");
        Ok(())
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime
        .block_on(testing::run::<sizes>(()))
        .result()
        .unwrap();
}
