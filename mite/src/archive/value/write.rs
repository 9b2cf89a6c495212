//! Values as `MessagePack`, each in as few bytes as there may be, as mite and most others write it.

use super::Value;

impl Value {
    /// Appends the value.
    pub(in crate::archive) fn write(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Nil => bytes.push(0xc0),
            Self::Flag(flag) => bytes.push(0xc2 | u8::from(*flag)),
            Self::Count(count) => write_count(*count, bytes),
            Self::Negative(number) => write_negative(*number, bytes),
            Self::Float(number) => {
                bytes.push(0xcb);
                bytes.extend(number.to_be_bytes());
            }
            Self::Single(number) => {
                bytes.push(0xca);
                bytes.extend(number.to_be_bytes());
            }
            Self::Text(text) => write_text(text.as_bytes(), bytes),
            Self::RawText(text) => write_text(text, bytes),
            Self::Bytes(content) => {
                write_length(content.len(), [Some(0xc4), Some(0xc5), Some(0xc6)], bytes);
                bytes.extend(content);
            }
            Self::List(values) => {
                match u8::try_from(values.len()) {
                    Ok(few @ 0..=15) => bytes.push(0x90 | few),
                    _ => write_length(values.len(), [None, Some(0xdc), Some(0xdd)], bytes),
                }
                for value in values {
                    value.write(bytes);
                }
            }
            Self::Map(pairs) => {
                match u8::try_from(pairs.len()) {
                    Ok(few @ 0..=15) => bytes.push(0x80 | few),
                    _ => write_length(pairs.len(), [None, Some(0xde), Some(0xdf)], bytes),
                }
                for (key, value) in pairs {
                    key.write(bytes);
                    value.write(bytes);
                }
            }
            Self::Extension(kind, content) => {
                match content.len() {
                    1 => bytes.push(0xd4),
                    2 => bytes.push(0xd5),
                    4 => bytes.push(0xd6),
                    8 => bytes.push(0xd7),
                    16 => bytes.push(0xd8),
                    length => write_length(length, [Some(0xc7), Some(0xc8), Some(0xc9)], bytes),
                }
                bytes.extend(kind.to_be_bytes());
                bytes.extend(content);
            }
        }
    }
}

fn write_count(count: u64, bytes: &mut Vec<u8>) {
    if let Ok(number) = u8::try_from(count) {
        if number > 0x7f {
            bytes.push(0xcc);
        }
        bytes.push(number);
    } else if let Ok(number) = u16::try_from(count) {
        bytes.push(0xcd);
        bytes.extend(number.to_be_bytes());
    } else if let Ok(number) = u32::try_from(count) {
        bytes.push(0xce);
        bytes.extend(number.to_be_bytes());
    } else {
        bytes.push(0xcf);
        bytes.extend(count.to_be_bytes());
    }
}

fn write_negative(number: i64, bytes: &mut Vec<u8>) {
    if let Ok(number) = i8::try_from(number) {
        if number < -32 {
            bytes.push(0xd0);
        }
        bytes.extend(number.to_be_bytes());
    } else if let Ok(number) = i16::try_from(number) {
        bytes.push(0xd1);
        bytes.extend(number.to_be_bytes());
    } else if let Ok(number) = i32::try_from(number) {
        bytes.push(0xd2);
        bytes.extend(number.to_be_bytes());
    } else {
        bytes.push(0xd3);
        bytes.extend(number.to_be_bytes());
    }
}

fn write_text(text: &[u8], bytes: &mut Vec<u8>) {
    match u8::try_from(text.len()) {
        Ok(few @ 0..=31) => bytes.push(0xa0 | few),
        _ => write_length(text.len(), [Some(0xd9), Some(0xda), Some(0xdb)], bytes),
    }
    bytes.extend(text);
}

/// A length behind the marker for one, two or four bytes of it.
fn write_length(length: usize, [one, two, four]: [Option<u8>; 3], bytes: &mut Vec<u8>) {
    if let (Some(marker), Ok(length)) = (one, u8::try_from(length)) {
        bytes.extend([marker, length]);
    } else if let (Some(marker), Ok(length)) = (two, u16::try_from(length)) {
        bytes.push(marker);
        bytes.extend(length.to_be_bytes());
    } else {
        // A line of JSON this long does not come about: it was read into memory first.
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        bytes.extend(four);
        bytes.extend(length.to_be_bytes());
    }
}
