//! The collector: every event of a run, in files that roll.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{Receiver, RecvTimeoutError, channel},
    },
    thread::Builder,
    time::{Duration, SystemTime},
};

use super::{
    ArchiveError,
    block::Outlet,
    directory::{Directory, Sheet, Shelf},
    format::Format,
    gap::Gap,
    rolling::{Roll, Rolling},
    room::Room,
    row::Origin,
    scribe::{Scribe, Tally},
    taps::Taps,
};
use crate::{config::Config, event::Tap};

/// So many bytes may wait for the disk; what comes then is missing.
const WAITING: usize = 32 << 20;
/// So long the end of a run waits for a block to be written before it leaves the files alone.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where events are to be collected, and how, as it was asked for.
#[derive(Clone, Debug)]
pub(crate) struct CollectOptions {
    /// The directory, if they are to be collected.
    pub(crate) directory: Option<PathBuf>,
    /// The word for how records are written.
    pub(crate) format: String,
    /// A file that has so many bytes is finished.
    pub(crate) roll_size: u64,
    /// A file that is so old is finished.
    pub(crate) roll_time: Duration,
}

impl Default for CollectOptions {
    fn default() -> Self {
        Self {
            directory: None,
            format: "msgpack".to_owned(),
            roll_size: 256 << 20,
            roll_time: Duration::from_secs(3600),
        }
    }
}

impl CollectOptions {
    pub(super) fn roll(&self) -> Result<Roll, ArchiveError> {
        if self.roll_size == 0 || self.roll_time.is_zero() {
            return Err(ArchiveError(
                "a file of collected events has to have a size and a time above zero before the \
                 next one is begun"
                    .to_owned(),
            ));
        }
        Ok(Roll {
            size: self.roll_size,
            time: self.roll_time,
        })
    }
}

/// A collector whose first file has been begun, so that it can be written.
pub(crate) struct Ready {
    format: Format,
    roll: Roll,
    shelf: Box<dyn Shelf>,
    first: Option<Box<dyn Sheet>>,
}

impl Ready {
    /// Makes sure that files can be written, if any are to be.
    ///
    /// # Errors
    /// When the directory cannot be made or written to, or an option makes no sense.
    pub(crate) fn open(options: &CollectOptions) -> Result<Option<Self>, ArchiveError> {
        let Some(path) = &options.directory else {
            return Ok(None);
        };
        let format = options.format.parse().map_err(ArchiveError)?;
        let roll = options.roll()?;
        let begun = Directory::open(path, format).and_then(|mut shelf| Ok((shelf.begin()?, shelf)));
        let (first, shelf) =
            begun.map_err(|error| ArchiveError::at("collected events", path, &error))?;
        Ok(Some(Self {
            format,
            roll,
            shelf: Box::new(shelf),
            first: Some(first),
        }))
    }

    /// One that writes elsewhere.
    #[cfg(test)]
    pub(super) fn on(shelf: Box<dyn Shelf>, format: Format, roll: Roll) -> Self {
        Self {
            format,
            roll,
            shelf,
            first: None,
        }
    }

    /// Starts the thread that writes.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn start(self, test: &str, runner: u32) -> std::io::Result<Collector> {
        let (messages, heard) = channel();
        let (done, over) = channel::<()>();
        let room = Arc::new(Room::new(WAITING));
        let tally = Arc::<Tally>::default();
        let origin = Arc::new(Origin {
            test: test.to_owned(),
            runner,
        });
        let format = self.format;
        let scribe = Scribe {
            messages: heard,
            room: Arc::clone(&room),
            files: Rolling::new(self.shelf, self.roll, self.first),
            format,
            origin: Arc::clone(&origin),
            tally: Arc::clone(&tally),
            gap: Gap::default(),
        };
        Builder::new()
            .name("mite-collector".to_owned())
            .spawn(move || {
                // It is dropped, and says so, when the last file is finished.
                let _done = done;
                scribe.run();
            })?;
        let outlet = Outlet::new(room, move |message| messages.send(message).is_ok());
        Ok(Collector {
            taps: Taps::new(outlet, origin, format),
            tally,
            told: 0,
            over,
        })
    }
}

/// Collects the events of a run.
pub(crate) struct Collector {
    taps: Taps,
    tally: Arc<Tally>,
    /// How many failures have been told.
    told: usize,
    over: Receiver<()>,
}

/// What became of the events of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Collected {
    /// Those in the files.
    pub(crate) events: u64,
    /// Those that are not.
    pub(crate) missing: u64,
    /// The files.
    pub(crate) files: u64,
    /// The bytes in them.
    pub(crate) bytes: u64,
    /// What the disk has refused.
    pub(crate) failures: Vec<String>,
}

impl Collector {
    /// What makes the tap of a worker, for a run that began then.
    pub(crate) fn taps(
        &self,
    ) -> impl Fn(&Config, SystemTime) -> Box<dyn Tap> + Send + Sync + use<> {
        self.taps.factory()
    }

    /// What the disk has refused since this was asked last.
    pub(crate) fn news(&mut self) -> Vec<String> {
        let failures = self.tally.failures();
        let news = failures.get(self.told..).unwrap_or_default().to_vec();
        self.told = failures.len();
        news
    }

    /// Bytes that wait for the disk.
    #[cfg(test)]
    pub(super) fn taken(&self) -> usize {
        self.taps.waiting()
    }

    /// Waits until all is written, unless the disk takes nothing any more. The workers are gone.
    pub(crate) fn finish(self) -> Collected {
        self.finish_within(PATIENCE)
    }

    pub(super) fn finish_within(self, patience: Duration) -> Collected {
        self.taps.close();
        let mut steps = self.tally.steps.load(Ordering::Relaxed);
        let mut failures = Vec::new();
        while self.over.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
            let now = self.tally.steps.load(Ordering::Relaxed);
            if std::mem::replace(&mut steps, now) == now {
                failures.push(format!(
                    "for {} s no more of the collected events could be written",
                    patience.as_secs()
                ));
                break;
            }
        }
        let events = self.tally.events.load(Ordering::Relaxed);
        failures.splice(..0, self.tally.failures());
        Collected {
            events,
            missing: self.taps.seen().saturating_sub(events),
            files: self.tally.files.load(Ordering::Relaxed),
            bytes: self.tally.bytes.load(Ordering::Relaxed),
            failures,
        }
    }
}
