//! Those who write down what runners send, as the controller sees them.

use std::time::Duration;

use async_nats::{Client, StatusCode};
use bytes::Bytes;
use futures_util::StreamExt;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::time::{Instant, sleep, timeout_at};

use super::intake::Word;
use crate::link::{
    decode, encode,
    nats::{BusError, Collecting, Keeping, Options, Recording, subjects::Subjects},
};

/// How long the first may take to say that it is there.
const ANSWER: Duration = Duration::from_millis(500);
/// How long after the first others may.
const OTHERS: Duration = Duration::from_millis(200);
/// How long to wait before asking again, when more are waited for.
const AGAIN: Duration = Duration::from_millis(500);
/// How long the last word may take to be sent.
const FAREWELL: Duration = Duration::from_secs(2);

/// How a run ended, for those who collect its events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Over {
    /// The run.
    pub(crate) run: u64,
    /// Events that are in the stream or were.
    pub(crate) events: u64,
    /// Events that never were.
    pub(crate) missing: u64,
}

/// Who is there to keep what runners send.
pub(crate) struct Keepers {
    client: Client,
    subjects: Subjects,
    /// What they want, and the number of the run.
    pub(crate) keeping: Keeping,
}

impl Keepers {
    /// Asks who is there, until as many collectors are as were asked for.
    ///
    /// # Errors
    /// When NATS cannot be reached, or collectors want different things.
    pub(crate) async fn find(options: &Options, collectors: usize) -> Result<Self, BusError> {
        let subjects = Subjects::new(&options.prefix)?;
        let client = options.connect("mite controller of collectors").await?;
        let found = loop {
            let found: Vec<Collecting> = who_is_there(&client, subjects.collect()).await?;
            if found.len() >= collectors {
                break found;
            }
            tracing::info!("{} of {collectors} collectors are there", found.len());
            sleep(AGAIN).await;
        };
        let collect = found.first().cloned();
        if let Some(first) = &collect
            && let Some(other) = found.iter().find(|other| other.format != first.format)
        {
            return Err(BusError::Formats(
                first.format.clone(),
                other.format.clone(),
            ));
        }
        let recorders: Vec<Recording> = who_is_there(&client, subjects.record()).await?;
        Ok(Self {
            client,
            subjects,
            keeping: Keeping {
                run: fastrand::u64(..),
                collect,
                record: recorders.into_iter().next(),
            },
        })
    }

    /// Those that a run has already, which began under another controller.
    ///
    /// # Errors
    /// When NATS cannot be reached.
    pub(crate) async fn again(options: &Options, keeping: Keeping) -> Result<Self, BusError> {
        Ok(Self {
            client: options.connect("mite controller of collectors").await?,
            subjects: Subjects::new(&options.prefix)?,
            keeping,
        })
    }

    /// Tells collectors that a run is over: what they have not got by now is in the stream.
    pub(crate) async fn tell_over(self, over: Over) {
        if self.keeping.collect.is_none() {
            return;
        }
        let telling = async {
            let word = encode(&Word::Over(over));
            self.client.publish(self.subjects.collect(), word).await?;
            self.client.flush().await?;
            Ok::<_, async_nats::Error>(())
        };
        // Who does not hear it finds out that there is no controller any more.
        if let Ok(Err(error)) = tokio::time::timeout(FAREWELL, telling).await {
            tracing::debug!("cannot tell collectors: {error}");
        }
    }
}

/// All who answer on a subject.
pub(super) async fn who_is_there<T: DeserializeOwned>(
    client: &Client,
    subject: String,
) -> Result<Vec<T>, BusError> {
    let failed = |error: &dyn std::error::Error| BusError::Subscribe(error.to_string());
    let inbox = client.new_inbox();
    let mut answers = client
        .subscribe(inbox.clone())
        .await
        .map_err(|error| failed(&error))?;
    let question: Bytes = encode(&Word::WhoIsThere);
    client
        .publish_with_reply(subject, inbox, question)
        .await
        .map_err(|error| failed(&error))?;
    let mut until = Instant::now() + ANSWER;
    let mut found = Vec::new();
    while let Ok(Some(answer)) = timeout_at(until, answers.next()).await {
        if answer.status == Some(StatusCode::NO_RESPONDERS) {
            break;
        }
        if found.is_empty() {
            until = Instant::now() + OTHERS;
        }
        found.extend(decode(&answer.payload));
    }
    Ok(found)
}
