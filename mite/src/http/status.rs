//! Which statuses are meant.

use std::{
    fmt::Debug,
    ops::{Range, RangeInclusive},
};

use http::StatusCode;

/// One status or several: `200`, [`StatusCode::OK`], `200..300` or `200..=204`.
pub trait StatusPattern: sealed::Sealed + Debug {
    /// Whether this is one of them.
    fn matches(&self, status: StatusCode) -> bool;

    /// How a message names them.
    #[doc(hidden)]
    fn describe(&self) -> String;
}

impl StatusPattern for u16 {
    fn matches(&self, status: StatusCode) -> bool {
        status.as_u16() == *self
    }

    fn describe(&self) -> String {
        StatusCode::from_u16(*self).map_or_else(|_| self.to_string(), |status| status.describe())
    }
}

impl StatusPattern for StatusCode {
    fn matches(&self, status: StatusCode) -> bool {
        status == *self
    }

    fn describe(&self) -> String {
        match self.canonical_reason() {
            Some(reason) => format!("{} {reason}", self.as_u16()),
            None => self.as_u16().to_string(),
        }
    }
}

impl StatusPattern for Range<u16> {
    fn matches(&self, status: StatusCode) -> bool {
        self.contains(&status.as_u16())
    }

    fn describe(&self) -> String {
        format!("{} to {}", self.start, self.end.saturating_sub(1))
    }
}

impl StatusPattern for RangeInclusive<u16> {
    fn matches(&self, status: StatusCode) -> bool {
        self.contains(&status.as_u16())
    }

    fn describe(&self) -> String {
        format!("{} to {}", self.start(), self.end())
    }
}

mod sealed {
    use super::{Range, RangeInclusive, StatusCode};

    pub trait Sealed {}
    impl Sealed for u16 {}
    impl Sealed for StatusCode {}
    impl Sealed for Range<u16> {}
    impl Sealed for RangeInclusive<u16> {}
}
