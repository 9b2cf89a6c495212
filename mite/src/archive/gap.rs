//! What stands in a file where events are missing.

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::row::Origin;

/// Events that are not in the files.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Gap {
    /// How many.
    pub(super) events: u64,
    /// When the first of them happened, and the last, in seconds since the epoch.
    pub(super) from: f64,
    pub(super) until: f64,
}

impl Gap {
    pub(super) fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// One gap in the place of two.
    pub(super) fn and(self, other: Self) -> Self {
        if self.is_empty() {
            return other;
        }
        if other.is_empty() {
            return self;
        }
        Self {
            events: self.events + other.events,
            from: self.from.min(other.from),
            until: self.until.max(other.until),
        }
    }
}

/// A gap as a record.
pub(super) struct GapRecord<'a> {
    pub(super) gap: Gap,
    pub(super) origin: &'a Origin,
}

impl Serialize for GapRecord<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(6))?;
        map.serialize_entry("type", "gap")?;
        map.serialize_entry("time", &self.gap.until)?;
        map.serialize_entry("test", &self.origin.test)?;
        map.serialize_entry("runner_id", &self.origin.runner)?;
        map.serialize_entry("start_time", &self.gap.from)?;
        map.serialize_entry("events", &self.gap.events)?;
        map.end()
    }
}
