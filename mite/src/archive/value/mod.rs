//! A value that `MessagePack` can hold, whatever JSON thinks of it, in its order.

mod json;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub(super) use read::{ReadError, Reader};

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Nil,
    Flag(bool),
    /// Not negative.
    Count(u64),
    /// Below zero.
    Negative(i64),
    Float(f64),
    /// Half as wide; it is not written in the same number of bytes.
    Single(f32),
    Text(String),
    /// What was said to be a text and is not UTF-8.
    RawText(Vec<u8>),
    Bytes(Vec<u8>),
    List(Vec<Value>),
    /// In order; a key may be anything, and come again.
    Map(Vec<(Value, Value)>),
    /// Of an application's own type, or of one of MessagePack's.
    Extension(i8, Vec<u8>),
}
