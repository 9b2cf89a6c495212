//! Values as JSON and back. What JSON has no word for is an object of one key that begins with `$`.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
    ser::{SerializeMap, SerializeSeq},
};

use super::Value;

const BINARY: &str = "$binary";
const TEXT: &str = "$text";
const MAP: &str = "$map";
const EXTENSION: &str = "$extension";
const FLOAT: &str = "$float";
const SINGLE: &str = "$float32";

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Nil => serializer.serialize_unit(),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Count(count) => serializer.serialize_u64(*count),
            Self::Negative(number) => serializer.serialize_i64(*number),
            Self::Float(number) if number.is_finite() => serializer.serialize_f64(*number),
            Self::Float(number) => word(serializer, FLOAT, &float_bits(*number)),
            Self::Single(number) => word(serializer, SINGLE, &single_bits(*number)),
            Self::Text(text) => serializer.serialize_str(text),
            Self::RawText(text) => word(serializer, TEXT, &BASE64_STANDARD.encode(text)),
            Self::Bytes(bytes) => word(serializer, BINARY, &BASE64_STANDARD.encode(bytes)),
            Self::List(values) => list(serializer, values),
            Self::Map(pairs) => match plain(pairs) {
                Some(pairs) => {
                    let mut map = serializer.serialize_map(Some(pairs.len()))?;
                    for (key, value) in pairs {
                        map.serialize_entry(key, value)?;
                    }
                    map.end()
                }
                None => word(serializer, MAP, pairs),
            },
            Self::Extension(kind, bytes) => word(
                serializer,
                EXTENSION,
                &(kind, BASE64_STANDARD.encode(bytes)),
            ),
        }
    }
}

fn list<S: Serializer>(serializer: S, values: &[Value]) -> Result<S::Ok, S::Error> {
    let mut list = serializer.serialize_seq(Some(values.len()))?;
    for value in values {
        list.serialize_element(value)?;
    }
    list.end()
}

fn word<S: Serializer>(
    serializer: S,
    key: &str,
    value: &(impl Serialize + ?Sized),
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(key, value)?;
    map.end()
}

/// The pairs with their keys as texts, if an object may have them; keys that begin with `$` are
/// taken.
fn plain(pairs: &[(Value, Value)]) -> Option<Vec<(&str, &Value)>> {
    let plain = pairs.iter().map(|(key, value)| match key {
        Value::Text(key) if !key.starts_with('$') => Some((key.as_str(), value)),
        _ => None,
    });
    plain.collect()
}

/// `NaN` has many forms, of which a word keeps one.
fn float_bits(number: f64) -> String {
    if number.is_nan() {
        format!("NaN:{:016x}", number.to_bits())
    } else {
        number.to_string()
    }
}

fn single_bits(number: f32) -> String {
    if number.is_nan() {
        format!("NaN:{:08x}", number.to_bits())
    } else {
        number.to_string()
    }
}

fn float(text: &str) -> Option<f64> {
    match text.strip_prefix("NaN:") {
        Some(bits) => u64::from_str_radix(bits, 16).ok().map(f64::from_bits),
        None => text.parse().ok(),
    }
}

fn single(text: &str) -> Option<f32> {
    match text.strip_prefix("NaN:") {
        Some(bits) => u32::from_str_radix(bits, 16).ok().map(f32::from_bits),
        None => text.parse().ok(),
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Json)
    }
}

struct Json;

impl<'de> Visitor<'de> for Json {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Nil)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Flag(flag))
    }

    fn visit_u64<E>(self, count: u64) -> Result<Value, E> {
        Ok(Value::Count(count))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(u64::try_from(number).map_or(Value::Negative(number), Value::Count))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Value::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some((key, value)) = map.next_entry::<String, Value>()? {
            pairs.push((key, value));
        }
        match <[_; 1]>::try_from(pairs) {
            Ok([(key, value)]) => one(key, value).map_err(A::Error::custom),
            Err(pairs) => Ok(Value::Map(
                (pairs.into_iter())
                    .map(|(key, value)| (Value::Text(key), value))
                    .collect(),
            )),
        }
    }
}

/// An object with one key, which may stand for something else.
fn one(key: String, value: Value) -> Result<Value, String> {
    let decoded = |text: &str| {
        let decoded = BASE64_STANDARD.decode(text);
        decoded.map_err(|error| format!("what {key} has is no base64: {error}"))
    };
    match (key.as_str(), value) {
        (BINARY, Value::Text(text)) => Ok(Value::Bytes(decoded(&text)?)),
        (TEXT, Value::Text(text)) => Ok(Value::RawText(decoded(&text)?)),
        (FLOAT, Value::Text(text)) => float(&text)
            .map(Value::Float)
            .ok_or_else(|| format!("{FLOAT} has {text:?}, which is no number")),
        (SINGLE, Value::Text(text)) => single(&text)
            .map(Value::Single)
            .ok_or_else(|| format!("{SINGLE} has {text:?}, which is no number")),
        (EXTENSION, Value::List(parts)) => match parts.as_slice() {
            [kind, Value::Text(text)] => Ok(Value::Extension(extension(kind)?, decoded(text)?)),
            _ => Err(format!(
                "{EXTENSION} has to have its type and its bytes in base64"
            )),
        },
        (MAP, Value::List(pairs)) => {
            let pairs = pairs.into_iter().map(|pair| match pair {
                Value::List(pair) => <[Value; 2]>::try_from(pair).ok().map(Into::into),
                _ => None,
            });
            let pairs: Option<Vec<(Value, Value)>> = pairs.collect();
            pairs
                .map(Value::Map)
                .ok_or_else(|| format!("{MAP} has to have a list of [key, value]"))
        }
        (BINARY | TEXT | FLOAT | SINGLE | EXTENSION | MAP, _) => Err(format!(
            "an object whose only key is {key} stands for something else, and this one does not say \
             what"
        )),
        (_, value) => Ok(Value::Map(vec![(Value::Text(key), value)])),
    }
}

fn extension(kind: &Value) -> Result<i8, String> {
    let number = match kind {
        Value::Count(number) => i8::try_from(*number).ok(),
        Value::Negative(number) => i8::try_from(*number).ok(),
        _ => None,
    };
    number.ok_or_else(|| format!("{EXTENSION} has to have a type from -128 to 127"))
}
