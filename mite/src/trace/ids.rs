//! The identities of traces and spans, and what looks random but is repeated by a seed.

use std::{
    collections::hash_map::RandomState,
    fmt,
    hash::{BuildHasher, Hasher},
    time::SystemTime,
};

use super::Span;

/// What makes the traces of a run others than those of any other run, of the same seed too.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunKey(u64, u64);

impl RunKey {
    /// Of the seed, the time of the start and what the operating system has of chance.
    pub(crate) fn new(seed: u64, started_at: SystemTime) -> Self {
        let since = started_at.duration_since(SystemTime::UNIX_EPOCH);
        let nanos = since.unwrap_or_default().as_nanos() as u64;
        let chance = || RandomState::new().build_hasher().finish();
        Self(mix(seed ^ chance(), nanos), mix(nanos ^ chance(), seed))
    }

    /// The trace of the journey that has this seed.
    pub(super) fn trace(self, seed: u64) -> TraceId {
        // Zeros alone are no identity.
        TraceId(mix(self.0, seed), mix(self.1, seed.rotate_left(32)).max(1))
    }
}

/// The identity of a trace: 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TraceId(u64, u64);

impl TraceId {
    pub(crate) fn to_bytes(self) -> [u8; 16] {
        (u128::from(self.0) << 64 | u128::from(self.1)).to_be_bytes()
    }

    /// The identity of a span of the trace.
    pub(crate) fn span(self, span: Span) -> [u8; 8] {
        mix(self.1, u64::from(span.0) ^ self.0).max(1).to_be_bytes()
    }
}

/// 32 digits, as `traceparent` has it.
impl fmt::Display for TraceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}{:016x}", self.0, self.1)
    }
}

/// Two numbers into one that looks like neither.
pub(super) fn mix(one: u64, other: u64) -> u64 {
    let one = fastrand::Rng::with_seed(one).u64(..);
    fastrand::Rng::with_seed(one ^ other).u64(..)
}
