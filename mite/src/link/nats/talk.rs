//! What is said on the bus.

use async_nats::Client;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Assignment, Fingerprint};
pub(super) use crate::link::lifeline::Down;

/// What a runner says when it comes.
#[derive(Serialize, Deserialize)]
pub(super) struct Hello {
    pub(super) fingerprint: Fingerprint,
    /// What it will hold its conversation under; the same when it has to ask again.
    pub(super) conversation: u64,
}

/// What a runner is told that said hello.
#[derive(Serialize, Deserialize)]
pub(super) enum Welcome {
    /// This is what it is to do.
    Work(Box<Assignment>),
    /// It is not made for it.
    Refused(Vec<String>),
}

/// Says something on the bus. What cannot be said now is said again, as all that is not heard.
pub(super) async fn publish(client: &Client, subject: String, payload: Bytes) {
    if let Err(error) = client.publish(subject, payload).await {
        tracing::debug!("cannot speak on NATS: {error}");
    }
}
