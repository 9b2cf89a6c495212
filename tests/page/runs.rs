//! Runs whose reports are looked at.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
    time::Duration,
};

use mite::{
    Config, Context, Run, Scenario, journey,
    volume::{Constant, Ramp},
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How many names the requests of [`full`] have, at most; few enough for each to come up.
pub(crate) const NAMES: u64 = 200;

/// What could do harm, were it taken for markup.
pub(crate) const EVIL: &str =
    "</script><script>window.pwned = 1</script><img src=x onerror='window.pwned = 1'>\n\"&<!--";

/// A report as JSON and as a page.
pub(crate) struct Written {
    pub(crate) json: Value,
    pub(crate) page: PathBuf,
    directory: TempDir,
}

impl Written {
    pub(crate) fn url(&self) -> String {
        format!("file://{}", self.page.display())
    }

    pub(crate) fn html(&self) -> String {
        fs::read_to_string(&self.page).unwrap()
    }

    /// The same page with another report in it.
    pub(crate) fn with(&self, json: &Value) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let page = directory.path().join("other.html");
        fs::write(&page, with_report(&self.html(), &json.to_string())).unwrap();
        Self {
            json: json.clone(),
            page,
            directory,
        }
    }

    pub(crate) fn place(&self) -> &Path {
        self.directory.path()
    }
}

/// A page with another text where its report is.
pub(crate) fn with_report(page: &str, text: &str) -> String {
    let opening = "<script type=\"application/json\" id=\"report\">";
    let (before, rest) = page.split_once(opening).unwrap();
    let (_, after) = rest.split_once("</script>").unwrap();
    let text = text.replace('<', "\\u003c");
    format!("{before}{opening}{text}</script>{after}")
}

/// Looks at one of two hundred articles, all under names of their own, and sometimes at none.
#[journey]
async fn browse(ctx: &Context) -> mite::Result {
    ctx.transaction("article", async {
        let number = ctx.rng().u64(1..=NAMES);
        ctx.http()
            .get(format!("/item/{number}"))
            .send()
            .await?
            .expect_status(200)?;
        Ok(())
    })
    .await?;
    if ctx.rng().u32(0..10) == 0 {
        let answer = ctx.http().get("/nowhere").send().await?;
        ctx.transaction("look for it", async { answer.expect_status(200).map(drop) })
            .await?;
    }
    let sum = ctx.rng().u32(0..20);
    mite::ensure!(sum > 0, "the basket costs {sum}");
    Ok(())
}

/// Sends nothing.
#[journey]
async fn think(ctx: &Context) -> mite::Result {
    ctx.pause(Duration::from_millis(20)).await;
    Ok(())
}

/// Fails with what could do harm.
#[journey]
async fn attack(ctx: &Context) -> mite::Result {
    ctx.transaction(EVIL, async {
        ctx.http().get("/").name(EVIL).send().await?;
        mite::bail!("{EVIL}");
    })
    .await
}

/// Tells what nobody is to know.
#[journey]
async fn blab(ctx: &Context) -> mite::Result {
    let password: String = ctx.config().get("db_password")?;
    ctx.http()
        .get("/")
        .name(format!("GET /{password}"))
        .send()
        .await?;
    mite::bail!("{password} was refused");
}

/// Two hundred request names, errors, stages and a warm-up.
pub(crate) fn full() -> &'static Written {
    static WRITTEN: OnceLock<Written> = OnceLock::new();
    WRITTEN.get_or_init(|| {
        let second = Duration::from_secs(1);
        let scenario = Scenario::new()
            .warm_up(second)
            .journey::<browse>(
                (),
                Ramp::per_second(50, 300, 2 * second).named("ramp")
                    + Constant::per_second(300, 3 * second).named("peak"),
            )
            .journey::<think>((), Constant::users(3, 5 * second))
            .threshold("http.p99 < 10s")
            .threshold("errors.rate < 1%");
        run(scenario, config())
    })
}

/// A second without any request.
pub(crate) fn tiny() -> &'static Written {
    static WRITTEN: OnceLock<Written> = OnceLock::new();
    WRITTEN.get_or_init(|| {
        let volume = Constant::users(2, Duration::from_secs(1));
        run(Scenario::new().journey::<think>((), volume), config())
    })
}

/// Names and messages that could do harm.
pub(crate) fn attacked() -> &'static Written {
    static WRITTEN: OnceLock<Written> = OnceLock::new();
    WRITTEN.get_or_init(|| {
        let volume = Constant::per_second(10, Duration::from_secs(1));
        let mut config = config();
        config.set("note", EVIL);
        run(Scenario::new().journey::<attack>((), volume), config)
    })
}

/// Secrets wherever a journey can put them.
pub(crate) fn blabbed() -> &'static Written {
    static WRITTEN: OnceLock<Written> = OnceLock::new();
    WRITTEN.get_or_init(|| {
        let volume = Constant::per_second(5, Duration::from_secs(1));
        let mut config = config();
        config.set("db_password", "hunter2-hunter2");
        config.mark_secret("db_password");
        run(Scenario::new().journey::<blab>((), volume), config)
    })
}

fn config() -> Config {
    let mut config = Config::default();
    config.set("base_url", examples::shop_url());
    config
}

fn run(scenario: Scenario, config: Config) -> Written {
    let directory = tempfile::tempdir().unwrap();
    let [page, json] = ["run.html", "run.json"].map(|name| directory.path().join(name));
    // A seed that JavaScript's numbers cannot hold.
    let run = Run::new(scenario)
        .name("shop::evening")
        .config(config)
        .workers(2)
        .seed(u64::MAX - 1)
        .report(&page)
        .report(&json);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(run.execute()).unwrap();
    let json = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    Written {
        json,
        page,
        directory,
    }
}

/// A run of hours, with seconds in which nothing was measured.
pub(crate) fn long() -> Written {
    let mut json = full().json.clone();
    let points: Vec<Value> = (1..=7200)
        .map(|at| {
            let times = |unit: f64| {
                if (3000..3300).contains(&at) {
                    return json!({});
                }
                let slow = if at == 5000 { 100.0 } else { 1.0 };
                json!({
                    "p50": unit * slow, "p95": 2.0 * unit * slow, "p99": 3.0 * unit * slow,
                    "max": 4.0 * unit * slow,
                })
            };
            json!({
                "at": f64::from(at), "stage": if at < 3600 { "first" } else { "second" },
                "users": 10, "target_users": 10, "planned_starts": 0, "starts": 50,
                "requests": 100, "failed_requests": at % 2, "errors": 0, "dropped": 0,
                "http": times(0.004), "response_time": times(0.009), "service_time": times(0.008),
            })
        })
        .collect();
    json["series"]["points"] = points.into();
    full().with(&json)
}
