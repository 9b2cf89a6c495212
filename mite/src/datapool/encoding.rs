//! The form in which items travel: `MessagePack` with named fields.

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use super::DataPoolError;

/// The value of an item for one journey.
///
/// # Errors
/// When the bytes are no `T`: its `Serialize` and `Deserialize` do not fit each other.
pub(crate) fn decode<T: DeserializeOwned>(data: &Bytes) -> Result<T, DataPoolError> {
    rmp_serde::from_slice(data).map_err(|error| {
        DataPoolError::new(format!(
            "a {} cannot be read back from what it was written as: {error}; see \"What an item \
             may be\" in the documentation of mite::datapool",
            short_type_name::<T>()
        ))
    })
}

/// The item of this number in a pool of type `P` as it travels.
///
/// # Errors
/// When the value refuses to be serialized.
pub(crate) fn encode<P: ?Sized, T: Serialize>(
    number: u64,
    value: &T,
) -> Result<Bytes, DataPoolError> {
    rmp_serde::to_vec_named(value)
        .map(Bytes::from)
        .map_err(|error| {
            DataPoolError::new(format!(
                "item {number} of {} cannot be encoded: {error}",
                short_type_name::<P>()
            ))
        })
}

/// The name of a type without the modules it and its parameters are in.
pub(crate) fn short_type_name<T: ?Sized>() -> String {
    let path = std::any::type_name::<T>();
    let mut short = String::new();
    let mut rest = path;
    while let Some(end) = rest.find(['<', '>', ',', ' ', '(', ')', '[', ']', '&', ';']) {
        let (name, tail) = rest.split_at(end);
        short.push_str(last_segment(name));
        let mut characters = tail.chars();
        short.extend(characters.next());
        rest = characters.as_str();
    }
    short.push_str(last_segment(rest));
    short
}

fn last_segment(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use serde::Deserialize;

    use super::*;

    fn back<T: Serialize + DeserializeOwned>(value: &T) -> Result<T, DataPoolError> {
        decode(&encode::<(), T>(0, value).unwrap())
    }

    #[track_caller]
    fn survives<T>(value: T)
    where
        T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
    {
        assert_eq!(back(&value), Ok(value));
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Unit;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Newtype(u64);

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Payment {
        Cash,
        Card(String),
        Split(u8, f32),
        Transfer { iban: String, cents: i128 },
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Untagged {
        Number(i64),
        Fraction(f32),
        Text(String),
        Fields { a: Option<u8> },
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "kind", content = "of")]
    enum Adjacent {
        One,
        Two(Vec<u16>),
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "kind")]
    enum Internal {
        One { x: f64 },
        Two(BTreeMap<String, u8>),
    }

    type Nested = HashMap<u32, BTreeMap<(i8, char), Vec<Option<bool>>>>;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Basket {
        name: String,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        note: Option<String>,
        paid: Option<Payment>,
        nested: Nested,
        #[serde(flatten)]
        more: BTreeMap<String, Untagged>,
    }

    #[test]
    fn values_of_every_shape_come_out_as_they_went_in() {
        survives(());
        survives((1_u8, "two".to_owned(), Some(3.5_f32), [4_i64; 3]));
        survives(Unit);
        survives(Newtype(u64::MAX));
        survives((i128::MIN, u128::MAX, f64::MIN_POSITIVE, f32::INFINITY));
        survives(vec![
            Payment::Cash,
            Payment::Card("4711".into()),
            Payment::Split(1, 0.1),
            Payment::Transfer {
                iban: "DE02".into(),
                cents: -1 << 100,
            },
        ]);
        survives(vec![
            Untagged::Number(-5),
            Untagged::Fraction(0.1),
            Untagged::Text(String::new()),
            Untagged::Fields { a: None },
        ]);
        survives(vec![Adjacent::One, Adjacent::Two(vec![1, 2])]);
        survives(vec![
            Internal::One { x: 0.1 },
            Internal::Two([("a".to_owned(), 1)].into()),
        ]);
        survives("\0 \" \\ \u{1F600} \r\n,;".to_owned());
        survives((0..=255).collect::<Vec<u8>>());
        survives(Bytes::from_static(&[0, 159, 255]));
        survives(serde_json::json!({"a": [1, -2.5, null, {"b": "c"}], "z": u64::MAX}));
        survives(Basket {
            name: "x".repeat(70_000),
            note: None,
            paid: Some(Payment::Cash),
            nested: [(7, [((-1, 'ä'), vec![Some(true), None])].into())].into(),
            more: [("extra".to_owned(), Untagged::Number(1))].into(),
        });
    }

    #[test]
    fn an_option_inside_an_option_loses_its_outer_some() {
        assert_eq!(back(&Some(None::<u8>)), Ok(None));
        assert_eq!(back(&Some(())), Ok(None));
        assert_eq!(back(&Some(Some(1_u8))), Ok(Some(Some(1_u8))));
    }

    #[test]
    fn an_untagged_enum_cannot_hold_an_i128() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        #[serde(untagged)]
        enum Wide {
            Number(i128),
        }
        assert!(back(&Wide::Number(1)).is_err());
    }

    #[test]
    fn a_type_that_cannot_be_read_back_is_named() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Lossy {
            #[serde(skip_serializing)]
            name: String,
        }
        let error = back(&Lossy { name: "x".into() }).unwrap_err().to_string();
        assert!(
            error.starts_with("a Lossy cannot be read back") && error.contains("missing field"),
            "{error}"
        );
    }

    #[test]
    fn type_names_are_given_without_modules() {
        assert_eq!(
            short_type_name::<BTreeMap<String, (Option<Unit>, [u8; 2], &str)>>(),
            "BTreeMap<String, (Option<Unit>, [u8; 2], &str)>"
        );
        assert_eq!(short_type_name::<()>(), "()");
    }
}
