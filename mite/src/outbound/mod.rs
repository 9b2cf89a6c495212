//! What mite itself says to other programs over HTTP, apart from the load: one POST at a time.
//!
//! Nothing here is on the path of a journey. Whoever posts does so on a thread of its own.

mod address;
mod error;
mod poster;
#[cfg(test)]
mod tests;

pub(crate) use address::Address;
pub(crate) use error::Error;
pub(crate) use poster::{Answer, Poster};
