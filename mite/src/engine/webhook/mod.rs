//! Tells a webhook that a run begins and how it ended.
//!
//! It is told from a thread of its own, so that one that is slow or dead costs a warning and a
//! moment at the end, never a start, a second or a verdict.

mod delivery;
mod message;
#[cfg(test)]
mod tests;

use std::{
    path::{PathBuf, absolute},
    thread::{Builder, JoinHandle},
    time::Duration,
};

use tokio::{
    sync::{
        mpsc::UnboundedReceiver,
        oneshot::{self, error::TryRecvError},
    },
    time::timeout,
};

use super::{Settings, Stop};
use crate::{
    outbound::Address,
    report::{Report, WebhookSummary},
};

use delivery::Delivery;
use message::End;
pub(super) use message::Start;

/// How long a run that is over already waits for the answer to its start.
const PATIENCE: Duration = Duration::from_secs(2);

/// A webhook that has been told of the start, or is just being told.
pub(super) struct Webhook {
    /// The URL without its secrets.
    url: String,
    id: oneshot::Receiver<String>,
    /// Gone when the end has been told.
    end: Option<oneshot::Sender<End>>,
    over: oneshot::Receiver<()>,
    thread: Option<JoinHandle<()>>,
    /// What is told if the run never gets to its report.
    failure: End,
}

impl Webhook {
    /// Tells of the start, without waiting for anything.
    pub(super) fn start(address: &Address, start: Start, settings: &Settings) -> Option<Self> {
        let (tell_id, id) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let (over_sender, over) = oneshot::channel();
        let failure = End::without_report(&start);
        let delivery = Delivery {
            address: address.clone(),
            id: Some(tell_id),
            end: ended,
        };
        let thread = Builder::new()
            .name("mite-webhook".to_owned())
            .spawn(move || {
                let _over = over_sender;
                delivery.run(&start);
            })
            .inspect_err(|error| tracing::warn!("no webhook is told of the run: {error}"))
            .ok()?;
        Some(Self {
            url: settings.config.mask(&address.to_string()),
            id,
            end: Some(end),
            over,
            thread: Some(thread),
            failure,
        })
    }

    /// Where it is, and what it calls the run; the answer to the start of a short run is waited for
    /// a little.
    pub(super) async fn summary(&mut self) -> WebhookSummary {
        let id = match self.id.try_recv() {
            Ok(id) => Some(id),
            Err(TryRecvError::Closed) => None,
            Err(TryRecvError::Empty) => {
                let answer = timeout(PATIENCE, &mut self.id).await;
                answer.ok().and_then(Result::ok)
            }
        };
        WebhookSummary {
            url: self.url.clone(),
            id,
        }
    }

    /// Tells of the end and waits until that is done, or until somebody wants to leave.
    pub(super) async fn end(
        mut self,
        report: &Report,
        reports: Vec<PathBuf>,
        unwritten: &[String],
        stops: &mut UnboundedReceiver<Stop>,
    ) {
        let end = self.failure.clone();
        self.tell(end.judged(report, reports, unwritten.to_vec()));
        // Earlier words were about the run, which is over.
        while stops.try_recv().is_ok() {}
        tokio::select! {
            _ = &mut self.over => {}
            Some(_) = stops.recv() => {}
        }
    }

    fn tell(&mut self, end: End) -> bool {
        // Nobody listens when the thread has panicked.
        self.end.take().is_some_and(|ended| ended.send(end).is_ok())
    }
}

/// A run that ends without a report has failed on its way, and its process may end at once.
impl Drop for Webhook {
    fn drop(&mut self) {
        let failure = self.failure.clone();
        if self.tell(failure)
            && let Some(thread) = self.thread.take()
        {
            let _ = thread.join();
        }
    }
}

impl Settings {
    /// The files that reports go to, so that whoever reads of them finds them.
    pub(super) fn report_paths(&self) -> Vec<PathBuf> {
        let absolute = |path: &PathBuf| absolute(path).unwrap_or_else(|_| path.clone());
        self.reports.iter().map(absolute).collect()
    }
}
