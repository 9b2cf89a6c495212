//! Requests as a person may see them: secrets masked.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde_json::Value;
use url::{Url, form_urlencoded};

use crate::{
    config::{Config, MASK, is_secret_name},
    event::Head,
};

/// The command line of `curl` that sends the same request, but for its secrets.
pub(super) fn curl(
    method: &Method,
    url: &Url,
    request: &Head,
    accept_invalid_certs: bool,
    config: &Config,
) -> String {
    let mut line = String::from("curl");
    if accept_invalid_certs {
        line.push_str(" --insecure");
    }
    match (method, request.body.is_empty()) {
        (&Method::GET, true) => {}
        (&Method::HEAD, _) => line.push_str(" --head"),
        _ => {
            line.push_str(" -X ");
            line.push_str(method.as_str());
        }
    }
    line.push(' ');
    line.push_str(&quoted(&masked_url(url.as_str(), config)));
    for (name, value) in headers(&request.headers, config) {
        // curl makes these itself.
        if name != header::HOST && name != header::CONTENT_LENGTH {
            line.push_str(" -H ");
            line.push_str(&quoted(&format!("{name}: {value}")));
        }
    }
    if !request.body.is_empty() {
        line.push_str(" --data-raw ");
        line.push_str(&quoted(&body(&request.headers, &request.body, config)));
    }
    line
}

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

/// A word of a POSIX shell's command line.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(method: &Method, url: &str, sent: &[(&str, &str)], body: &str) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(
                HeaderName::try_from(*name).unwrap(),
                HeaderValue::try_from(*value).unwrap(),
            );
        }
        let mut config = Config::default();
        config.set("db_password", "hunter2");
        let request = Head {
            headers,
            body: Bytes::copy_from_slice(body.as_bytes()),
        };
        curl(method, &url.parse().unwrap(), &request, false, &config)
    }

    #[test]
    fn the_line_can_be_pasted_into_a_shell() {
        assert_eq!(
            line(
                &Method::POST,
                "http://shop.test/?q=it's",
                &[("host", "shop.test"), ("x-trace", "7")],
                "it's"
            ),
            r"curl -X POST 'http://shop.test/?q=it%27s' -H 'x-trace: 7' --data-raw 'it'\''s'"
        );
        assert_eq!(
            line(&Method::GET, "http://shop.test/", &[], ""),
            "curl 'http://shop.test/'"
        );
    }

    #[test]
    fn secrets_are_masked_wherever_they_stand() {
        let headers = [
            ("authorization", "Bearer s3cr3t"),
            ("cookie", "id=s3cr3t"),
            ("proxy-authorization", "s3cr3t"),
            ("x-api-key", "s3cr3t"),
            ("x-auth-token", "s3cr3t"),
            ("x-note", "the password is hunter2"),
        ];
        let json = r#"{"user": {"name": "joe", "password": "s3cr3t"}, "tokens": ["s3cr3t"]}"#;
        let lines = [
            line(
                &Method::POST,
                "http://shop.test/?access_token=s3cr3t&page=2",
                &headers,
                json,
            ),
            line(
                &Method::POST,
                "http://shop.test/",
                &[("content-type", "application/x-www-form-urlencoded")],
                "name=joe&pass%77ord=s3cr3t",
            ),
        ];
        for line in &lines {
            assert!(!line.contains("s3cr3t"), "{line}");
            assert!(!line.contains("hunter2"), "{line}");
            assert!(line.contains("joe"), "{line}");
        }
        assert!(lines[0].contains("page=2"), "{}", lines[0]);
        assert!(lines[0].contains("-H 'cookie: ***'"), "{}", lines[0]);
    }

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
