//! One run of a scenario, from opening its pools to writing its reports.

mod archive;
mod audience;
#[cfg(feature = "nats")]
mod collect;
mod dashboard;
mod drive;
#[cfg(feature = "nats")]
mod elsewhere;
mod error;
#[cfg(feature = "nats")]
mod exports;
mod happening;
#[cfg_attr(not(feature = "nats"), path = "no_ledger.rs")]
mod ledger;
mod moment;
mod muster;
mod onlooker;
mod outcome;
mod plan;
mod pools;
mod preparation;
mod progress;
#[cfg(feature = "nats")]
mod record;
mod recording;
#[cfg(feature = "nats")]
mod remote;
#[cfg(feature = "nats")]
mod sending;
mod settings;
mod suspect;
mod system;
#[cfg_attr(not(feature = "otel"), path = "no_telemetry.rs")]
mod telemetry;
mod verdict;
mod webhook;

#[cfg(test)]
mod tests;
#[cfg(test)]
#[cfg(feature = "nats")]
mod weather;

use std::{future::Future, path::PathBuf, thread, time::Duration};

use tokio::{
    runtime::{Builder, LocalOptions},
    sync::{
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
        oneshot,
    },
};

#[cfg(feature = "nats")]
pub(crate) use collect::{CollectorOptions, KeeperEnd, KeeperNews, collect};
pub use error::RunError;
#[cfg(feature = "nats")]
pub(crate) use exports::export;
pub(crate) use plan::plan;
#[cfg(feature = "nats")]
pub(crate) use record::{RecorderOptions, record};
#[cfg(all(feature = "nats", feature = "bench"))]
pub(crate) use remote::fingerprint;
#[cfg(feature = "nats")]
pub(crate) use remote::{RunnerNews, RunnerOptions, Served, run_tests};
#[cfg(feature = "nats")]
pub(crate) use settings::Bus;
pub(crate) use settings::Settings;

use crate::{
    config::Config,
    error::Result,
    outbound::Address,
    report::{Observer, Report},
    runner::TapFactory,
    scenario::Scenario,
};

/// Runs a scenario in this process and gives its report, as `scenario test` does without its
/// command line: for a test of your own.
///
/// It needs no tokio runtime of a particular kind: the engine has threads of its own. Dropping the
/// future cuts the run. [`Run`] has the options.
///
/// # Errors
/// When the scenario cannot be run: its volume or a threshold makes no sense, a pool cannot be
/// opened, `setup` failed. A run that took place but did not pass is no error; ask the report.
///
/// ```
/// use std::time::Duration;
/// use mite::{Context, Scenario, journey, volume::Constant};
///
/// #[journey]
/// async fn think(ctx: &Context) -> mite::Result {
///     ctx.pause(Duration::from_millis(10)).await;
///     Ok(())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> mite::Result {
/// let second = Duration::from_secs(1);
/// let scenario = Scenario::new().journey::<think>((), Constant::per_second(20, second));
/// let report = mite::run(scenario).await?;
/// assert!(report.passed(), "{:?}", report.reasons);
/// assert_eq!(report.journeys[0].completed, 20);
/// # Ok(())
/// # }
/// ```
pub async fn run(scenario: Scenario) -> Result<Report> {
    Ok(Run::new(scenario).execute().await?)
}

/// A run of a scenario, with its options.
///
/// ```no_run
/// # use mite::{Run, Scenario};
/// # async fn test(scenario: Scenario) -> mite::Result {
/// let report = Run::new(scenario).workers(2).report("target/load.json").execute().await?;
/// assert!(report.passed(), "{:?}", report.reasons);
/// # Ok(())
/// # }
/// ```
#[must_use = "a run does nothing until it is executed"]
pub struct Run {
    scenario: Scenario,
    settings: Settings,
    observer: Option<Box<dyn Observer>>,
    tap: Option<TapFactory>,
    stop: StopHandle,
    stops: UnboundedReceiver<Stop>,
    /// Whoever waits until the dashboard is gone.
    served: Option<oneshot::Sender<()>>,
}

impl Run {
    /// A run with the default options.
    pub fn new(scenario: Scenario) -> Self {
        let (sender, stops) = unbounded_channel();
        Self {
            scenario,
            settings: Settings::default(),
            observer: None,
            tap: None,
            stop: StopHandle(sender),
            stops,
            served: None,
        }
    }

    /// What the report calls the scenario. The default is `scenario`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.settings.name = name.into();
        self
    }

    /// The settings that journeys and pools see. The default is none.
    pub fn config(mut self, config: Config) -> Self {
        self.settings.config = config;
        self
    }

    /// Worker threads, each with its own connections and statistics. The default is one a core.
    pub fn workers(mut self, workers: usize) -> Self {
        self.settings.workers = workers.max(1);
        self
    }

    /// Users added each second at most, over all workers and entries. The default is 1000.
    pub fn spawn_rate(mut self, users_per_second: f64) -> Self {
        self.settings.spawn_rate = users_per_second;
        self
    }

    /// Journeys in flight at once at most; what is due beyond that waits. No more workers are used
    /// than this. The default is 100,000.
    pub fn max_in_flight(mut self, journeys: usize) -> Self {
        self.settings.max_in_flight = journeys.max(1);
        self
    }

    /// A start of the open model that is later than this is dropped. The default is 10 seconds.
    pub fn max_start_delay(mut self, delay: Duration) -> Self {
        self.settings.max_start_delay = delay;
        self
    }

    /// How long journeys in flight may go on when the run is over; after that they are cut and
    /// counted as interrupted. The default is 30 seconds.
    pub fn graceful_stop(mut self, grace: Duration) -> Self {
        self.settings.graceful_stop = grace;
        self
    }

    /// Ends the run after so much time. It cuts a plan short and never stretches it. The default is
    /// the plan's own end.
    pub fn duration(mut self, duration: Duration) -> Self {
        self.settings.duration = Some(duration);
        self
    }

    /// Whether workers watch the clock and their connections all the time instead of sleeping until
    /// something is due or comes in. The default is `false`.
    ///
    /// Starts are on time to some microseconds then instead of to a tenth of a millisecond, and no
    /// answer waits for the thread to be woken. Each worker uses a whole core for it, also when
    /// there is nothing to do.
    pub fn precise(mut self, precise: bool) -> Self {
        self.settings.precise = precise;
        self
    }

    /// What every random number of the run comes from. The default is a new one each run.
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// Writes a report to a file; the ending chooses the form. When the run is over, `.json`,
    /// `.html` for a page to look at, `.md`, `.xml` for JUnit and `.hgrm` for HdrHistogram; `.csv`
    /// and `.hlog` while the run goes on, a second at a time.
    ///
    /// It may be asked for several times. That the file can be written is made sure of before
    /// anything starts.
    pub fn report(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.reports.push(path.into());
        self
    }

    /// Serves the dashboard, the report so far and Prometheus' metrics while the run goes on:
    /// `127.0.0.1:9301`, `[::1]:9301`, or `9301` for this machine only. Port 0 is any that is free;
    /// the command line says which it is. The default is not to serve anything.
    ///
    /// That the port can be had is made sure of before anything starts. It is served by a thread of
    /// its own, and nothing of it is on the way of a request.
    ///
    /// ```no_run
    /// # use mite::{Run, Scenario};
    /// # async fn test(scenario: Scenario) -> mite::Result {
    /// let report = Run::new(scenario).metrics("127.0.0.1:9301").execute().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn metrics(mut self, address: impl Into<String>) -> Self {
        self.settings.serve.address = Some(address.into());
        self
    }

    /// What has to be known to stop the run, or to change its volume, over HTTP: 16 to 256 letters,
    /// digits and any of `-._~+/=`. Without one everybody on this machine may do either where the
    /// address is a loopback one, and nobody where it is not.
    pub fn metrics_token(mut self, token: impl Into<String>) -> Self {
        self.settings.serve.token = Some(token.into());
        self
    }

    /// How long the last report and metrics are served when the run is over, as long as the process
    /// lives; [`execute`](Run::execute) does not wait for that. The default is not at all.
    pub fn metrics_linger(mut self, linger: Duration) -> Self {
        self.settings.serve.linger = linger;
        self
    }

    /// The upper bounds of the classic buckets of Prometheus' histograms, in seconds and ascending:
    /// `0.005,0.05,0.5,5`. The default is
    /// `0.001,0.0025,0.005,0.01,0.025,0.05,0.1,0.25,0.5,1,2.5,5,10,30`.
    pub fn metrics_buckets(mut self, bounds: impl Into<String>) -> Self {
        self.settings.serve.buckets = Some(bounds.into());
        self
    }

    /// Tells this URL that the run begins, which gets an id in return, and how it ended: JSON is
    /// posted to `URL/start` and `URL/end`. The default is to tell nobody.
    ///
    /// The run begins without waiting for an answer. Whatever is wrong with the answer is a warning in
    /// the log (of the crate `tracing`) and changes neither the run nor its verdict; the end of
    /// [`execute`](Run::execute) may take some seconds longer. Certificates are verified. User,
    /// password and query of the URL are shown nowhere. What is
    /// sent, field by field, is told in `docs/webhook.md`.
    ///
    /// ```no_run
    /// # use mite::{Run, Scenario};
    /// # async fn test(scenario: Scenario) -> mite::Result {
    /// let report = Run::new(scenario)
    ///     .logging_webhook("https://tests.example.com/mite?token=secret")
    ///     .execute()
    ///     .await?;
    /// let known_as = report.webhook.and_then(|webhook| webhook.id);
    /// # Ok(())
    /// # }
    /// ```
    pub fn logging_webhook(mut self, url: impl AsRef<str>) -> Self {
        self.settings.webhook = Some(Address::parse(url.as_ref()));
        self
    }

    /// Sends traces and metrics to the OpenTelemetry collector at this address, by OTLP over HTTP:
    /// `http://127.0.0.1:4318`. The default is to send nothing, wherever the environment may say a
    /// collector is.
    ///
    /// The headers, the time-out, the compression, the certificate and the name of the service are
    /// those of the environment variables that OpenTelemetry specifies, such as
    /// `OTEL_EXPORTER_OTLP_HEADERS`. A collector that does not answer stops or slows no test: what it
    /// does not take is dropped, and the report says so.
    ///
    /// ```no_run
    /// # use mite::{Run, Scenario};
    /// # async fn test(scenario: Scenario) -> mite::Result {
    /// let run = Run::new(scenario).otlp("http://127.0.0.1:4318").trace("5%");
    /// let traces = run.execute().await?.traces.expect("journeys were to be traced");
    /// assert_eq!(traces.dropped, 0);
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "otel")]
    pub fn otlp(mut self, address: impl Into<String>) -> Self {
        self.settings.otel.address = Some(address.into());
        self
    }

    /// Which journeys are traced: a share of them, `1%` or `0.01`, at most so many a second,
    /// `10/s`, or `0` for none. The default is `10/s`.
    ///
    /// Whether one is traced is decided when it starts, by the seed of the run.
    #[cfg(feature = "otel")]
    pub fn trace(mut self, rate: impl Into<String>) -> Self {
        self.settings.otel.trace = Some(rate.into());
        self
    }

    /// That the environment may name the collector where nobody else has.
    #[cfg(feature = "otel")]
    pub(crate) fn otlp_of_environment(mut self) -> Self {
        self.settings.otel.from_environment = true;
        self
    }

    /// Runs the scenario on other machines, that are reached over NATS.
    #[cfg(feature = "nats")]
    pub(crate) fn over(mut self, bus: Bus) -> Self {
        self.settings.bus = Some(bus);
        self
    }

    /// How many series a metric may have before the rest shares one.
    #[cfg(feature = "bench")]
    #[doc(hidden)]
    pub fn series_cap(mut self, cap: usize) -> Self {
        self.settings.series_cap = cap;
        self
    }

    /// A handle that stops this run, from anywhere.
    pub fn stop_handle(&self) -> StopHandle {
        self.stop.clone()
    }

    /// That the observer shows a token which is made because none was given.
    pub(crate) fn announce_token(mut self) -> Self {
        self.settings.serve.announced = true;
        self
    }

    /// Ends when the dashboard is gone, or when there has been none.
    pub(crate) fn served(&mut self) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        self.served = Some(sender);
        receiver
    }

    /// Who looks on.
    pub(crate) fn observer(mut self, observer: Box<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Who looks at every event and exchange.
    pub(crate) fn tap(mut self, tap: TapFactory) -> Self {
        self.tap = Some(tap);
        self
    }

    /// Runs the scenario.
    ///
    /// Dropping the future cuts the run.
    ///
    /// # Errors
    /// As [`run`](crate::run), and when a report cannot be written.
    pub fn execute(self) -> impl Future<Output = Result<Report, RunError>> + Send {
        let cut = CutOnDrop(self.stop.clone());
        let (sender, receiver) = oneshot::channel();
        let spawned = thread::Builder::new()
            .name("mite-engine".to_owned())
            .spawn(move || {
                // Nobody listens when the future was dropped; then the run has been cut as well.
                let _ = sender.send(self.on_this_thread());
            });
        async move {
            let _cut = cut;
            spawned.map_err(RunError::Thread)?;
            receiver.await.map_err(|_| RunError::Panicked)?
        }
    }

    fn on_this_thread(self) -> Result<Report, RunError> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build_local(LocalOptions::default())
            .map_err(RunError::Thread)?;
        runtime.block_on(drive::drive(self))
    }
}

/// Stops a run from elsewhere. Handles are cheap to clone.
#[derive(Clone, Debug)]
pub struct StopHandle(UnboundedSender<Stop>);

impl StopHandle {
    /// Starts nothing more and lets what is in flight end, for as long as the graceful stop allows.
    pub fn stop(&self) {
        // A run that is over needs no stopping.
        let _ = self.0.send(Stop::Gracefully);
    }

    /// Ends the run now; journeys in flight are counted as interrupted.
    pub fn cut(&self) {
        let _ = self.0.send(Stop::Now);
    }

    /// Ends the run now because a journey failed, which is what was waited for.
    pub(crate) fn stop_at_failure(&self) {
        let _ = self.0.send(Stop::AtFailure);
    }
}

/// How a run is to be stopped.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "nats", derive(serde::Serialize, serde::Deserialize))]
enum Stop {
    Gracefully,
    Now,
    AtFailure,
}

struct CutOnDrop(StopHandle);

impl Drop for CutOnDrop {
    fn drop(&mut self) {
        self.0.cut();
    }
}

impl std::fmt::Debug for Run {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Run")
            .field("scenario", &self.scenario)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
