//! What is said on the bus, and its form there: MessagePack with names.

use async_nats::Client;
use bytes::Bytes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Assignment, Fingerprint};
use crate::link::conversation::Frame;

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

/// What goes to a runner.
#[derive(Serialize, Deserialize)]
pub(super) enum Down {
    /// Part of the conversation.
    Frame(Frame),
    /// The controller holds no such conversation, or none any more.
    Gone,
}

/// The form of something on the bus.
pub(super) fn encode(said: &impl Serialize) -> Bytes {
    match rmp_serde::to_vec_named(said) {
        Ok(bytes) => bytes.into(),
        Err(error) => {
            // Only a type that has no form at all could fail here; none of ours does.
            tracing::error!("cannot put into words for the bus: {error}");
            Bytes::new()
        }
    }
}

/// Says something on the bus. What cannot be said now is said again, as all that is not heard.
pub(super) async fn publish(client: &Client, subject: String, payload: Bytes) {
    if let Err(error) = client.publish(subject, payload).await {
        tracing::debug!("cannot speak on NATS: {error}");
    }
}

/// What was said, if it can be understood.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    match rmp_serde::from_slice(bytes) {
        Ok(said) => Some(said),
        Err(error) => {
            tracing::warn!(
                "something was said on the bus that cannot be understood: {error}; is another \
                 program using this prefix?"
            );
            None
        }
    }
}
