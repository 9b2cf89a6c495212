//! A process that is nothing but a recorder: it writes what journeys of runners elsewhere record into
//! files.

use std::path::PathBuf;

use tokio::sync::{mpsc::UnboundedSender, oneshot};

use super::{KeeperEnd, KeeperNews, RunError};
use crate::{
    archive::{Notes, Reception},
    link::nats::{Delivery, Heard, Intake, Options, Recording, Stream, StreamLimits},
};

/// What a recorder is told on its command line.
#[derive(Clone, Debug)]
pub(crate) struct RecorderOptions {
    /// Where runners and the controller are.
    pub(crate) bus: Options,
    /// The stream.
    pub(crate) limits: StreamLimits,
    /// How many bytes may wait in a runner.
    pub(crate) waiting: u64,
    /// Where files are written.
    pub(crate) directory: PathBuf,
}

/// Records until it is told to stop.
///
/// # Errors
/// When NATS has no stream for it, another recorder is there, or files cannot be written.
pub(crate) async fn record(
    options: RecorderOptions,
    news: UnboundedSender<KeeperNews>,
    mut stop: oneshot::Receiver<()>,
) -> Result<KeeperEnd, RunError> {
    let opening = Intake::open(&options.bus, Stream::Recorded, options.limits);
    let mut intake = tokio::select! {
        intake = opening => intake.map_err(|error| RunError::Link(error.to_string()))?,
        _ = &mut stop => return Ok(KeeperEnd::Stopped),
    };
    let reception = Reception::open(&options.directory, intake.identity())?;
    let here = Recording {
        waiting: options.waiting,
    };
    let mut desk = Desk { reception, news };
    desk.tell(KeeperNews::Ready(intake.name()));
    let ended = loop {
        tokio::select! {
            biased;
            _ = &mut stop => break Ok(KeeperEnd::Stopped),
            heard = intake.next(&here) => match heard {
                Some(Heard::Deliveries(deliveries)) if deliveries.is_empty() => desk.tell_news(),
                Some(Heard::Deliveries(deliveries)) => {
                    if let Err(failure) = desk.take(&deliveries).await {
                        break Err(failure);
                    }
                }
                Some(Heard::Over(_)) => {}
                None => break Err("the stream gives nothing any more".to_owned()),
            },
        }
    };
    desk.tell_news();
    intake.close().await;
    ended.map_err(RunError::Link)
}

struct Desk {
    reception: Reception,
    news: UnboundedSender<KeeperNews>,
}

impl Desk {
    /// Writes what has come, and only then says so.
    async fn take(&mut self, deliveries: &[Delivery]) -> Result<(), String> {
        for delivery in deliveries {
            match rmp_serde::from_slice::<Notes>(&delivery.bytes) {
                Ok(notes) => match self.reception.write(delivery.sequence, &notes) {
                    Ok(told) => {
                        for note in told {
                            self.tell(KeeperNews::Note(note));
                        }
                    }
                    Err(failure) => {
                        delivery.refused().await;
                        return Err(failure);
                    }
                },
                Err(error) => self.tell(KeeperNews::Note(format!(
                    "something in the stream was recorded by no runner of this version of mite, and \
                     is left out: {error}"
                ))),
            }
            // The next one comes only when the stream knows.
            delivery.written_for_certain().await;
        }
        Ok(())
    }

    fn tell_news(&mut self) {
        for (name, received) in self.reception.news() {
            let path = self.reception.path(&name);
            self.tell(KeeperNews::Recorded { path, received });
        }
    }

    fn tell(&self, news: KeeperNews) {
        // Whoever listened may have gone.
        let _ = self.news.send(news);
    }
}
