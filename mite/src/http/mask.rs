//! Requests as a person may see them: secrets masked.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::Value;
use url::{Url, form_urlencoded};

use crate::config::{Config, MASK, is_secret_name};

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
    let secret = [
        header::AUTHORIZATION,
        header::PROXY_AUTHORIZATION,
        header::COOKIE,
        header::SET_COOKIE,
    ]
    .contains(name)
        || value.is_sensitive()
        || is_secret_name(name.as_str());
    if secret {
        return MASK.to_owned();
    }
    config.mask(&String::from_utf8_lossy(value.as_bytes()))
}

/// A body with the secret fields of JSON and of forms masked; of one that is no text, its length.
pub(crate) fn body(headers: &HeaderMap, body: &Bytes, config: &Config) -> String {
    let Ok(text) = std::str::from_utf8(body) else {
        return format!("({} bytes that are no text)", body.len());
    };
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let masked = if content_type.starts_with("application/x-www-form-urlencoded") {
        Some(masked_pairs(text))
    } else {
        masked_json(text)
    };
    config.mask(masked.as_deref().unwrap_or(text))
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

/// The pairs of a form or a query; those without secrets are left as they are written.
fn masked_pairs(text: &str) -> String {
    let pairs = text.split('&').map(|pair| {
        let name = form_urlencoded::parse(pair.as_bytes()).next();
        match name {
            Some((name, _)) if is_secret_name(&name) => {
                let written = pair.split('=').next().unwrap_or_default();
                format!("{written}={MASK}")
            }
            _ => pair.to_owned(),
        }
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// The JSON with secret fields masked; `None` if there are none, or it is not JSON.
fn masked_json(text: &str) -> Option<String> {
    let mut value = serde_json::from_str(text).ok()?;
    mask_fields(&mut value).then(|| value.to_string())
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
