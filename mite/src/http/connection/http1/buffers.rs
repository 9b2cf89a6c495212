//! What the HTTP/1.1 connections of a worker read into and write from.

use std::{cell::RefCell, fmt};

/// How much is read at once.
const READ: usize = 64 * 1024;

/// One buffer for each direction, used by one connection at a time and by none for longer than a
/// poll.
pub(in crate::http) struct Buffers {
    pub(super) reading: RefCell<Box<[u8]>>,
    pub(super) writing: RefCell<Vec<u8>>,
}

impl Default for Buffers {
    fn default() -> Self {
        Self {
            reading: RefCell::new(vec![0; READ].into()),
            writing: RefCell::default(),
        }
    }
}

impl fmt::Debug for Buffers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Buffers")
    }
}
