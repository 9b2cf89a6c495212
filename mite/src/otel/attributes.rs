//! Attributes of spans, points and resources (`opentelemetry/proto/common/v1`).

use crate::protobuf::Message;

/// What an attribute says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Text(&'a str),
    Flag(bool),
    Integer(i64),
    Number(f64),
}

/// Longer texts are cut: nobody looks for a document in a span.
const LONGEST: usize = 4096;

/// Adds an attribute to a message whose attributes are in this field.
pub(super) fn add(message: &mut Message, field: u64, key: &str, value: Value<'_>) {
    let mut any = Message::default();
    match value {
        Value::Text(text) => any.text(1, cut(text)),
        Value::Flag(flag) => any.integer(2, flag.into()),
        Value::Integer(number) => any.integer(3, number as u64),
        Value::Number(number) => any.double(4, number),
    }
    let mut pair = Message::default();
    pair.text(1, key);
    pair.message(2, &any);
    message.message(field, &pair);
}

fn cut(text: &str) -> &str {
    if text.len() <= LONGEST {
        return text;
    }
    let end = (0..=LONGEST).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or_default()).unwrap_or_default()
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Value::Text(text)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Value::Text(text)
    }
}

impl From<bool> for Value<'_> {
    fn from(flag: bool) -> Self {
        Value::Flag(flag)
    }
}

impl From<u64> for Value<'_> {
    fn from(number: u64) -> Self {
        Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Value::Integer(number.into())
    }
}

impl From<u16> for Value<'_> {
    fn from(number: u16) -> Self {
        Value::Integer(number.into())
    }
}

impl From<f64> for Value<'_> {
    fn from(number: f64) -> Self {
        Value::Number(number)
    }
}

/// The resource that all of a run's telemetry is of, as a message.
pub(super) fn resource(attributes: &[(String, String)]) -> Message {
    let mut resource = Message::default();
    for (key, value) in attributes {
        add(&mut resource, 1, key, value.into());
    }
    resource
}

/// What has made it, as a message.
pub(super) fn scope() -> Message {
    let mut scope = Message::default();
    scope.text(1, "mite");
    scope.text(2, env!("CARGO_PKG_VERSION"));
    scope
}
