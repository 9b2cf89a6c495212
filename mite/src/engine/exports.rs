//! Exporters: the controller's answers to them, and the process that is nothing but one.

use std::{sync::Arc, thread};

use tokio::{
    runtime::{Builder, LocalOptions},
    sync::oneshot,
};

use super::{RunError, Settings};
use crate::{
    link::nats::{Options, Scraper, answer_scrapes},
    serve::{self, Feed, Scrapes},
};

/// Answers exporters from now on, on a thread of its own, until the run is over.
///
/// # Errors
/// When there can be no thread.
pub(super) fn answer_exporters(
    settings: &Settings,
    options: &Options,
    feed: Feed,
) -> Result<(), RunError> {
    let (options, serve) = (options.clone(), settings.serve.clone());
    let answer = move || {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build_local(LocalOptions::default())
            .map_err(RunError::Thread)?;
        runtime.block_on(async {
            let scrapes = Scrapes::new(feed, &serve)?;
            let expose = async |accept: &str| scrapes.expose(accept).await;
            tokio::select! {
                answered = answer_scrapes(&options, expose) => {
                    answered.map_err(|error| RunError::Link(error.to_string()))
                }
                () = scrapes.until_over(serve.linger) => Ok(()),
            }
        })
    };
    thread::Builder::new()
        .name("mite-exports".to_owned())
        .spawn(move || {
            if let Err(error) = answer() {
                tracing::warn!("exporters are not answered: {error}");
            }
        })
        .map_err(RunError::Thread)?;
    Ok(())
}

/// Serves Prometheus at this address what the controller says, run after run, until it is told to
/// stop. `ready` is told where.
///
/// # Errors
/// When NATS cannot be reached, or the port cannot be had.
pub(crate) async fn export(
    options: &Options,
    address: String,
    ready: impl FnOnce(&str),
    stop: impl Future<Output = ()>,
) -> Result<(), RunError> {
    let scraper = Scraper::connect(options)
        .await
        .map_err(|error| RunError::Link(error.to_string()))?;
    let looked_at = scraper.clone();
    let ask: serve::Ask = Arc::new(move |accept| {
        let scraper = scraper.clone();
        Box::pin(async move {
            let made = scraper.scrape(accept).await;
            made.map_err(|error| error.to_string())
        })
    });
    let is_reachable = Arc::new(move || looked_at.is_connected());
    let (served, ended) = oneshot::channel();
    let exporter = serve::export(address, ask, is_reachable, served)?;
    ready(&exporter.url);
    tokio::select! {
        () = stop => Ok(()),
        // It is dropped, and says nothing.
        _ = ended => Err(RunError::Option("metrics are served no longer".to_owned())),
    }
}
