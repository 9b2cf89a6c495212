//! Requests as a person may see them: secrets masked.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::Value;
use url::Url;

use crate::config::{Config, MASK, is_secret_name, masked_pairs};

/// The longest body that is read as JSON only to show its beginning, in bytes.
const PARSED: usize = 64 * 1024;

/// How much of a longer one is looked at, in bytes.
const SCANNED: usize = 4 * 1024;

/// The headers with the values of secret ones masked.
pub(crate) fn headers<'a>(
    headers: &'a HeaderMap,
    config: &Config,
) -> Vec<(&'a HeaderName, String)> {
    headers
        .iter()
        .map(|(name, value)| (name, header_value(name, value, config)))
        .collect()
}

fn header_value(name: &HeaderName, value: &HeaderValue, config: &Config) -> String {
    if value.is_sensitive() || is_secret_header(name.as_str()) {
        return MASK.to_owned();
    }
    config.mask(&String::from_utf8_lossy(value.as_bytes()))
}

/// Whether the value of a header of this name is taken for a secret.
pub(crate) fn is_secret_header(name: &str) -> bool {
    [
        header::AUTHORIZATION,
        header::PROXY_AUTHORIZATION,
        header::COOKIE,
        header::SET_COOKIE,
    ]
    .iter()
    .any(|secret| name.eq_ignore_ascii_case(secret.as_str()))
        || is_secret_name(name)
}

/// A body with the secret fields of JSON and of forms masked; of one that is no text, its length.
pub(crate) fn body(headers: &HeaderMap, body: &Bytes, config: &Config) -> String {
    let Ok(text) = std::str::from_utf8(body) else {
        return format!("({} bytes that are no text)", body.len());
    };
    let masked = if is_form(headers) {
        masked_pairs(text)
    } else {
        masked_json(text)
    };
    config.mask(&masked)
}

/// At least the beginning of a body, masked as [`body`] does, at a cost that does not grow with it.
pub(crate) fn beginning(headers: &HeaderMap, whole: &Bytes) -> String {
    if whole.len() <= PARSED {
        // What the config holds is masked where messages are shown.
        return body(headers, whole, &Config::default());
    }
    let start = whole.get(..SCANNED).unwrap_or(whole);
    let text = match std::str::from_utf8(start) {
        Ok(text) => text,
        // The last character is cut in two.
        Err(error) if error.error_len().is_none() => {
            let valid = start.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(valid).unwrap_or_default()
        }
        Err(_) => return format!("({} bytes that are no text)", whole.len()),
    };
    let masked = if is_form(headers) {
        masked_pairs(text)
    } else {
        masked_text(text)
    };
    format!("{masked}…")
}

/// Whether a body has something that is masked; of one too long to be read for that it is assumed.
pub(crate) fn has_secrets(headers: &HeaderMap, whole: &Bytes) -> bool {
    whole.len() > PARSED || beginning(headers, whole).as_bytes() != whole.as_ref()
}

/// A value as messages show it, and whether something in it is masked; `names` lead to it.
pub(crate) fn value<'a>(mut names: impl Iterator<Item = &'a str>, value: &Value) -> (String, bool) {
    if !value.is_null() && names.any(is_secret_name) {
        return (MASK.to_owned(), true);
    }
    let mut value = value.clone();
    let masked = mask_fields(&mut value);
    (value.to_string(), masked)
}

/// A URL, or what was meant to be one, without user and password.
pub(crate) fn without_credentials(text: &str) -> String {
    if let Ok(mut url) = Url::parse(text)
        && url.has_host()
    {
        if url.username().is_empty() && url.password().is_none() {
            return text.to_owned();
        }
        // A URL with a host takes these, whatever their answer.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        return url.into();
    }
    // Where the password of something else ends nobody knows, but it is before the last @.
    let is_path = text.starts_with('/') && !text.starts_with("//");
    match text.rsplit_once('@') {
        Some((before, after)) if !is_path => {
            let scheme = before.split_once("://").map(|(scheme, _)| scheme);
            let scheme = scheme.filter(|scheme| !scheme.contains([':', '@']));
            let scheme = scheme.map(|scheme| format!("{scheme}://"));
            format!("{}{MASK}@{after}", scheme.unwrap_or_default())
        }
        _ => text.to_owned(),
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"))
}

/// A URL with the secret values of its query masked.
pub(crate) fn masked_url(url: &str, config: &Config) -> String {
    let masked = match Url::parse(url) {
        Ok(mut url) => {
            if let Some(query) = url.query().map(masked_pairs) {
                url.set_query(Some(&query));
            }
            url.to_string()
        }
        Err(_) => url.to_owned(),
    };
    config.mask(&masked)
}

/// The JSON with secret fields masked, as it was written if there are none.
fn masked_json(text: &str) -> String {
    let Ok(mut value) = serde_json::from_str(text) else {
        return masked_text(text);
    };
    if mask_fields(&mut value) {
        value.to_string()
    } else {
        text.to_owned()
    }
}

/// Text that has JSON in it, or the beginning of JSON, with what looks like a secret field masked.
fn masked_text(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(quote) = rest.find('"') {
        let (before, from_quote) = rest.split_at(quote);
        shown.push_str(before);
        let (name, after) = from_quote.split_at(string_length(from_quote));
        let value = after.trim_start().strip_prefix(':').map(str::trim_start);
        match value {
            Some(value) if is_secret_string(name) && !value.starts_with("null") => {
                shown.push_str(name);
                shown.push_str(":\"");
                shown.push_str(MASK);
                shown.push('"');
                rest = value.get(value_length(value)..).unwrap_or_default();
            }
            // Only past the quote: in text that is no JSON it may end a string as well as begin one.
            _ => {
                shown.push('"');
                rest = from_quote.get(1..).unwrap_or_default();
            }
        }
    }
    shown.push_str(rest);
    shown
}

fn is_secret_string(quoted: &str) -> bool {
    match serde_json::from_str::<String>(quoted) {
        Ok(name) => is_secret_name(&name),
        Err(_) => is_secret_name(quoted),
    }
}

/// The length of the string that `text` begins with, quotes included; all of it if there is no end.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of the JSON value that `text` begins with; all of it if there is no end.
fn value_length(text: &str) -> usize {
    if text.starts_with('"') {
        return string_length(text);
    }
    if !text.starts_with(['{', '[']) {
        let end = text.find([',', '}', ']', '\n']);
        return end.unwrap_or(text.len());
    }
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        match rest.as_bytes().first() {
            Some(b'"') => {
                at += string_length(rest);
                continue;
            }
            Some(b'{' | b'[') => depth += 1,
            Some(b'}' | b']') => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += rest.chars().next().map_or(1, char::len_utf8);
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// Masks every secret field, however deep; says whether there were any.
fn mask_fields(value: &mut Value) -> bool {
    let mut masked = false;
    match value {
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                if is_secret_name(name) && !value.is_null() {
                    *value = Value::String(MASK.to_owned());
                    masked = true;
                } else {
                    masked |= mask_fields(value);
                }
            }
        }
        Value::Array(values) => {
            for value in values {
                masked |= mask_fields(value);
            }
        }
        _ => {}
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_without_secrets_is_shown_as_it_was_sent() {
        let text = r#"{ "b": 1, "a": 2 }"#;
        let shown = body(
            &HeaderMap::new(),
            &Bytes::from_static(text.as_bytes()),
            &Config::default(),
        );
        assert_eq!(shown, text);
        let shown = body(
            &HeaderMap::new(),
            &Bytes::from_static(&[0xff, 0]),
            &Config::default(),
        );
        assert_eq!(shown, "(2 bytes that are no text)");
    }
}
