//! A terminal that stands still, after Ctrl-S or behind a pipe that nobody reads, must not hold up
//! the run: who looks on does so on a thread of its own.

use std::{
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread::{Builder, JoinHandle},
};

use crate::report::{Observer, Progress, Report, RunInfo};

/// So many words may wait; what comes beyond that is not shown.
const WAITING: usize = 100;

/// Passes on to an observer what it is to see, without waiting for it before the end.
pub(super) struct Onlooker {
    words: SyncSender<Word>,
    thread: JoinHandle<()>,
}

enum Word {
    Started(RunInfo),
    Progress(Box<Progress>),
    Note(String),
    Ended(Box<Report>),
}

impl Onlooker {
    /// Nobody looks on where there can be no thread.
    pub(super) fn new(observer: Box<dyn Observer>) -> Option<Self> {
        let (words, heard) = sync_channel(WAITING);
        let thread = Builder::new()
            .name("mite-onlooker".to_owned())
            .spawn(move || show(observer, &heard))
            .inspect_err(|error| tracing::warn!("no progress is shown: {error}"))
            .ok()?;
        Some(Self { words, thread })
    }

    pub(super) fn started(&self, run: RunInfo) {
        self.tell(Word::Started(run));
    }

    pub(super) fn progress(&self, progress: Progress) {
        self.tell(Word::Progress(Box::new(progress)));
    }

    pub(super) fn note(&self, note: String) {
        self.tell(Word::Note(note));
    }

    /// The run is over; waits until all has been shown.
    pub(super) fn ended(self, report: &Report) {
        // Nobody hears when the observer has panicked.
        let _ = self.words.send(Word::Ended(Box::new(report.clone())));
        drop(self.words);
        let _ = self.thread.join();
    }

    fn tell(&self, word: Word) {
        let _ = self.words.try_send(word);
    }
}

fn show(mut observer: Box<dyn Observer>, words: &Receiver<Word>) {
    for word in words {
        match word {
            Word::Started(run) => observer.started(&run),
            Word::Progress(progress) => observer.progress(&progress),
            Word::Note(note) => observer.note(&note),
            Word::Ended(report) => observer.ended(&report),
        }
    }
}
