//! Values there and back, and bytes that are none.

use proptest::{collection::vec, prelude::*};

use super::{ReadError, Reader, Value};
use crate::archive::{Trouble, cat, uncat};

/// Any value, as mite and most others would write it.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Nil),
        any::<bool>().prop_map(Value::Flag),
        prop_oneof![any::<u64>(), 0..300_u64, 65_000..66_000_u64].prop_map(Value::Count),
        prop_oneof![i64::MIN..0, -300..0_i64, -33_000..-32_000_i64].prop_map(Value::Negative),
        any::<u64>().prop_map(|bits| Value::Float(f64::from_bits(bits))),
        (-10..10_i32).prop_map(|number| Value::Float(number.into())),
        any::<u32>().prop_map(|bits| Value::Single(f32::from_bits(bits))),
        ".{0,40}".prop_map(Value::Text),
        Just(Value::Text("x".repeat(70_000))),
        vec(any::<u8>(), 0..300).prop_map(Value::Bytes),
        // No UTF-8 begins so.
        vec(any::<u8>(), 0..40).prop_map(|rest| Value::RawText([&[0xff][..], &rest].concat())),
        (any::<i8>(), vec(any::<u8>(), 0..20))
            .prop_map(|(kind, bytes)| Value::Extension(kind, bytes)),
    ];
    leaf.prop_recursive(4, 60, 20, |inner| {
        let key = prop_oneof![
            3 => "[a-z$]{0,3}".prop_map(Value::Text),
            1 => inner.clone(),
        ];
        prop_oneof![
            vec(inner.clone(), 0..20).prop_map(Value::List),
            vec((key, inner.clone()), 0..20).prop_map(Value::Map),
            ("[$](binary|text|map|extension|float|float32|other)", inner)
                .prop_map(|(key, value)| Value::Map(vec![(Value::Text(key), value)])),
        ]
    })
}

fn shown(bytes: &[u8]) -> String {
    let mut text = Vec::new();
    cat(bytes, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

fn packed(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    uncat(text.as_bytes(), &mut bytes).unwrap();
    bytes
}

proptest! {
    #[test]
    fn what_is_shown_and_turned_back_is_the_same_to_the_byte(values in vec(value(), 0..5)) {
        let mut bytes = Vec::new();
        for value in &values {
            value.write(&mut bytes);
        }
        // An int that stands before a text may look like JSON; nobody records such a thing.
        prop_assume!(!bytes.starts_with(b"{\""));
        let text = shown(&bytes);
        prop_assert_eq!(text.lines().count(), values.len());
        prop_assert_eq!(packed(&text), bytes);
    }

    #[test]
    fn what_serde_writes_is_written_alike(number in any::<i64>(), float in any::<f64>(), text in ".*", list in vec(any::<u16>(), 0..40)) {
        let json = serde_json::json!({"number": number, "float": float, "text": text, "list": list});
        let bytes = rmp_serde::to_vec_named(&json).unwrap();
        let text = shown(&bytes);
        prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), json);
        prop_assert_eq!(packed(&text), bytes);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..200)) {
        let mut text = Vec::new();
        match cat(&bytes[..], &mut text) {
            Ok(()) | Err(Trouble::CutOff { .. } | Trouble::Wrong(_)) => {}
            Err(trouble) => prop_assert!(false, "{}", trouble),
        }
        prop_assert!(String::from_utf8(text).is_ok());
    }

    #[test]
    fn a_file_that_ends_anywhere_gives_every_whole_record(values in vec(value(), 1..5), cut in any::<prop::sample::Index>()) {
        let mut bytes = Vec::new();
        let mut ends = vec![0];
        for value in &values {
            value.write(&mut bytes);
            ends.push(bytes.len());
        }
        let cut = cut.index(bytes.len() + 1);
        let whole = ends.iter().filter(|end| **end <= cut).count() - 1;
        let mut reader = Reader::new(&bytes[..cut]);
        for _ in 0..whole {
            prop_assert!(matches!(reader.next_value(), Ok(Some(_))));
        }
        match reader.next_value() {
            Ok(None) => prop_assert_eq!(cut, ends[whole]),
            Err(ReadError::CutOff) => prop_assert!(cut > ends[whole]),
            other => prop_assert!(false, "{:?}", other),
        }
    }
}

#[test]
fn what_json_has_no_word_for_is_said_in_another_way() {
    for (value, text) in [
        (Value::Bytes(vec![0, 255]), r#"{"$binary":"AP8="}"#),
        (Value::RawText(vec![255]), r#"{"$text":"/w=="}"#),
        (
            Value::Extension(-1, vec![0; 4]),
            r#"{"$extension":[-1,"AAAAAA=="]}"#,
        ),
        (Value::Float(f64::NEG_INFINITY), r#"{"$float":"-inf"}"#),
        (Value::Single(0.1), r#"{"$float32":"0.1"}"#),
        (
            Value::Map(vec![
                (Value::Count(7), Value::Nil),
                (Value::Text("a".into()), Value::Nil),
            ]),
            r#"{"$map":[[7,null],["a",null]]}"#,
        ),
        (
            Value::Map(vec![(
                Value::Text("$binary".into()),
                Value::Text("x".into()),
            )]),
            r#"{"$map":[["$binary","x"]]}"#,
        ),
        (Value::Count(u64::MAX), "18446744073709551615"),
        (Value::Float(1.0), "1.0"),
        (Value::Float(-0.0), "-0.0"),
    ] {
        let mut bytes = Vec::new();
        value.write(&mut bytes);
        assert_eq!(shown(&bytes), format!("{text}\n"));
        assert_eq!(packed(text), bytes);
    }
}

fn refused(bytes: &[u8]) -> String {
    cat(bytes, &mut Vec::new()).unwrap_err().to_string()
}

#[test]
fn hostile_bytes_are_refused_with_their_place() {
    let nested = vec![0x91; 200];
    for (bytes, words) in [
        (
            &b"\x01\xc1"[..],
            &["the byte c1", "at byte 1", "record 2"][..],
        ),
        (&nested, &["deeper than 100 levels", "at byte 100"]),
        (b"{\"a\": 1}", &["it is JSON"]),
        // Four thousand million values, texts and bytes that are not there.
        (
            b"\xc0\xdd\xff\xff\xff\xff",
            &["begins at byte 1", "all of the 1 before"],
        ),
        (b"\xdf\xff\xff\xff\xff\x01", &["begins at byte 0"]),
        (b"\xdb\xff\xff\xff\xffabc", &["cut off"]),
        (b"\xc6\xff\xff\xff\xff", &["cut off"]),
        (b"\xc9\xff\xff\xff\xff\x01", &["cut off"]),
    ] {
        let message = refused(bytes);
        for word in words {
            assert!(message.contains(word), "{message}");
        }
    }
}

#[test]
fn lines_that_are_no_json_are_refused_with_their_place() {
    for (text, words) in [
        (
            "{}\n\n{\"a\":}",
            &["line 3, column 6", "expected value"][..],
        ),
        ("{} {}", &["line 1, column 4"]),
        ("nonsense", &["line 1"]),
        (r#"{"$binary": 7}"#, &["line 1", "$binary"]),
        (r#"{"$binary": "%"}"#, &["no base64"]),
        (r#"{"$extension": [300, ""]}"#, &["-128 to 127"]),
        (r#"{"$map": [[1]]}"#, &["[key, value]"]),
        (r#"{"$float": "much"}"#, &["no number"]),
        ("{\"a\": \u{0}}", &["line 1"]),
        (&"[".repeat(1000), &["recursion limit"]),
    ] {
        let message = uncat(text.as_bytes(), &mut Vec::new())
            .unwrap_err()
            .to_string();
        for word in words {
            assert!(message.contains(word), "{message}");
        }
    }
    let message = uncat(&b"{\"a\": \"\xff\"}"[..], &mut Vec::new()).unwrap_err();
    assert!(message.to_string().contains("line 1"), "{message}");
}

#[test]
fn the_original_s_messages_are_shown() {
    // As msgpack for Python packs a dict: keys in order, floats, None, True.
    let message = b"\x85\xa4type\xa3txn\xaastart_time\xcb\x3f\xf8\0\0\0\0\0\0\xa9had_error\xc2\
                    \xabtransaction\xa8__root__\xaacontext_id\xc0";
    assert_eq!(
        shown(&[&message[..], message].concat()),
        "{\"type\":\"txn\",\"start_time\":1.5,\"had_error\":false,\"transaction\":\"__root__\",\
         \"context_id\":null}\n"
            .repeat(2)
    );
}
