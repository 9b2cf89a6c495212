//! A runner: worker threads that keep up a volume, and the desk between them and the controller.

mod alarm;
mod desk;
mod entry;
mod gathering;
mod leaving;
mod meter;
mod open;
mod rounds;
mod supply;
mod thread_clock;
mod users;
mod worker;

#[cfg(test)]
mod tests;

pub(crate) use leaving::Leaving;
#[cfg(any(feature = "nats", test))]
pub(crate) use leaving::Wish;

use std::{
    pin::Pin,
    sync::Arc,
    thread::{Builder, JoinHandle},
    time::Duration,
};

use tokio::sync::mpsc::unbounded_channel;

use crate::{
    clock::RunClock,
    config::Config,
    context::Shared,
    datapool::Policy,
    event::{Keep, Tap},
    journey::Runnable,
    link::{RunnerEnd, Sent},
    stats::{MachineFigures, metric::Metric},
    trace::TraceSettings,
};

/// Makes what looks at everything one worker does.
pub(crate) type TapFactory = Arc<dyn Fn(&Config, RunClock) -> Box<dyn Tap> + Send + Sync>;

/// Tells how process and machine are.
pub(crate) type MachineSource = Arc<dyn Fn() -> MachineFigures + Send + Sync>;

/// Waits until what a runner sends to be kept has been sent, and tells what became of it.
pub(crate) type SentSource =
    Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Sent> + Send>> + Send + Sync>;

/// What a runner runs, and within which limits.
#[derive(Clone)]
pub(crate) struct RunnerSettings {
    /// The time of the run.
    pub(crate) clock: RunClock,
    /// The entries of the scenario, in order.
    pub(crate) entries: Vec<RunnerEntry>,
    /// The settings of the run.
    pub(crate) config: Config,
    /// The user's metrics.
    pub(crate) metrics: Vec<Metric>,
    /// How many series a metric may have.
    pub(crate) series_cap: usize,
    /// Worker threads.
    pub(crate) workers: usize,
    /// Journeys in flight at once in this runner.
    pub(crate) max_in_flight: usize,
    /// Users added each second over the whole run.
    pub(crate) spawn_rate: f64,
    /// A start later than this is dropped.
    pub(crate) max_start_delay: Duration,
    /// Whether workers go round all the time rather than sleep until something is due.
    pub(crate) precise: bool,
    /// What all random numbers of the run come from.
    pub(crate) seed: u64,
    /// Who looks at everything, if anybody.
    pub(crate) tap: Option<TapFactory>,
    /// Who keeps what journeys record, if anybody.
    pub(crate) keep: Option<Arc<dyn Keep>>,
    /// How journeys are traced, if they are.
    pub(crate) trace: Option<TraceSettings>,
    /// Tells how process and machine are, where the controller is elsewhere and cannot see that by
    /// itself.
    pub(crate) machine: Option<MachineSource>,
    /// How it is told to leave before the run is over, where it can be.
    pub(crate) leaving: Option<Leaving>,
    /// Tells what became of what was sent to be kept, where something is.
    pub(crate) sent: Option<SentSource>,
}

/// One entry of the scenario, as a runner needs it.
#[derive(Clone)]
pub(crate) struct RunnerEntry {
    /// What is run.
    pub(crate) journey: Runnable,
    /// What becomes of its data.
    pub(crate) policy: Policy,
}

/// Starts the worker threads and serves them until the controller lets the runner go.
///
/// A worker that is stuck in blocking code is left behind.
///
/// # Errors
/// When a thread cannot be started.
pub(crate) async fn serve(settings: RunnerSettings, link: RunnerEnd) -> std::io::Result<()> {
    let (messages, inbox) = unbounded_channel();
    let shared = Arc::new(Shared::default());
    let mut orders = Vec::with_capacity(settings.workers);
    for index in 0..settings.workers {
        let (order_sender, order_receiver) = unbounded_channel();
        let worker = worker::WorkerSettings {
            runner: settings.clone(),
            shared: Arc::clone(&shared),
            index,
        };
        let outbox = worker::Outbox::new(index, messages.clone());
        let _detached: JoinHandle<()> = Builder::new()
            .name(format!("mite-worker-{index}"))
            .spawn(move || worker::main(worker, order_receiver, &outbox))?;
        orders.push(order_sender);
    }
    desk::Desk::new(&settings, orders, link).serve(inbox).await;
    Ok(())
}
