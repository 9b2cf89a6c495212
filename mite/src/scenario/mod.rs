//! What to run: journeys with their data and their volume, and what is to hold.

mod check;
pub(crate) mod registry;
pub(crate) mod threshold;

use std::{fmt, future::Future, pin::Pin, time::Duration};

pub use check::ScenarioError;
pub use registry::{datapool, scenario};

use crate::{
    config::Config,
    datapool::{DataPool, ErasedPool},
    error::Result,
    http,
    journey::{Is, Journey, Runnable},
    volume::VolumeModel,
};

/// A load test: which journeys, how much of each, with which data, and what has to hold.
///
/// ```
/// use std::time::Duration;
/// use mite::{Context, Scenario, journey, scenario, volume::Constant};
///
/// #[journey]
/// async fn browse(ctx: &Context) -> mite::Result {
///     ctx.http().get("/").send().await?.expect_status(200)?;
///     Ok(())
/// }
///
/// #[scenario]
/// fn evening() -> Scenario {
///     Scenario::new()
///         .base_url("http://127.0.0.1:8080")
///         .journey::<browse>((), Constant::per_second(50, Duration::from_secs(60)))
///         .threshold("http.p99 < 250ms")
///         .threshold("errors.rate < 1%")
/// }
/// # evening();
/// ```
#[derive(Default)]
#[must_use = "a scenario does nothing until it is run"]
pub struct Scenario {
    pub(crate) entries: Vec<Entry>,
    pub(crate) base_url: Option<String>,
    pub(crate) http: Option<http::Settings>,
    pub(crate) warm_up: Duration,
    pub(crate) thresholds: Vec<String>,
    pub(crate) setup: Option<Hook>,
    pub(crate) teardown: Option<Hook>,
}

/// One journey of a scenario, with its data and its volume.
pub(crate) struct Entry {
    pub(crate) journey: Runnable,
    pub(crate) pool: ErasedPool,
    pub(crate) volume: Box<dyn VolumeModel>,
}

/// The future of a [`Hook`]; it runs on the controller's thread and need not be `Send`.
type HookFuture<'a> = Pin<Box<dyn Future<Output = Result> + 'a>>;

/// What is done once a run, before or after it.
pub(crate) type Hook = Box<dyn FnOnce(&mut Config) -> HookFuture<'_> + Send>;

impl Scenario {
    /// A scenario without journeys.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a journey with its data and its volume. The same journey may be added several times,
    /// each with a row of its own in the report.
    ///
    /// The pool's items must be the journey's data; `()` is the pool for a journey that takes none.
    ///
    /// ```compile_fail
    /// # use mite::{Context, Scenario, datapool::Recyclable, journey, volume::one_shot};
    /// #[journey]
    /// async fn greet(ctx: &Context, name: String) -> mite::Result { Ok(()) }
    ///
    /// Scenario::new().journey::<greet>(Recyclable::new([1, 2, 3]), one_shot());
    /// ```
    pub fn journey<J: Journey>(
        mut self,
        pool: impl DataPool<Item: Is<J::Data>>,
        volume: impl VolumeModel,
    ) -> Self {
        self.entries.push(Entry {
            journey: Runnable::of::<J>(),
            pool: ErasedPool::new(pool),
            volume: Box::new(volume),
        });
        self
    }

    /// Adds an entry whose types are known at run time only.
    pub(crate) fn entry(mut self, entry: Entry) -> Self {
        self.entries.push(entry);
        self
    }

    /// The URL that relative ones in requests are joined to.
    ///
    /// It is kept in the config as `base_url`, where `--config base_url=…` overrides it.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// What kind of HTTP client the journeys are: whose connections they use, which version of HTTP
    /// they speak, TLS, proxies, redirects, cookies.
    ///
    /// ```
    /// use mite::{Scenario, http::{Connections, Settings}};
    ///
    /// Scenario::new().http(Settings::new().connections(Connections::per_journey()).compressed(true));
    /// ```
    pub fn http(mut self, settings: http::Settings) -> Self {
        self.http = Some(settings);
        self
    }

    /// Keeps the first `duration` of the run, rounded up to a full second, out of totals,
    /// stages and thresholds; the series of the report shows it. The default is none.
    pub fn warm_up(mut self, duration: Duration) -> Self {
        self.warm_up = duration;
        self
    }

    /// What has to hold for the run to pass, such as `http.p99 < 250ms`.
    ///
    /// The form is `SUBJECT[{label="value",...}].STAT OP VALUE [over WINDOW] [abort [after D]]`.
    ///
    /// | subject | labels |
    /// |---|---|
    /// | `http` | `journey`, `transaction`, `name`, `method`, `status`, `outcome`, `phase`; or `error` |
    /// | `journey` | `journey`, `outcome` |
    /// | `transaction` | `journey`, `transaction`, `outcome` |
    /// | `errors` | `kind`, `journey`, `transaction`, `location` |
    /// | `service_time`, `start_delay`, `dropped` | `journey` |
    /// | a metric of your own | its labels |
    ///
    /// All but metrics of your own take `stage` too, the name of a stage of the plan:
    /// `http{stage="peak"}.p99 < 250ms` is about what ended during it.
    ///
    /// The statistics are `count`, `rate`, `min`, `mean`, `stddev`, `max` and percentiles such as
    /// `p50` and `p99.9`. Times of `http` and `transaction` are those of successes
    /// (`{outcome="failed"}` gives the others), the time of `journey` is its response time, counted
    /// from when its start was due; `service_time` leaves out the wait before the actual start.
    /// `http{phase="first_byte"}` is about one phase of requests, failed or not: `waiting`, `dns`,
    /// `connect`, `tls`, `sent`, `first_byte` or `body`. `http{error="timeout"}` has the `count` and
    /// the `rate` of requests that ended in that kind of transport error.
    /// `errors.rate` is failed by finished journeys; other rates are per second. A threshold
    /// without a sample fails. With `over 10s` it has to hold in each ten seconds of the run; with
    /// `abort` the run stops when it is broken. It is read when the run begins, and a mistake in
    /// it ends the run before anything starts.
    ///
    /// Without a threshold on `errors`, any failed journey fails the run.
    pub fn threshold(mut self, expression: impl Into<String>) -> Self {
        self.thresholds.push(expression.into());
        self
    }

    /// Does something once, before the first journey; what it sets in the config every journey sees.
    ///
    /// A failure ends the run before anything starts.
    ///
    /// ```
    /// # use mite::Scenario;
    /// Scenario::new().setup(async |config| {
    ///     config.set("basket", 4711);
    ///     Ok(())
    /// });
    /// ```
    pub fn setup<F>(mut self, setup: F) -> Self
    where
        F: AsyncFnOnce(&mut Config) -> Result + Send + 'static,
    {
        self.setup = Some(hook(setup));
        self
    }

    /// Does something once, after the last journey, however the run ended.
    pub fn teardown<F>(mut self, teardown: F) -> Self
    where
        F: AsyncFnOnce(&mut Config) -> Result + Send + 'static,
    {
        self.teardown = Some(hook(teardown));
        self
    }
}

fn hook<F>(function: F) -> Hook
where
    F: AsyncFnOnce(&mut Config) -> Result + Send + 'static,
{
    Box::new(move |config| Box::pin(async move { function(config).await }))
}

impl fmt::Debug for Scenario {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let journeys: Vec<_> = self
            .entries
            .iter()
            .map(|entry| entry.journey.name())
            .collect();
        formatter
            .debug_struct("Scenario")
            .field("journeys", &journeys)
            .field("base_url", &self.base_url)
            .field("thresholds", &self.thresholds)
            .finish_non_exhaustive()
    }
}
