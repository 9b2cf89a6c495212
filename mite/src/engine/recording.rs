//! A disk that is slow must not hold up the run: what is written while it goes on is written on a
//! thread of its own.

use std::{
    sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel},
    thread::{Builder, JoinHandle},
};

use super::{RunError, outcome};
use crate::{
    controller::Second,
    report::{Batches, RecordedSecond, Recorder, ReportError},
};

/// So many seconds may wait; a disk that is slower than that is told.
const WAITING: usize = 60;

/// Writes seconds down as they become known.
pub(super) struct Recording {
    seconds: SyncSender<RecordedSecond>,
    news: Receiver<ReportError>,
    thread: JoinHandle<Option<Batches>>,
    /// What could not be written.
    failures: Vec<String>,
    lost: u64,
}

impl Recording {
    /// Nothing at all, where there is nothing to write.
    pub(super) fn start(recorder: Recorder) -> Result<Option<Self>, RunError> {
        if recorder.is_idle() {
            return Ok(None);
        }
        let (seconds, heard) = sync_channel(WAITING);
        let (tell, news) = channel();
        let thread = Builder::new()
            .name("mite-recorder".to_owned())
            .spawn(move || record(recorder, &heard, &tell))
            .map_err(RunError::Thread)?;
        Ok(Some(Self {
            seconds,
            news,
            thread,
            failures: Vec::new(),
            lost: 0,
        }))
    }

    /// Passes a second on, and says what has gone wrong since the last one.
    pub(super) fn second(&mut self, second: &Second) -> Vec<String> {
        if let Err(TrySendError::Full(_)) = self.seconds.try_send(recorded(second)) {
            self.lost += 1;
        }
        self.hear()
    }

    /// Waits until the last seconds are written; says what is kept for comparisons, and all that
    /// could not be written.
    pub(super) fn finish(mut self, rest: &[Second]) -> (Option<Batches>, Vec<String>) {
        for second in rest {
            // Nobody hears when the recorder has panicked.
            let _ = self.seconds.send(recorded(second));
        }
        let (closed, _) = sync_channel(0);
        drop(std::mem::replace(&mut self.seconds, closed));
        while let Ok(failure) = self.news.recv() {
            self.failures.push(failure.to_string());
        }
        if self.lost > 0 {
            let lost = ReportError::TooSlow { seconds: self.lost };
            self.failures.push(lost.to_string());
        }
        let batches = self.thread.join().unwrap_or_else(|_| {
            self.failures
                .push("what writes reports while the run goes on has panicked".to_owned());
            None
        });
        (batches, self.failures)
    }

    fn hear(&mut self) -> Vec<String> {
        let news: Vec<_> = self
            .news
            .try_iter()
            .map(|failure| failure.to_string())
            .collect();
        self.failures.extend(news.iter().cloned());
        news
    }
}

fn record(
    mut recorder: Recorder,
    seconds: &Receiver<RecordedSecond>,
    tell: &Sender<ReportError>,
) -> Option<Batches> {
    for second in seconds {
        for failure in recorder.second(&second) {
            // The run may be over and nobody listening, but then it has ended by a panic.
            let _ = tell.send(failure);
        }
    }
    recorder.finish()
}

fn recorded(second: &Second) -> RecordedSecond {
    RecordedSecond {
        from: second.point.at,
        warming_up: second.warming_up,
        point: outcome::point(second.point.clone()),
        statistics: second.statistics.clone(),
    }
}
