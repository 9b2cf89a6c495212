//! The thread that posts: what is tried how often, and what becomes of the answers.

use std::{pin::pin, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::Value;
use tokio::{
    runtime::{Builder, LocalOptions},
    sync::oneshot,
    time::sleep,
};

use super::{End, Start};
use crate::{
    net::Tls,
    outbound::{Address, Answer, Poster},
};

/// How long one attempt may take, from the lookup of the name to the last byte of the answer.
const TIME_LIMIT: Duration = Duration::from_secs(3);

/// How often a message is tried.
const ATTEMPTS: u32 = 2;

/// From one attempt to the next.
const PAUSE: Duration = Duration::from_millis(500);

/// The longest id that is taken for one, in bytes.
const LONGEST_ID: usize = 256;

/// What is to become of the start.
pub(super) enum Begin {
    /// It is told.
    Tell,
    /// It has been taken, and the webhook calls the run so if it has a name for it.
    Told(Option<Value>),
}

/// Tells one webhook of one run.
pub(super) struct Delivery {
    pub(super) address: Address,
    pub(super) begin: oneshot::Receiver<Begin>,
    /// Who waits for what the webhook calls the run; gone without a word where it does not take the
    /// start.
    pub(super) answer: oneshot::Sender<Option<Value>>,
    pub(super) end: oneshot::Receiver<End>,
}

impl Delivery {
    /// Posts the start, waits for the end, posts that.
    pub(super) fn run(self, start: &Start) {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build_local(LocalOptions::default());
        match runtime {
            Ok(runtime) => runtime.block_on(self.converse(start)),
            Err(error) => tracing::warn!("no webhook is told of the run: {error}"),
        }
    }

    async fn converse(self, start: &Start) {
        let Self {
            address,
            begin,
            answer,
            end: mut ends,
        } = self;
        let poster = Poster::new(Tls::default()).time_limit(TIME_LIMIT);
        let [to_start, to_end] = ["start", "end"].map(|name| address.below(name));
        let (id, attempts, early) = match begin.await {
            Ok(Begin::Told(id)) => (id, ATTEMPTS, None),
            Ok(Begin::Tell) => {
                let starting = pin!(deliver(&poster, &to_start, start, ATTEMPTS));
                let (outcome, early) = tokio::select! {
                    biased;
                    outcome = starting => (outcome, None),
                    ended = &mut ends => {
                        let why = "there was no answer yet when the run was over";
                        (Err(why.to_owned()), Some(ended.ok()))
                    }
                };
                // One that did not hear of the start is not waited for twice.
                let attempts = if outcome.is_ok() { ATTEMPTS } else { 1 };
                let id = known_as(outcome, &to_start, answer);
                (id, attempts, early)
            }
            Err(_) => return,
        };
        let end = match early {
            Some(end) => end,
            None => ends.await.ok(),
        };
        let Some(mut end) = end else { return };
        end.id = id;
        if let Err(why) = deliver(&poster, &to_end, &end, attempts).await {
            tracing::warn!("the webhook {to_end}, told of the end: {why}");
        }
    }
}

/// What the webhook calls the run, which is passed on to whoever waits for it.
fn known_as(
    outcome: Result<Answer, String>,
    to_start: &Address,
    waits: oneshot::Sender<Option<Value>>,
) -> Option<Value> {
    let is_taken = outcome.is_ok();
    let id = outcome.and_then(|answer| id_in(&answer));
    let id = id.unwrap_or_else(|why| {
        tracing::warn!("the webhook {to_start}, told of the start: {why}; the run goes on");
        None
    });
    if is_taken {
        // Nobody waits for it when the run is over.
        let _ = waits.send(id.clone());
    }
    id
}

/// Posts until it is taken, or says why it is not.
async fn deliver(
    poster: &Poster,
    to: &Address,
    message: &impl Serialize,
    attempts: u32,
) -> Result<Answer, String> {
    let body = serde_json::to_vec(message).map_err(|error| error.to_string())?;
    let body = Bytes::from(body);
    let json = HeaderValue::from_static("application/json");
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, json)]);
    let mut attempt = 1;
    loop {
        let (why, may_pass) = match poster.post(to, headers.clone(), body.clone()).await {
            Ok(answer) if answer.status.is_success() => return Ok(answer),
            Ok(answer) => (refusal(answer.status), is_passing(answer.status)),
            Err(error) => (error.to_string(), error.may_pass()),
        };
        if attempt >= attempts || !may_pass {
            return Err(why);
        }
        attempt += 1;
        sleep(PAUSE).await;
    }
}

fn is_passing(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
}

fn refusal(status: StatusCode) -> String {
    if status.is_redirection() {
        format!("it answered {status}; redirects are not followed, so give the URL it leads to")
    } else {
        format!("it answered {status}")
    }
}

/// What the webhook calls the run: a text or a number, under `newid` or `id`.
///
/// Saying nothing is as good an answer.
fn id_in(answer: &Answer) -> Result<Option<Value>, String> {
    if answer.body.trim_ascii().is_empty() {
        return Ok(None);
    }
    if answer.cut {
        return Err("it answered with more than 64 KiB, and so with no id".to_owned());
    }
    let answer: Value = serde_json::from_slice(&answer.body)
        .map_err(|_| "it answered with no JSON, and so with no id".to_owned())?;
    let id = ["newid", "id"]
        .iter()
        .find_map(|name| answer.get(name))
        .cloned();
    match id {
        Some(id @ Value::Number(_)) => Ok(Some(id)),
        Some(Value::String(text)) if (1..=LONGEST_ID).contains(&text.len()) => {
            Ok(Some(Value::String(text)))
        }
        _ => {
            Err("it answered without an id, which is a text or a number: {\"newid\": …}".to_owned())
        }
    }
}

/// The id as a person reads it.
pub(super) fn text_of(id: &Value) -> String {
    match id {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
