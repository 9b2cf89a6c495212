//! The form of what goes over a network: MessagePack with names, and without where there are many.

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

/// For a field that has the same few names in it hundreds of times, as what was counted has: bytes,
/// in which what belongs where is told by the order alone. Both sides are of the same version, or
/// would not have come to talk of it.
pub(crate) mod nameless {
    use bytes::Bytes;
    use serde::{
        Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned, de::Error as _,
        ser::Error as _,
    };

    pub(crate) fn serialize<T: Serialize, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let bytes = rmp_serde::to_vec(value).map_err(S::Error::custom)?;
        serializer.serialize_bytes(&bytes)
    }

    pub(crate) fn deserialize<'de, T: DeserializeOwned, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        let bytes = Bytes::deserialize(deserializer)?;
        rmp_serde::from_slice(&bytes).map_err(D::Error::custom)
    }
}
