//! The two forms of a record: `MessagePack`, and JSON with one record a line.

use std::str::FromStr;

use serde::Serialize;

/// How records are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// A sequence of `MessagePack` maps, one after the other.
    #[default]
    MessagePack,
    /// A JSON object a line.
    JsonLines,
}

impl Format {
    /// What the names of files end in.
    pub(super) fn ending(self) -> &'static str {
        match self {
            Self::MessagePack => "msgpack",
            Self::JsonLines => "jsonl",
        }
    }

    /// Appends a record, or leaves the bytes as they were and says that it could not.
    pub(super) fn append(self, bytes: &mut Vec<u8>, record: &impl Serialize) -> bool {
        let before = bytes.len();
        let written = match self {
            Self::MessagePack => {
                let mut serializer = rmp_serde::Serializer::new(&mut *bytes);
                record.serialize(&mut serializer).is_ok()
            }
            Self::JsonLines => serde_json::to_writer(&mut *bytes, record).is_ok(),
        };
        if !written {
            bytes.truncate(before);
        } else if self == Self::JsonLines {
            bytes.push(b'\n');
        }
        written
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "msgpack" => Ok(Self::MessagePack),
            "jsonl" => Ok(Self::JsonLines),
            _ => Err(format!(
                "{text:?} is no form that events can be collected in; it has to be msgpack or jsonl"
            )),
        }
    }
}
