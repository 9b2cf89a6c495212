//! The form of what goes over a network: MessagePack with names.

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

/// The form of something that is said.
pub(crate) fn encode(said: &impl Serialize) -> Bytes {
    match rmp_serde::to_vec_named(said) {
        Ok(bytes) => bytes.into(),
        Err(error) => {
            // Only a type that has no form at all could fail here; none of ours does.
            tracing::error!("cannot put into words for the network: {error}");
            Bytes::new()
        }
    }
}

/// What was said, if it can be understood.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    match rmp_serde::from_slice(bytes) {
        Ok(said) => Some(said),
        Err(error) => {
            tracing::warn!(
                "something was said on the network that cannot be understood: {error}; is another \
                 program using this prefix?"
            );
            None
        }
    }
}
