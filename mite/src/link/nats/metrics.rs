//! The metrics of a run, for somebody who can reach NATS and not the controller.
//!
//! They may be larger than a message, so they are fetched in pieces, each an answer of its own.

use std::{collections::VecDeque, time::Duration};

use async_nats::{Client, RequestErrorKind, connection::State};
use bytes::Bytes;
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::{BusError, Options, subjects::Subjects};
use crate::link::{decode, encode};

/// How large a piece is; NATS takes a megabyte unless it is told otherwise.
const PIECE: usize = 256 << 10;
/// How many that were made are kept for who fetches them piece by piece.
const KEPT: usize = 4;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(4);

/// What is asked.
#[derive(Debug, Serialize, Deserialize)]
enum Question {
    /// How the run stands, in a form that this accepts.
    Look { accept: String },
    /// A further piece of what was made under this number.
    More { made: u64, piece: usize },
}

/// What is answered.
#[derive(Debug, Serialize, Deserialize)]
enum Answer {
    /// A piece of what was made under this number.
    Piece {
        made: u64,
        pieces: usize,
        bytes: Bytes,
    },
    /// Nothing is known yet, or not any more.
    Nothing,
}

/// Answers who asks, for as long as it is polled, with what `expose` makes for what is accepted.
///
/// # Errors
/// When NATS cannot be reached or does not let us in.
pub(crate) async fn answer_scrapes(
    options: &Options,
    expose: impl AsyncFn(&str) -> Option<Vec<u8>>,
) -> Result<(), BusError> {
    let subjects = Subjects::new(&options.prefix)?;
    let client = options.connect("mite controller to exporters").await?;
    let questions = client.subscribe(subjects.metrics()).await;
    let mut questions = questions.map_err(|error| BusError::Subscribe(error.to_string()))?;
    let mut kept = VecDeque::new();
    while let Some(asked) = questions.next().await {
        let (Some(reply), Some(question)) = (asked.reply, decode(&asked.payload)) else {
            continue;
        };
        let answer = match question {
            Question::Look { accept } => match expose(&accept).await {
                Some(made) => {
                    let number = fastrand::u64(..);
                    kept.push_front((number, Bytes::from(made)));
                    kept.truncate(KEPT);
                    piece(&kept, number, 0)
                }
                None => Answer::Nothing,
            },
            Question::More { made, piece: index } => piece(&kept, made, index),
        };
        if let Err(error) = client.publish(reply, encode(&answer)).await {
            tracing::debug!("cannot answer an exporter: {error}");
        }
    }
    Ok(())
}

fn piece(kept: &VecDeque<(u64, Bytes)>, made: u64, index: usize) -> Answer {
    let found = kept.iter().find(|(number, _)| *number == made);
    let Some((_, whole)) = found else {
        return Answer::Nothing;
    };
    let begin = index.saturating_mul(PIECE).min(whole.len());
    let end = begin.saturating_add(PIECE).min(whole.len());
    Answer::Piece {
        made,
        pieces: whole.len().div_ceil(PIECE),
        bytes: whole.slice(begin..end),
    }
}

/// Asks the controller for the metrics of its run.
#[derive(Clone)]
pub(crate) struct Scraper {
    client: Client,
    subject: String,
}

/// Why there are none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoMetrics {
    /// Nobody answers.
    #[error("no controller of this test runs, or it still waits for its runners")]
    NoController,
    /// It has nothing yet.
    #[error("nothing is known yet; the run is being set up, or its last report is being made")]
    NotYet,
    /// NATS.
    #[error("NATS cannot be reached")]
    NoNats,
    /// It does not answer in time, or not what was asked.
    #[error("the controller did not answer in time")]
    Late,
}

impl Scraper {
    /// Connects.
    ///
    /// # Errors
    /// When NATS cannot be reached or does not let us in.
    pub(crate) async fn connect(options: &Options) -> Result<Self, BusError> {
        let subject = Subjects::new(&options.prefix)?.metrics();
        Ok(Self {
            client: options.connect("mite exporter").await?,
            subject,
        })
    }

    /// Whether NATS is there.
    pub(crate) fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// The metrics as they are now, in a form that this accepts.
    ///
    /// # Errors
    /// When there are none.
    pub(crate) async fn scrape(&self, accept: String) -> Result<Vec<u8>, NoMetrics> {
        let (made, pieces, first) = self.ask(&Question::Look { accept }).await?;
        let mut whole = first.to_vec();
        for piece in 1..pieces {
            let (_, _, more) = self.ask(&Question::More { made, piece }).await?;
            whole.extend_from_slice(&more);
        }
        Ok(whole)
    }

    async fn ask(&self, question: &Question) -> Result<(u64, usize, Bytes), NoMetrics> {
        if !self.is_connected() {
            return Err(NoMetrics::NoNats);
        }
        let asking = self.client.request(self.subject.clone(), encode(question));
        let answer = match timeout(PATIENCE, asking).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) if error.kind() == RequestErrorKind::NoResponders => {
                return Err(NoMetrics::NoController);
            }
            Ok(Err(_)) | Err(_) => return Err(NoMetrics::Late),
        };
        match decode(&answer.payload) {
            Some(Answer::Piece {
                made,
                pieces,
                bytes,
            }) => Ok((made, pieces, bytes)),
            Some(Answer::Nothing) => Err(NoMetrics::NotYet),
            None => Err(NoMetrics::Late),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_the_whole_and_what_is_not_kept_is_nothing() {
        for size in [0, 1, PIECE, PIECE + 1, 3 * PIECE] {
            let whole: Vec<u8> = (0..size).map(|index| (index % 251) as u8).collect();
            let kept = VecDeque::from([(1, Bytes::new()), (7, Bytes::from(whole.clone()))]);
            let mut together = Vec::new();
            let mut index = 0;
            loop {
                let Answer::Piece { pieces, bytes, .. } = piece(&kept, 7, index) else {
                    panic!("it is kept");
                };
                assert!(bytes.len() <= PIECE);
                together.extend_from_slice(&bytes);
                index += 1;
                if index >= pieces {
                    break;
                }
            }
            assert_eq!(together, whole);
            assert!(matches!(piece(&kept, 8, 0), Answer::Nothing));
        }
    }
}
