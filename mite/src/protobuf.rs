//! Messages in the wire format of Protocol Buffers, as far as metrics and traces need it.

/// The fields of a message, one after the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message(Vec<u8>);

/// How a field is laid out.
const VARIABLE: u64 = 0;
const EIGHT_BYTES: u64 = 1;
const COUNTED: u64 = 2;
#[cfg(feature = "otel")]
const FOUR_BYTES: u64 = 5;

impl Message {
    /// The same behind its length, as messages follow one another in a stream.
    pub(crate) fn write_delimited(&self, bytes: &mut Vec<u8>) {
        variable(bytes, self.0.len() as u64);
        bytes.extend_from_slice(&self.0);
    }

    /// A field of type `uint32`, `uint64`, `bool` or an enumeration.
    pub(crate) fn integer(&mut self, field: u64, value: u64) {
        self.tag(field, VARIABLE);
        variable(&mut self.0, value);
    }

    /// A field of type `sint32` or `sint64`.
    pub(crate) fn signed(&mut self, field: u64, value: i64) {
        self.integer(field, zigzag(value));
    }

    /// A field of type `double`.
    pub(crate) fn double(&mut self, field: u64, value: f64) {
        self.tag(field, EIGHT_BYTES);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// A field of type `string`.
    pub(crate) fn text(&mut self, field: u64, text: &str) {
        self.bytes(field, text.as_bytes());
    }

    /// A message within.
    pub(crate) fn message(&mut self, field: u64, message: &Message) {
        self.bytes(field, &message.0);
    }

    /// A field of type `bytes`.
    pub(crate) fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.tag(field, COUNTED);
        variable(&mut self.0, bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// A repeated field of type `sint64`, packed.
    pub(crate) fn signed_list(&mut self, field: u64, values: impl IntoIterator<Item = i64>) {
        self.integers(field, values.into_iter().map(zigzag));
    }

    /// A repeated field of type `uint64`, packed.
    pub(crate) fn integers(&mut self, field: u64, values: impl IntoIterator<Item = u64>) {
        let mut packed = Vec::new();
        for value in values {
            variable(&mut packed, value);
        }
        self.bytes(field, &packed);
    }

    fn tag(&mut self, field: u64, layout: u64) {
        variable(&mut self.0, field << 3 | layout);
    }
}

#[cfg(feature = "otel")]
impl Message {
    /// What goes over the wire.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// A field of type `fixed64`.
    pub(crate) fn fixed(&mut self, field: u64, value: u64) {
        self.tag(field, EIGHT_BYTES);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// A field of type `fixed32`.
    pub(crate) fn short_fixed(&mut self, field: u64, value: u32) {
        self.tag(field, FOUR_BYTES);
        self.0.extend_from_slice(&value.to_le_bytes());
    }
}

/// A field of a message that is read.
#[cfg(feature = "otel")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Field<'a> {
    /// An integer, as it is in the wire format.
    Integer(u64),
    /// A text, bytes or a message.
    Bytes(&'a [u8]),
}

/// The fields of a message up to where it ends or makes no sense; those of fixed length are passed
/// over.
#[cfg(feature = "otel")]
pub(crate) fn fields(mut rest: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut fields = Vec::new();
    while let Some(tag) = read_variable(&mut rest) {
        let length = match tag & 7 {
            VARIABLE => {
                let Some(value) = read_variable(&mut rest) else {
                    break;
                };
                fields.push((tag >> 3, Field::Integer(value)));
                continue;
            }
            EIGHT_BYTES => 8,
            FOUR_BYTES => 4,
            COUNTED => match read_variable(&mut rest).map(usize::try_from) {
                Some(Ok(length)) => length,
                _ => break,
            },
            _ => break,
        };
        let Some((bytes, after)) = rest.split_at_checked(length) else {
            break;
        };
        rest = after;
        if tag & 7 == COUNTED {
            fields.push((tag >> 3, Field::Bytes(bytes)));
        }
    }
    fields
}

#[cfg(feature = "otel")]
fn read_variable(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Seven bits a byte, the lowest first.
fn variable(bytes: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// So that small numbers below zero are short as well.
fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63) as u64
}

#[cfg(all(test, feature = "otel"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_cut_short_ends_there() {
        let mut inner = Message::default();
        inner.integer(1, 300);
        let mut message = Message::default();
        message.double(7, 1.5);
        message.short_fixed(16, 257);
        message.message(1, &inner);
        message.text(2, "no room");
        let bytes = message.into_bytes();
        let read = fields(&bytes);
        let [(1, Field::Bytes(within)), (2, Field::Bytes(text))] = read.as_slice() else {
            panic!("{read:?}");
        };
        assert_eq!(fields(within), [(1, Field::Integer(300))]);
        assert_eq!(*text, b"no room");
        assert_eq!(fields(&bytes[..bytes.len() - 1]).len(), 1);
        assert_eq!(fields(&[0xff; 12]), []);
    }
}
