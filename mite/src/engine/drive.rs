//! The controller's driver: carries its words to runners, pools and onlookers, and theirs to it.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::{
    sync::mpsc::UnboundedReceiver,
    task::spawn_local,
    time::{MissedTickBehavior, interval},
};

use super::{
    Run, RunError, Settings, Stop,
    dashboard::{self, Dashboard},
    moment::Frame,
    onlooker::Onlooker,
    outcome,
    pools::{Answer, Pools},
    progress::Telling,
    recording::Recording,
    suspect::Watch,
    telemetry::{Ready, Telemetry},
    webhook::{Start, Webhook},
};
use crate::{
    clock::RunClock,
    config::{BASE_URL, Config, Origin},
    controller::{Action, Controller, ControllerEntry, ControllerSettings, StopCause},
    datapool::DataPoolError,
    error::{Error, catching, panicked},
    http,
    id::RunnerId,
    link::{self, ControllerEnd, Message},
    net,
    report::{Report, RunInfo, Sinks},
    runner::{self, RunnerEntry, RunnerSettings, TapFactory},
    scenario::{Entry, Hook, Scenario},
    serve::{Question, Server, Volume},
    stats::metric::{self, Metric},
    trace::TraceSettings,
};

/// How often the controller is told the time.
const TICK: Duration = Duration::from_millis(50);

/// Runs a scenario on this thread's runtime.
pub(super) async fn drive(run: Run) -> Result<Report, RunError> {
    let Run {
        scenario,
        mut settings,
        observer,
        tap,
        stop,
        mut stops,
        served,
    } = run;
    check_options(&settings)?;
    let metrics = metric::all_registered()?;
    let thresholds = scenario.check(&metrics)?;
    let sinks = Sinks::open(&settings.reports)?;
    let ready = Ready::check(&settings)?;
    let mut dashboard = Dashboard::open(&settings.serve, stop, served)?;
    let Scenario {
        mut entries,
        base_url,
        http,
        warm_up,
        setup,
        teardown,
        thresholds: expressions,
        ..
    } = scenario;
    if let Some(url) = base_url {
        settings
            .config
            .put(BASE_URL.to_owned(), url, Origin::Scenario);
    }
    if let Some(http) = http {
        http.set_default(&mut settings.config);
    }
    let preparation = prepare(setup, &mut entries, &mut settings.config);
    unless_stopped(&mut stops, preparation).await?;
    super::system::raise_descriptor_limit();
    if settings
        .config
        .text(BASE_URL)
        .is_some_and(|url| url.starts_with("https:"))
    {
        net::prepare_tls();
    }

    let clock = RunClock::start();
    let watched = dashboard.server.is_some();
    let recorder = sinks.begin(clock.started_at(), &settings.config, watched)?;
    let batching = recorder.batches.clone();
    let recording = Recording::start(recorder)?;
    let watch = Watch::start();
    let (runner_entries, controller_entries, pools) = split(entries);
    let telemetry = ready.start(clock, &settings)?;
    let trace = telemetry.traces();
    let mut link = start_runner(&settings, clock, runner_entries, metrics, tap, trace);
    let (runner, workers) = hello(&mut link).await?;
    let controller = Controller::new(
        ControllerSettings {
            entries: controller_entries,
            thresholds,
            duration: settings.duration,
            graceful_stop: settings.graceful_stop,
            warm_up,
        },
        [(runner, workers)],
    );
    let telling = Telling::new(observer.as_ref().is_some_and(|one| one.shows_names()));
    let onlooker = observer.and_then(Onlooker::new);
    if let Some(onlooker) = &onlooker {
        let info = run_info(&settings, &controller, workers);
        dashboard.introduce(onlooker, info);
    }
    let planned = controller.planned_duration();
    let webhook = settings.webhook.iter().flatten().next();
    let mut webhook = webhook.and_then(|address| {
        let start = Start::new(&settings, clock, planned, expressions);
        Webhook::start(address, start, &settings)
    });
    let frame = Frame {
        settings: Arc::new(settings.clone()),
        clock,
        workers,
        warm_up,
        planned,
        batching,
    };
    let mut driver = Driver {
        controller,
        clock,
        link,
        pools,
        onlooker,
        telling,
        recording,
        config: settings.config.clone(),
        stopping: None,
        watch,
        frame,
        server: dashboard.server,
        telemetry,
    };
    driver.run(&mut stops).await;
    let Driver {
        mut controller,
        pools,
        onlooker,
        watch,
        frame,
        server,
        recording,
        telemetry,
        ..
    } = driver;
    let figures = watch.finish();
    for (entry, error) in pools.close().await {
        controller.pool_broke(clock.elapsed(), entry, &error.to_string());
    }

    let mut outcome = controller.finish(clock.elapsed());
    let torn_down = tear_down(teardown, &mut settings.config, &mut stops).await;
    outcome.ending.broken.extend(torn_down.err());
    let outcome = Arc::new(outcome);
    let mut report = outcome::report(&settings, clock, &outcome, workers, &figures);
    let (batches, mut unwritten) = recording.finish(&outcome.unshown);
    report.batches = batches;
    if let Some(webhook) = &mut webhook {
        report.webhook = Some(webhook.summary().await);
    }
    let last = |report| frame.last(Arc::clone(&outcome), figures.clone(), report);
    telemetry.finish(&mut report, last, &mut stops).await;
    // A terminal that stands still shall cost no report.
    let written = sinks.write(&report, &outcome.totals);
    unwritten.extend(written.err().map(|error| error.to_string()));
    if let Some(server) = server {
        server.over(frame.last(outcome, figures, report.clone()));
    }
    if let Some(webhook) = webhook {
        let paths = settings.report_paths();
        webhook.end(&report, paths, &unwritten, &mut stops).await;
    }
    if let Some(onlooker) = onlooker {
        onlooker.ended(&report);
    }
    if unwritten.is_empty() {
        return Ok(report);
    }
    Err(RunError::NotWritten {
        report: Box::new(report),
        message: unwritten.join("; "),
    })
}

/// The parts of a run while it goes on.
struct Driver {
    controller: Controller,
    clock: RunClock,
    link: ControllerEnd,
    pools: Pools,
    onlooker: Option<Onlooker>,
    telling: Telling,
    recording: Recording,
    /// What a note must not show.
    config: Config,
    stopping: Option<Duration>,
    watch: Watch,
    frame: Frame,
    server: Option<Server>,
    telemetry: Telemetry,
}

impl Driver {
    async fn run(&mut self, stops: &mut UnboundedReceiver<Stop>) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        while !self.controller.is_finished() {
            let actions = tokio::select! {
                _ = ticks.tick() => self.controller.tick(self.clock.elapsed()),
                Some((runner, message)) = self.link.receive() => {
                    self.controller.hear(self.clock.elapsed(), runner, message)
                }
                Some(answer) = self.pools.answer() => self.supply(answer),
                Some(stop) = stops.recv() => self.stop(stop),
                Some(question) = dashboard::question(&mut self.server) => self.answer(question),
            };
            for action in actions {
                self.act(action);
            }
        }
        for action in self.controller.close() {
            self.act(action);
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Send { runner, order } => {
                if let link::Order::Drain { at } = order {
                    self.stopping = Some(at);
                }
                self.link.send(runner, order);
            }
            Action::Draw { entry, want } => self.pools.draw(entry, want),
            Action::Checkin { entry, items, used } => self.pools.check_in(entry, items, used),
            Action::Show(second) => {
                if let Some(server) = &self.server {
                    server.second(second.point.at.as_secs() + 1);
                }
                for failure in self.recording.second(&second) {
                    self.note(&failure);
                }
                for news in self.tell() {
                    self.note(&news);
                }
                if let Some(onlooker) = &self.onlooker {
                    onlooker.progress(self.telling.progress(
                        &self.controller,
                        &second,
                        self.stopping,
                        &self.config,
                    ));
                }
            }
            Action::Note(note) => self.note(&note),
        }
    }

    /// Tells what has been counted to whoever it is sent to, and gives what there is to say of that.
    fn tell(&mut self) -> Vec<String> {
        let stopping = self.stopping.is_some();
        let (frame, controller, watch) = (&self.frame, &self.controller, &self.watch);
        self.telemetry
            .second(|| frame.moment(controller, watch.so_far(), stopping))
    }

    fn note(&self, note: &str) {
        if let Some(onlooker) = &self.onlooker {
            onlooker.note(self.config.mask(note));
        }
    }

    fn supply(&mut self, answer: Answer) -> Vec<Action> {
        let now = self.clock.elapsed();
        match answer.block {
            Ok(block) => self
                .controller
                .supply(now, answer.entry, block.items, block.exhausted),
            Err(error) => self
                .controller
                .pool_broke(now, answer.entry, &error.to_string()),
        }
    }

    fn stop(&mut self, stop: Stop) -> Vec<Action> {
        let now = self.clock.elapsed();
        match stop {
            Stop::Gracefully => self.controller.stop(now),
            Stop::Now => self.controller.cut(now, StopCause::Interrupted),
            Stop::AtFailure => self.controller.cut(now, StopCause::FirstFailure),
        }
    }

    /// Answers whoever looks at the run from outside, or wants something of it.
    fn answer(&mut self, question: Question) -> Vec<Action> {
        match question {
            Question::Look(answer) => {
                // Who has gone away meanwhile needs nothing to be put together.
                if !answer.is_closed() {
                    let figures = self.watch.so_far();
                    let stopping = self.stopping.is_some();
                    let _ = answer.send(self.frame.moment(&self.controller, figures, stopping));
                }
                Vec::new()
            }
            Question::Volume(factor, answer) => {
                let now = self.clock.elapsed();
                let adjustable = self.controller.volume().adjustable;
                let change = factor.map(|factor| self.controller.change_volume(now, factor));
                let factor = self.controller.volume().factor;
                let _ = answer.send(Volume { adjustable, factor });
                change.unwrap_or_default()
            }
        }
    }
}

fn check_options(settings: &Settings) -> Result<(), RunError> {
    if let Some(Err(why)) = &settings.webhook {
        return Err(RunError::Option(format!(
            "the logging webhook (--logging-webhook or MITE_LOGGING_URL) cannot be told of the run: \
             {why}"
        )));
    }
    if settings.spawn_rate.is_finite() && settings.spawn_rate > 0.0 {
        return Ok(());
    }
    Err(RunError::Option(format!(
        "the spawn rate is {}; it has to be a number of users per second above zero",
        settings.spawn_rate
    )))
}

/// Does all there is to do before the start.
async fn prepare(
    setup: Option<Hook>,
    entries: &mut [Entry],
    config: &mut Config,
) -> Result<(), RunError> {
    call(setup, config).await.map_err(|error| RunError::Setup {
        message: config.mask(&error.to_string()),
        location: error.location(),
    })?;
    check_base_url(config)?;
    http::Settings::check(config).map_err(RunError::Option)?;
    open_pools(entries, config).await
}

/// What comes before the start has nothing that could end gracefully: any word ends it.
async fn unless_stopped<T>(
    stops: &mut UnboundedReceiver<Stop>,
    before: impl Future<Output = Result<T, RunError>>,
) -> Result<T, RunError> {
    tokio::select! {
        biased;
        result = before => result,
        Some(_) = stops.recv() => Err(RunError::Interrupted),
    }
}

/// Does what comes after the last journey, or says why it was not done.
async fn tear_down(
    teardown: Option<Hook>,
    config: &mut Config,
    stops: &mut UnboundedReceiver<Stop>,
) -> Result<(), String> {
    // Earlier words were about the journeys, which are over.
    while stops.try_recv().is_ok() {}
    let cut = async { while !matches!(stops.recv().await, Some(Stop::Now) | None) {} };
    tokio::select! {
        biased;
        result = call(teardown, config) => result.map_err(|error| {
            let place = error.location();
            format!("the teardown of the scenario failed: {error} ({place})")
        }),
        () = cut => Err("the teardown of the scenario was interrupted".to_owned()),
    }
}

/// Refuses a base URL that no request could be joined to.
fn check_base_url(config: &Config) -> Result<(), RunError> {
    let Some(text) = config.text(BASE_URL) else {
        return Ok(());
    };
    match url::Url::parse(text) {
        Ok(url) if url.has_host() => Ok(()),
        _ => Err(RunError::Option(format!(
            "the base_url {} is no URL; it begins with http:// or https:// and names a host",
            config.mask(text)
        ))),
    }
}

async fn open_pools(entries: &mut [Entry], config: &Config) -> Result<(), RunError> {
    for entry in entries {
        catching(entry.pool.open(config))
            .await
            .unwrap_or_else(|panic| Err(DataPoolError::new(panic.to_string())))
            .map_err(|error| RunError::DataPool {
                journey: entry.journey.name().to_owned(),
                source: DataPoolError::new(config.mask(&error.to_string())),
            })?;
    }
    Ok(())
}

async fn call(hook: Option<Hook>, config: &mut Config) -> Result<(), Error> {
    let Some(hook) = hook else { return Ok(()) };
    catching(async { hook(config).await })
        .await
        .unwrap_or_else(|panic| Err(panicked(panic)))
}

/// What the runner, the controller and the pools each need of the entries.
fn split(entries: Vec<Entry>) -> (Vec<RunnerEntry>, Vec<ControllerEntry>, Pools) {
    let mut runner = Vec::with_capacity(entries.len());
    let mut controller = Vec::with_capacity(entries.len());
    let mut pools = Vec::with_capacity(entries.len());
    for Entry {
        journey,
        pool,
        volume,
    } in entries
    {
        let policy = pool.policy();
        runner.push(RunnerEntry { journey, policy });
        controller.push(ControllerEntry {
            journey: journey.name().to_owned(),
            volume,
            policy,
        });
        pools.push(pool);
    }
    (runner, controller, Pools::start(pools))
}

fn start_runner(
    settings: &Settings,
    clock: RunClock,
    entries: Vec<RunnerEntry>,
    metrics: Vec<Metric>,
    tap: Option<TapFactory>,
    trace: Option<TraceSettings>,
) -> ControllerEnd {
    let (controller_end, runner_end) = link::local();
    let settings = RunnerSettings {
        clock,
        entries,
        config: settings.config.clone(),
        metrics,
        series_cap: settings.series_cap,
        // A worker without room for a single journey could start none of its share.
        workers: settings.workers.min(settings.max_in_flight).max(1),
        max_in_flight: settings.max_in_flight,
        spawn_rate: settings.spawn_rate,
        max_start_delay: settings.max_start_delay,
        precise: settings.precise,
        seed: settings.seed,
        tap,
        trace,
    };
    spawn_local(async move {
        if let Err(error) = runner::serve(settings, runner_end).await {
            tracing::error!("the runner cannot start its threads: {error}");
        }
    });
    controller_end
}

async fn hello(link: &mut ControllerEnd) -> Result<(RunnerId, u32), RunError> {
    match link.receive().await {
        Some((runner, Message::Hello { workers })) => Ok((runner, workers)),
        _ => Err(RunError::Thread(std::io::Error::other(
            "the runner did not start",
        ))),
    }
}

fn run_info(settings: &Settings, controller: &Controller, workers: u32) -> RunInfo {
    RunInfo {
        scenario: settings.name.clone(),
        planned: controller.planned_duration(),
        entries: controller.entry_count(),
        runners: 1,
        workers: workers as usize,
        dashboard: None,
    }
}
