//! One run of a scenario, from opening its pools to writing its reports.

mod drive;
mod error;
mod onlooker;
mod outcome;
mod plan;
mod pools;
mod recording;
mod settings;
mod suspect;
mod system;
mod verdict;

#[cfg(test)]
mod tests;

use std::{future::Future, path::PathBuf, thread, time::Duration};

use tokio::{
    runtime::{Builder, LocalOptions},
    sync::{
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
        oneshot,
    },
};

pub use error::RunError;
pub(crate) use plan::plan;
pub(crate) use settings::Settings;

use crate::{
    config::Config,
    error::Result,
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
    /// `.md`, `.xml` for JUnit and `.hgrm` for HdrHistogram; `.csv` and `.hlog` while the
    /// run goes on, a second at a time.
    ///
    /// It may be asked for several times. That the file can be written is made sure of before
    /// anything starts.
    pub fn report(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.reports.push(path.into());
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
