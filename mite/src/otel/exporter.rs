//! The thread that exports: batches of traces as they come, metrics from time to time, and the rest
//! at the end in a time that is limited.

use std::{
    cell::Cell,
    sync::{
        Arc,
        mpsc::{self, Receiver},
    },
    thread,
    time::{Duration, SystemTime},
};

use tokio::{
    runtime::{Builder, LocalOptions},
    sync::{mpsc::UnboundedReceiver, oneshot, watch},
    time::{Instant, sleep, sleep_until},
};

use super::{OtelError, Settings, attributes, delivery::Delivery, metrics, spans};
use crate::{
    clock::RunClock,
    config::Config,
    families::Source,
    protobuf::Message,
    trace::{self, Finished, RunKey, Tally, TraceSettings},
};

/// So many spans are sent at once, or those there are after so long.
const BATCH: usize = 512;
const DELAY: Duration = Duration::from_secs(1);

/// How long the last of them may take when the run is over.
const FLUSH: Duration = Duration::from_secs(5);

/// What an export begins with.
pub(crate) struct Start<'a> {
    pub(crate) settings: Settings,
    pub(crate) clock: RunClock,
    /// What nobody may see.
    pub(crate) config: &'a Config,
    pub(crate) scenario: &'a str,
    pub(crate) seed: u64,
    /// What the run is called.
    pub(crate) run: &'a str,
}

/// An export, as the engine sees it.
pub(crate) struct Exporter {
    traces: Option<TraceSettings>,
    tally: Arc<Tally>,
    stage: watch::Sender<Stage>,
    /// The time between two pushes of metrics and that of the next; nothing where there are none.
    metrics: Option<(Duration, Instant)>,
    news: Receiver<String>,
    said: Vec<String>,
    ended: oneshot::Receiver<Exported>,
}

/// How far the run is, with the numbers that are to be exported next.
#[derive(Clone)]
pub(super) enum Stage {
    During(Option<Arc<dyn Source>>),
    Over(Option<Arc<dyn Source>>),
}

/// What became of the traces of a run, and what there is to say of it.
#[derive(Debug)]
pub(crate) struct Ending {
    /// Journeys that were traced; absent where none were to be.
    pub(crate) sampled: Option<u64>,
    /// Those whose trace the collector has.
    pub(crate) exported: u64,
    /// The spans it has.
    pub(crate) spans: u64,
    /// All that was said of it.
    pub(crate) said: Vec<String>,
}

/// What was delivered.
#[derive(Clone, Copy, Debug, Default)]
struct Exported {
    traces: u64,
    spans: u64,
}

impl Exporter {
    /// Starts the thread.
    ///
    /// # Errors
    /// When there can be none.
    pub(crate) fn start(start: Start<'_>) -> Result<Self, OtelError> {
        let Start {
            settings,
            clock,
            config,
            scenario,
            seed,
            run,
        } = start;
        let key = RunKey::new(seed, clock.started_at());
        let (outbox, received, tally) = trace::outbox();
        let (stage, stages) = watch::channel(Stage::During(None));
        let (tell, news) = mpsc::channel();
        let (end, ended) = oneshot::channel();
        let traces = settings.traces.is_some().then(|| TraceSettings {
            sampling: settings.sampling,
            key,
            outbox,
        });
        let metrics = settings.metrics.is_some().then_some(settings.interval);
        let resource = resource(&settings, config, scenario, run);
        let desk = {
            let (config, tally) = (config.clone(), Arc::clone(&tally));
            move || Desk {
                traces: settings.traces.map(|destination| Traces {
                    delivery: Delivery::new(destination, config.clone(), tell.clone()),
                    writer: spans::Writer::new(clock, config.clone(), resource.clone()),
                    received,
                    tally,
                    exported: Cell::default(),
                }),
                metrics: settings.metrics.map(|destination| Metrics {
                    delivery: Delivery::new(destination, config, tell),
                    resource,
                }),
                stages,
            }
        };
        thread::Builder::new()
            .name("mite-otel".to_owned())
            .spawn(move || {
                // Nobody waits when the engine has panicked.
                let _ = end.send(on_this_thread(desk));
            })
            .map_err(OtelError::Thread)?;
        Ok(Self {
            traces,
            tally,
            stage,
            metrics: metrics.map(|interval| (interval, Instant::now() + interval)),
            news,
            said: Vec::new(),
            ended,
        })
    }

    /// How journeys are traced, if they are.
    pub(crate) fn traces(&self) -> Option<TraceSettings> {
        self.traces.clone()
    }

    /// To be called each second: passes on what was counted when it is time, and says what there is
    /// to say.
    pub(crate) fn second(&mut self, count: impl FnOnce() -> Box<dyn Source>) -> Vec<String> {
        let now = Instant::now();
        if let Some((interval, due)) = &mut self.metrics
            && now >= *due
        {
            *due = now + *interval;
            self.stage.send_replace(Stage::During(Some(count().into())));
        }
        let news: Vec<_> = self.news.try_iter().collect();
        self.said.extend(news.iter().cloned());
        news
    }

    /// Exports the rest, with what the run has come to, and waits a limited time for it, or until
    /// `cut` is over.
    pub(crate) async fn finish(
        self,
        last: Box<dyn Source>,
        cut: impl Future<Output = ()>,
    ) -> Ending {
        self.stage.send_replace(Stage::Over(Some(last.into())));
        let exported = tokio::select! {
            exported = self.ended => exported.unwrap_or_default(),
            // Of one who does not come to an end there is nothing to know.
            () = sleep(FLUSH * 2) => Exported::default(),
            () = cut => Exported::default(),
        };
        Ending {
            sampled: self.traces.is_some().then(|| self.tally.sampled()),
            exported: exported.traces,
            spans: exported.spans,
            said: self.said.into_iter().chain(self.news.try_iter()).collect(),
        }
    }
}

impl Stage {
    pub(super) fn is_over(&self) -> bool {
        matches!(self, Stage::Over(_))
    }

    fn source(&self) -> Option<Arc<dyn Source>> {
        match self {
            Stage::During(source) | Stage::Over(source) => source.clone(),
        }
    }

    /// Waits until the run is over.
    pub(super) async fn over(stages: &mut watch::Receiver<Self>) {
        // That nobody is there to say so comes to the same.
        let _ = stages.wait_for(Stage::is_over).await;
    }
}

/// What the thread works at.
struct Desk {
    traces: Option<Traces>,
    metrics: Option<Metrics>,
    stages: watch::Receiver<Stage>,
}

struct Traces {
    delivery: Delivery,
    writer: spans::Writer,
    received: UnboundedReceiver<Finished>,
    tally: Arc<Tally>,
    exported: Cell<Exported>,
}

struct Metrics {
    delivery: Delivery,
    resource: Message,
}

fn on_this_thread(desk: impl FnOnce() -> Desk) -> Exported {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default());
    match runtime {
        Ok(runtime) => runtime.block_on(async { desk().work().await }),
        Err(error) => {
            tracing::warn!("nothing is exported to OpenTelemetry: {error}");
            Exported::default()
        }
    }
}

impl Desk {
    async fn work(self) -> Exported {
        let Self {
            mut traces,
            metrics,
            mut stages,
        } = self;
        let (for_traces, for_metrics) = (stages.clone(), stages.clone());
        let work = async {
            tokio::join!(
                async {
                    if let Some(traces) = &mut traces {
                        traces.export(for_traces).await;
                    }
                },
                async {
                    if let Some(metrics) = &metrics {
                        metrics.export(for_metrics).await;
                    }
                }
            );
        };
        let end = async {
            Stage::over(&mut stages).await;
            sleep(FLUSH).await;
        };
        tokio::select! {
            () = work => {}
            () = end => {}
        }
        traces.map_or_else(Exported::default, |traces| traces.exported.get())
    }
}

impl Traces {
    async fn export(&mut self, mut stages: watch::Receiver<Stage>) {
        let mut batch = Vec::new();
        while self.gather(&mut batch, &mut stages).await {
            self.send(&mut batch, &mut stages).await;
        }
        // What was handed over before the end has come, since workers hand over before they go.
        while let Ok(trace) = self.received.try_recv() {
            batch.push(trace);
            if spans_in(&batch) >= BATCH {
                self.send(&mut batch, &mut stages).await;
            }
        }
        self.send(&mut batch, &mut stages).await;
    }

    /// Takes traces until there are enough or the first has waited long enough; false when the run
    /// is over before that.
    async fn gather(
        &mut self,
        batch: &mut Vec<Finished>,
        stages: &mut watch::Receiver<Stage>,
    ) -> bool {
        let mut due = Instant::now() + DELAY;
        loop {
            tokio::select! {
                biased;
                trace = self.received.recv() => {
                    let Some(trace) = trace else {
                        return false;
                    };
                    if batch.is_empty() {
                        due = Instant::now() + DELAY;
                    }
                    batch.push(trace);
                    if spans_in(batch) >= BATCH {
                        return true;
                    }
                }
                () = sleep_until(due), if !batch.is_empty() => return true,
                () = Stage::over(stages) => return false,
            }
        }
    }

    async fn send(&self, batch: &mut Vec<Finished>, stages: &mut watch::Receiver<Stage>) {
        if batch.is_empty() {
            return;
        }
        let batch = std::mem::take(batch);
        let spans = spans_in(&batch);
        let traces = batch.len() as u64;
        let message = self.writer.write(&batch);
        drop(batch);
        if let Some(taken) = self.delivery.deliver(message, stages).await {
            let mut exported = self.exported.get();
            exported.traces += traces;
            exported.spans += (spans as u64).saturating_sub(taken.rejected);
            self.exported.set(exported);
        }
        self.tally.let_go(spans);
    }
}

impl Metrics {
    /// Passes on what was counted, the latest only where the collector is slower than that comes.
    async fn export(&self, mut stages: watch::Receiver<Stage>) {
        loop {
            if stages.changed().await.is_err() {
                return;
            }
            let stage = stages.borrow_and_update().clone();
            let message = stage
                .source()
                .map(|source| metrics::write(&*source, &self.resource, SystemTime::now()));
            let over = stage.is_over();
            match message {
                Some(message) if over => {
                    self.delivery.deliver(message, &mut stages).await;
                }
                Some(message) => self.delivery.deliver_once(message).await,
                None => {}
            }
            if over {
                return;
            }
        }
    }
}

fn spans_in(batch: &[Finished]) -> usize {
    batch.iter().map(|trace| trace.spans.len()).sum()
}

/// What is said of this program and of its run.
fn resource(settings: &Settings, config: &Config, scenario: &str, run: &str) -> Message {
    let mut attributes = vec![
        ("service.instance.id".to_owned(), run.to_owned()),
        ("telemetry.sdk.language".to_owned(), "rust".to_owned()),
        ("telemetry.sdk.name".to_owned(), "mite".to_owned()),
        (
            "telemetry.sdk.version".to_owned(),
            env!("CARGO_PKG_VERSION").to_owned(),
        ),
        ("mite.scenario".to_owned(), config.mask(scenario)),
    ];
    // What the environment says is stronger.
    attributes.retain(|(key, _)| !settings.resource.iter().any(|(given, _)| given == key));
    attributes.extend(settings.resource.iter().cloned());
    attributes::resource(&attributes)
}
