//! The hash functions of Digest authentication.

use std::fmt::Write as _;

use md5::Md5;
use sha2::{Digest, Sha256, Sha512_256};

/// A hash function, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Hash {
    Md5,
    Sha256,
    Sha512_256,
}

impl Hash {
    /// The function of this name in the IANA registry, and whether it is the variant with a
    /// session key.
    pub(super) fn named(name: &[u8]) -> Option<(Self, bool)> {
        let name = str::from_utf8(name).ok()?.to_ascii_lowercase();
        let (name, session) = match name.strip_suffix("-sess") {
            Some(name) => (name, true),
            None => (name.as_str(), false),
        };
        let hash = match name {
            "md5" => Hash::Md5,
            "sha-256" => Hash::Sha256,
            "sha-512-256" => Hash::Sha512_256,
            _ => return None,
        };
        Some((hash, session))
    }

    /// The hash of the parts with colons between them, as hexadecimal digits.
    pub(super) fn of(self, parts: &[&[u8]]) -> String {
        match self {
            Hash::Md5 => digits::<Md5>(parts),
            Hash::Sha256 => digits::<Sha256>(parts),
            Hash::Sha512_256 => digits::<Sha512_256>(parts),
        }
    }
}

fn digits<D: Digest>(parts: &[&[u8]]) -> String {
    let mut hasher = D::new();
    for (number, part) in parts.iter().enumerate() {
        if number > 0 {
            hasher.update(b":");
        }
        hasher.update(part);
    }
    hexadecimal(hasher.finalize())
}

pub(super) fn hexadecimal(bytes: impl AsRef<[u8]>) -> String {
    let mut text = String::new();
    for byte in bytes.as_ref() {
        // Writing to a `String` does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
