//! Tells a webhook that a run begins and how it ended.
//!
//! It is told from a thread of its own, so that one that is slow or dead costs a warning and a
//! moment at the end, never a start, a second or a verdict.

mod delivery;
mod message;
#[cfg(test)]
mod tests;

use std::{
    future::pending,
    path::{PathBuf, absolute},
    thread::{Builder, JoinHandle},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    sync::{mpsc::UnboundedReceiver, oneshot},
    time::timeout,
};

use super::{Settings, Stop};
use crate::{
    outbound::Address,
    report::{Report, WebhookSummary},
};

use delivery::{Begin, Delivery, text_of};
use message::End;
pub(super) use message::Start;

/// How long a run that is over already waits for the answer to its start.
const PATIENCE: Duration = Duration::from_secs(2);

/// A webhook that is told of the start and of the end.
pub(super) struct Webhook {
    /// The URL without its secrets.
    url: String,
    /// Gone when the thread may tell of the start, or knows that it is told already.
    begin: Option<oneshot::Sender<Begin>>,
    /// Gone when the answer to the start has come, or cannot any more.
    answer: Option<oneshot::Receiver<Option<Value>>>,
    /// What the webhook calls the run, once it has taken the start.
    told: Option<Option<Value>>,
    /// Gone when the end has been told.
    end: Option<oneshot::Sender<End>>,
    over: oneshot::Receiver<()>,
    thread: Option<JoinHandle<()>>,
    /// What is told if the run never gets to its report.
    failure: End,
}

impl Webhook {
    /// Makes ready to tell; nothing is told before [`begin`](Self::begin).
    pub(super) fn start(address: &Address, start: Start, settings: &Settings) -> Option<Self> {
        let (begin, begins) = oneshot::channel();
        let (tell_answer, answer) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let (over_sender, over) = oneshot::channel();
        let failure = End::without_report(&start);
        let delivery = Delivery {
            address: address.clone(),
            begin: begins,
            answer: tell_answer,
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
            begin: Some(begin),
            answer: Some(answer),
            told: None,
            end: Some(end),
            over,
            thread: Some(thread),
            failure,
        })
    }

    /// Tells of the start, without waiting for anything, unless that was done for this run before.
    pub(super) fn begin(&mut self) {
        let begin = match self.told.clone() {
            None => Begin::Tell,
            Some(id) => Begin::Told(id),
        };
        if let Some(sender) = self.begin.take() {
            // Nobody listens when the thread has panicked.
            let _ = sender.send(begin);
        }
    }

    /// Waits until the start is taken, and gives what the webhook calls the run; for ever where it is
    /// not.
    pub(super) async fn answer(&mut self) -> Option<Value> {
        if let Some(answer) = &mut self.answer {
            let taken = answer.await;
            self.answer = None;
            if let Ok(id) = taken {
                self.told = Some(id.clone());
                return id;
            }
        }
        pending().await
    }

    /// The start has been taken, of this process or of one whose place it has.
    pub(super) fn is_told(&mut self, id: Option<Value>) {
        self.told = Some(id);
    }

    /// Where it is, and what it calls the run; the answer to the start of a short run is waited for
    /// a little.
    pub(super) async fn summary(&mut self) -> WebhookSummary {
        if let (None, Some(answer)) = (&self.told, self.answer.take()) {
            let answer = timeout(PATIENCE, answer).await;
            self.told = answer.ok().and_then(Result::ok);
        }
        WebhookSummary {
            url: self.url.clone(),
            id: self.told.iter().flatten().next().map(text_of),
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

    /// Somebody else tells of the end.
    pub(super) fn leave(mut self) {
        self.end = None;
    }

    fn tell(&mut self, end: End) -> bool {
        // Nobody listens when the thread has panicked.
        self.end.take().is_some_and(|ended| ended.send(end).is_ok())
    }
}

/// A run that ends without a report has failed on its way, and its process may end at once.
impl Drop for Webhook {
    fn drop(&mut self) {
        if self.end.is_none() {
            return;
        }
        self.begin();
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
