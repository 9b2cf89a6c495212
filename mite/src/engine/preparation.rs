//! What comes before the first journey and after the last: checks, setup, pools, teardown.

use std::future::Future;

use tokio::sync::{mpsc::UnboundedReceiver, oneshot};

use super::{
    RunError, Settings, Stop, StopHandle, archive::Files, dashboard::Dashboard,
    system::raise_descriptor_limit, telemetry::Ready,
};
use crate::{
    config::{BASE_URL, Config, Origin},
    datapool::DataPoolError,
    error::{Error, catching, panicked},
    http, net,
    report::Sinks,
    scenario::{Entry, Hook, Scenario, threshold::Threshold},
    stats::metric::{self, Metric},
};

/// What was found to make sense before anything begins.
pub(super) struct Checked {
    pub(super) metrics: Vec<Metric>,
    pub(super) thresholds: Vec<Threshold>,
    pub(super) sinks: Sinks,
    pub(super) dashboard: Dashboard,
    pub(super) telemetry: Ready,
    pub(super) files: Files,
}

impl Checked {
    /// Looks at all that can be wrong without asking anybody else.
    ///
    /// # Errors
    /// When something makes no sense, or a file or a port cannot be had.
    pub(super) fn new(
        scenario: &Scenario,
        settings: &Settings,
        stop: StopHandle,
        served: Option<oneshot::Sender<()>>,
    ) -> Result<Self, RunError> {
        check_options(settings)?;
        let metrics = metric::all_registered()?;
        Ok(Self {
            thresholds: scenario.check(&metrics)?,
            metrics,
            sinks: Sinks::open(&settings.reports)?,
            telemetry: Ready::check(settings)?,
            files: Files::open(settings)?,
            dashboard: Dashboard::open(settings, stop, served)?,
        })
    }
}

/// Does all there is to do before the start: takes over what the scenario sets, calls its setup and
/// opens the pools.
pub(super) async fn prepare(
    setup: Option<Hook>,
    base_url: Option<String>,
    client: Option<http::Settings>,
    entries: &mut [Entry],
    config: &mut Config,
) -> Result<(), RunError> {
    if let Some(url) = base_url {
        config.put(BASE_URL.to_owned(), url, Origin::Scenario);
    }
    if let Some(client) = client {
        client.set_default(config);
    }
    call(setup, config).await.map_err(|error| RunError::Setup {
        message: config.mask(&error.to_string()),
        location: error.location(),
    })?;
    check_base_url(config)?;
    http::Settings::check(config).map_err(RunError::Option)?;
    open_pools(entries, config).await?;
    raise_descriptor_limit();
    let url = config.text(BASE_URL);
    if url.is_some_and(|url| url.starts_with("https:")) {
        net::prepare_tls();
    }
    Ok(())
}

/// What comes before the start has nothing that could end gracefully: any word ends it.
pub(super) async fn unless_stopped<T>(
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
pub(super) async fn tear_down(
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
