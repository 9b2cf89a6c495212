//! A process that is nothing but a collector: it writes the events of runners elsewhere into files,
//! run after run.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{Duration, Instant},
};

use tokio::{
    sync::{mpsc::UnboundedSender, oneshot},
    time::{MissedTickBehavior, interval},
};

use super::RunError;
use crate::{
    archive::{CollectOptions, Gathered, Gathering, Parcel, Received},
    link::nats::{Collecting, Delivery, Heard, Intake, Options, Over, Stream, StreamLimits},
};

/// How long nothing may come of a run that nobody has said is over before it is asked whether there
/// is still a controller.
const QUIET: Duration = Duration::from_secs(5);
/// How often it is looked whether a run is over.
const LOOK: Duration = Duration::from_millis(250);

/// What a collector is told on its command line.
#[derive(Clone, Debug)]
pub(crate) struct CollectorOptions {
    /// Where runners and the controller are.
    pub(crate) bus: Options,
    /// The stream.
    pub(crate) limits: StreamLimits,
    /// How many bytes may wait in a runner.
    pub(crate) waiting: u64,
    /// Where files are written.
    pub(crate) directory: PathBuf,
    /// Their form, and when they roll.
    pub(crate) files: CollectOptions,
    /// Whether it leaves after the first run.
    pub(crate) once: bool,
}

/// Something that a process which keeps what runners send tells a person.
#[derive(Clone, Debug)]
pub(crate) enum KeeperNews {
    /// It has begun to take from the stream of this name.
    Ready(String),
    /// Something to be told.
    Note(String),
    /// This has been written of a run that is over.
    Written(Gathered),
    /// This has been written of what journeys recorded.
    Recorded {
        /// The file.
        path: PathBuf,
        /// What was done to it.
        received: Received,
    },
    /// So many events of that run are missing, whoever collects.
    Missing(u64),
}

/// How such a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeeperEnd {
    /// It has done what was to be done.
    Done,
    /// It was told to end.
    Stopped,
}

/// Collects until it is told to stop, or a run is over where it is to be one only.
///
/// # Errors
/// When NATS has no stream for it, or files cannot be written.
pub(crate) async fn collect(
    options: CollectorOptions,
    news: UnboundedSender<KeeperNews>,
    mut stop: oneshot::Receiver<()>,
) -> Result<KeeperEnd, RunError> {
    let (gathering, notes) = Gathering::open(&options.files, &options.directory)?;
    let opening = Intake::open(&options.bus, Stream::Events, options.limits);
    let intake = tokio::select! {
        intake = opening => intake.map_err(|error| RunError::Link(error.to_string()))?,
        _ = &mut stop => return Ok(KeeperEnd::Stopped),
    };
    let here = Collecting {
        format: options.files.format.clone(),
        waiting: options.waiting,
        stream: intake.name(),
    };
    let desk = Desk {
        gathering,
        over: BTreeMap::new(),
        asked: None,
        news,
    };
    desk.tell(KeeperNews::Ready(intake.name()));
    for note in notes {
        desk.tell(KeeperNews::Note(note));
    }
    desk.serve(intake, &here, options.once, stop).await
}

/// What is known of runs.
struct Desk {
    gathering: Gathering,
    /// Those that are over and of which there may be more in the stream.
    over: BTreeMap<u64, Over>,
    /// When it was last asked whether there is a controller.
    asked: Option<Instant>,
    news: UnboundedSender<KeeperNews>,
}

impl Desk {
    async fn serve(
        mut self,
        mut intake: Intake,
        here: &Collecting,
        once: bool,
        mut stop: oneshot::Receiver<()>,
    ) -> Result<KeeperEnd, RunError> {
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_empty = false;
        let ended = loop {
            tokio::select! {
                biased;
                _ = &mut stop => break Ok(KeeperEnd::Stopped),
                heard = intake.next(here) => match heard {
                    Some(Heard::Over(over)) => {
                        // What was in the stream then may not have come yet.
                        is_empty = false;
                        self.over.insert(over.run, over);
                    }
                    Some(Heard::Deliveries(deliveries)) => {
                        is_empty = deliveries.is_empty();
                        if let Err(failure) = self.take(&deliveries).await {
                            break Err(failure);
                        }
                    }
                    None => break Err("the stream gives nothing any more".to_owned()),
                },
                _ = look.tick() => {
                    if let Err(failure) = self.gathering.roll() {
                        break Err(failure);
                    }
                    if is_empty {
                        match self.finish_runs(&intake, once).await {
                            Ok(true) if once => break Ok(KeeperEnd::Done),
                            Ok(_) => is_empty = false,
                            Err(failure) => break Err(failure),
                        }
                    }
                }
            }
        };
        let finished = self.finish_all();
        intake.close().await;
        let ended = ended.and_then(|end| finished.map(|()| end));
        ended.map_err(RunError::Link)
    }

    /// Writes what has come, and only then says so.
    async fn take(&mut self, deliveries: &[Delivery]) -> Result<(), String> {
        let mut written = Ok(());
        let mut whole = Vec::with_capacity(deliveries.len());
        for delivery in deliveries {
            if written.is_err() {
                delivery.refused().await;
                continue;
            }
            match rmp_serde::from_slice::<Parcel>(&delivery.bytes) {
                Ok(parcel) => match self.gathering.write(&parcel) {
                    Ok(()) => whole.push(delivery),
                    Err(failure) => {
                        delivery.refused().await;
                        written = Err(failure);
                    }
                },
                Err(error) => {
                    self.tell(KeeperNews::Note(format!(
                        "something in the stream is no block of events of this version of mite, and \
                         is left out: {error}"
                    )));
                    whole.push(delivery);
                }
            }
        }
        self.gathering.sync()?;
        for delivery in whole {
            delivery.written().await;
        }
        written
    }

    /// Finishes the files of runs that are over, when nothing of them is in the stream any more;
    /// whether there was such a run.
    async fn finish_runs(&mut self, intake: &Intake, alone: bool) -> Result<bool, String> {
        if self.over.is_empty() {
            return self.finish_abandoned(intake).await;
        }
        let waiting = intake.waiting().await;
        match waiting {
            Some((0, 0)) => {}
            // What others have, they may yet be killed with; it is not waited for unless this is
            // the only run.
            Some((0, _)) if !alone => {}
            _ => return Ok(false),
        }
        for (run, over) in std::mem::take(&mut self.over) {
            self.finish(run)?;
            if waiting == Some((0, 0)) {
                self.gathering.forget(run);
            }
            if over.missing > 0 {
                self.tell(KeeperNews::Missing(over.missing));
            }
        }
        Ok(true)
    }

    /// Finishes the files of runs of which nothing comes although nobody has said that they are
    /// over: the controller was killed, or was not heard.
    async fn finish_abandoned(&mut self, intake: &Intake) -> Result<bool, String> {
        let runs = self.gathering.open_runs();
        let quiet = runs.iter().filter(|(_, since)| *since >= QUIET);
        let quiet: Vec<_> = quiet.map(|(run, _)| *run).collect();
        let asked_lately = self.asked.is_some_and(|asked| asked.elapsed() < QUIET);
        if quiet.is_empty() || asked_lately {
            return Ok(false);
        }
        self.asked = Some(Instant::now());
        if intake.has_controller().await || intake.waiting().await != Some((0, 0)) {
            return Ok(false);
        }
        for run in quiet {
            self.finish(run)?;
        }
        Ok(true)
    }

    fn finish(&mut self, run: u64) -> Result<(), String> {
        if let Some(gathered) = self.gathering.finish(run)? {
            self.tell(KeeperNews::Written(gathered));
        }
        Ok(())
    }

    fn finish_all(&mut self) -> Result<(), String> {
        let runs = self.gathering.open_runs();
        runs.into_iter().try_for_each(|(run, _)| self.finish(run))
    }

    fn tell(&self, news: KeeperNews) {
        // Whoever listened may have gone.
        let _ = self.news.send(news);
    }
}
