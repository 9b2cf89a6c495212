//! Requests as command lines of `curl`.

use http::{HeaderMap, Method, Version, header};
use url::Position;

use super::{
    body::Body,
    mask,
    request::{Plan, expects_body},
    settings::HttpVersion,
};
use crate::config::{Config, MASK};

/// Whether secrets are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Secrets {
    Masked,
    Shown,
}

/// The command line of `curl` that sends the same request.
pub(super) fn line(plan: &Plan, secrets: Secrets) -> String {
    let wiring = &plan.profile.wiring;
    let mut options = Vec::new();
    if wiring.tls.accepts_invalid_certs() {
        options.push("--insecure".to_owned());
    }
    match wiring.version {
        HttpVersion::Auto => {}
        HttpVersion::Http1 => options.push("--http1.1".to_owned()),
        HttpVersion::Http2 => options.push("--http2-prior-knowledge".to_owned()),
    }
    if plan.compressed {
        options.push("--compressed".to_owned());
    }
    let url = &plan.target.url;
    if url[Position::BeforePath..].contains(['[', ']', '{', '}']) {
        options.push("--globoff".to_owned());
    }
    let mut headers = plan.all_headers(Version::HTTP_11);
    // curl makes these itself.
    headers.remove(header::CONTENT_LENGTH);
    if headers.get(header::HOST) == Some(&plan.target.host) {
        headers.remove(header::HOST);
    }
    if plan.compressed {
        headers.remove(header::ACCEPT_ENCODING);
    }
    if let Some(digest) = &plan.digest {
        headers.remove(header::AUTHORIZATION);
        let (user, password) = digest.user_and_password();
        let password = match secrets {
            Secrets::Masked => MASK,
            Secrets::Shown => password,
        };
        let pair = quoted(&format!("{user}:{password}"));
        options.push(format!("--digest --user {pair}"));
    }
    let line = Line {
        options,
        method: &plan.method,
        url: url.as_str(),
        headers: &headers,
        body: plan.body(),
    };
    line.render(secrets, plan.session.context.config())
}

/// What a command line is made of.
struct Line<'a> {
    options: Vec<String>,
    method: &'a Method,
    url: &'a str,
    headers: &'a HeaderMap,
    body: &'a Body,
}

impl Line<'_> {
    fn render(&self, secrets: Secrets, config: &Config) -> String {
        let shown = secrets == Secrets::Shown;
        let mut line = String::from("curl");
        let mut add = |word: &str| {
            line.push(' ');
            line.push_str(word);
        };
        self.options.iter().for_each(|option| add(option));
        match (self.method, self.body.is_empty()) {
            // What has data is a POST by itself.
            (&Method::GET, true) | (&Method::POST, _) => {}
            (&Method::HEAD, _) => add("--head"),
            (method, _) => {
                add("-X");
                add(method.as_str());
            }
        }
        let url = if shown {
            self.url.to_owned()
        } else {
            mask::masked_url(self.url, config)
        };
        add(&quoted(&url));
        let values: Vec<_> = if shown {
            let text =
                |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
            let headers = self.headers.iter();
            headers.map(|(name, value)| (name, text(value))).collect()
        } else {
            mask::headers(self.headers, config)
        };
        for (name, value) in values {
            add("-H");
            add(&quoted(&match value.as_str() {
                "" => format!("{name};"),
                value => format!("{name}: {value}"),
            }));
        }
        if let Some(data) = self.data(shown, config) {
            if !self.headers.contains_key(header::CONTENT_TYPE) {
                // Without a value it is left out, where curl would say that it is a form.
                add("-H");
                add(&quoted("content-type:"));
            }
            add(&data);
        }
        line
    }

    fn data(&self, shown: bool, config: &Config) -> Option<String> {
        if self.body.is_empty() && !expects_body(self.method) {
            return None;
        }
        if let Some(path) = self.body.path() {
            let path = path.display();
            return Some(format!("--data-binary {}", quoted(&format!("@{path}"))));
        }
        let Some(bytes) = self.body.bytes() else {
            // It has to be given to standard input, whatever it is.
            let what = self.body.describe().replace(['\r', '\n'], " ");
            return Some(format!("--data-binary @- # {what}"));
        };
        let text = match std::str::from_utf8(bytes) {
            Ok(text) if shown => text.to_owned(),
            _ => mask::body(self.headers, bytes, config),
        };
        Some(format!("--data-raw {}", quoted(&text)))
    }
}

/// A word of a POSIX shell's command line.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

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
        let url = url::Url::parse(url).unwrap();
        let line = Line {
            options: Vec::new(),
            method,
            url: url.as_str(),
            headers: &headers,
            body: &Body::from(body.to_owned()),
        };
        line.render(Secrets::Masked, &config)
    }

    #[test]
    fn the_line_can_be_pasted_into_a_shell() {
        assert_eq!(
            line(
                &Method::POST,
                "http://shop.test/?q=it's",
                &[("x-trace", "7")],
                "it's"
            ),
            r"curl 'http://shop.test/?q=it%27s' -H 'x-trace: 7' -H 'content-type:' --data-raw 'it'\''s'"
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
}
