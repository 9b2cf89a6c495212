//! Where to post to: checked before anything starts, and shown without its secrets.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderValue, Uri};
use percent_encoding::percent_decode_str;
use url::{Host, Position, Url};

use crate::{config::MASK, net::Peer};

/// The longest part of a path that is shown: webhooks of chats have their secret in the path.
const LONGEST_SHOWN: usize = 16;

/// What is said of `host:4318`.
const NO_SCHEME: &str = "it lacks http:// or https:// at its beginning, as http://host/path has it";

/// An `http` or `https` URL. [`Display`](fmt::Display) and [`Debug`](fmt::Debug) show neither user
/// nor password nor what its query says, nor any long part of its path.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address {
    url: Url,
    https: bool,
    /// A name in lower case or an address, IPv6 without brackets.
    host: String,
    port: u16,
}

impl Address {
    /// Reads a URL.
    ///
    /// # Errors
    /// What is wrong with it, without the text itself, which may hold a password.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let mut url = Url::parse(text).map_err(|error| {
            if lacks_scheme(text) {
                NO_SCHEME.to_owned()
            } else {
                format!(
                    "it is no URL ({error}); it is written http://host/path or https://host/path"
                )
            }
        })?;
        let https = match url.scheme() {
            "http" => false,
            "https" => true,
            // What was meant for a host is read as a scheme where a port follows.
            _ if lacks_scheme(text) => return Err(NO_SCHEME.to_owned()),
            other => {
                return Err(format!(
                    "it begins with {other}: and has to begin with http:// or https://"
                ));
            }
        };
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err("it names no host".to_owned());
        };
        let host = match host {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        if port == 0 {
            return Err("nobody can be reached at port 0".to_owned());
        }
        url.set_fragment(None);
        let address = Self {
            url,
            https,
            host,
            port,
        };
        // What a request needs is made once here, so that it cannot fail later.
        address.target(false)?;
        address.host_header()?;
        Ok(address)
    }

    /// The address of what is below this one: the name is appended to the path, the query stays.
    ///
    /// A slash at the end of the path counts for nothing.
    pub(crate) fn below(&self, name: &str) -> Self {
        let mut below = self.clone();
        let path = format!("{}/{name}", self.url.path().trim_end_matches('/'));
        below.url.set_path(&path);
        below
    }

    /// Whom to connect to.
    pub(super) fn peer(&self) -> Peer<'_> {
        Peer {
            https: self.https,
            host: &self.host,
            port: self.port,
        }
    }

    /// What the request asks for: the whole URL where a proxy forwards it (RFC 9112, section 3.2).
    pub(super) fn target(&self, whole: bool) -> Result<Uri, String> {
        let path = &self.url[Position::BeforePath..Position::AfterQuery];
        let text = if whole {
            let host = &self.url[Position::BeforeHost..Position::AfterPort];
            format!("{}://{host}{path}", self.url.scheme())
        } else {
            path.to_owned()
        };
        text.parse()
            .map_err(|error| format!("it cannot be asked for: {error}"))
    }

    /// The value of the `host` header.
    pub(super) fn host_header(&self) -> Result<HeaderValue, String> {
        HeaderValue::from_str(&self.url[Position::BeforeHost..Position::AfterPort])
            .map_err(|_| "it has no usable host".to_owned())
    }

    /// Each text of which [`Display`](fmt::Display) shows nothing, for whoever repeats what another
    /// says: what the request has of the URL in the open and in its headers.
    #[cfg(any(feature = "otel", test))]
    pub(crate) fn secrets(&self) -> Vec<String> {
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let url = &self.url;
        let mut secrets = Vec::new();
        for text in [url.username(), url.password().unwrap_or_default()] {
            secrets.extend([text.to_owned(), decoded(text)]);
        }
        if let Some(value) = self.authorization()
            && let Ok(value) = value.to_str()
        {
            let (_, pair) = value.split_once(' ').unwrap_or_default();
            secrets.push(pair.to_owned());
        }
        let long = url.path().split('/').filter(|part| is_long(part));
        secrets.extend(long.flat_map(|part| [part.to_owned(), decoded(part)]));
        if let Some(query) = url.query() {
            secrets.push(query.to_owned());
        }
        secrets.extend(url.query_pairs().map(|(_, value)| value.into_owned()));
        secrets.retain(|secret| !secret.is_empty());
        secrets
    }

    /// User and password as an `authorization` header has them (RFC 7617).
    pub(super) fn authorization(&self) -> Option<HeaderValue> {
        let decoded = |text| percent_decode_str(text).collect::<Vec<u8>>();
        if self.url.username().is_empty() && self.url.password().is_none() {
            return None;
        }
        let mut pair = decoded(self.url.username());
        pair.push(b':');
        pair.extend(decoded(self.url.password().unwrap_or_default()));
        let mut value =
            HeaderValue::try_from(format!("Basic {}", BASE64_STANDARD.encode(pair))).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = &self.url;
        write!(formatter, "{}://", url.scheme())?;
        if self.authorization().is_some() {
            write!(formatter, "{MASK}@")?;
        }
        formatter.write_str(&url[Position::BeforeHost..Position::AfterPort])?;
        for part in url.path().split('/').skip(1) {
            let shown = if is_long(part) { MASK } else { part };
            write!(formatter, "/{shown}")?;
        }
        if url.query().is_some_and(|query| !query.is_empty()) {
            write!(formatter, "?{MASK}")?;
        }
        Ok(())
    }
}

/// Whether a text would name a host and a port if it began like a URL.
fn lacks_scheme(text: &str) -> bool {
    let authority = text.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    !text.contains("://")
        && match host.rsplit_once(':') {
            Some((_, port)) => !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()),
            None => host.contains('.') || host == "localhost",
        }
}

fn is_long(part: &str) -> bool {
    part.len() > LONGEST_SHOWN
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Address({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_credentials_nor_the_query_are_shown() {
        let text = "https://Bot:p%40ss@Hooks.Test:8443/mite/?token=s3cret&team=a#part";
        let address = Address::parse(text).unwrap();
        let start = address.below("start");
        assert_eq!(
            start.to_string(),
            "https://***@hooks.test:8443/mite/start?***"
        );
        assert_eq!(format!("{start:?}"), format!("Address({start})"));
        assert_eq!(
            start.target(false).unwrap(),
            "/mite/start?token=s3cret&team=a"
        );
        assert_eq!(
            start.target(true).unwrap(),
            "https://hooks.test:8443/mite/start?token=s3cret&team=a"
        );
        let authorization = start.authorization().unwrap();
        // `printf 'Bot:p@ss' | base64`
        assert_eq!(authorization, "Basic Qm90OnBAc3M=");
        assert!(authorization.is_sensitive());
    }

    #[test]
    fn a_long_part_of_the_path_may_be_a_secret_and_is_not_shown() {
        let text = "https://hooks.test/services/T0001/B0001/XaXbXcXdXeXfXgXhXiXjXkXl";
        let address = Address::parse(text).unwrap().below("end");
        let shown = "https://hooks.test/services/T0001/B0001/***/end";
        assert_eq!(address.to_string(), shown);
        assert!(address.target(false).unwrap().path().ends_with("XkXl/end"));
    }

    #[test]
    fn what_is_not_shown_can_be_looked_for_elsewhere() {
        let text = "https://joe:p%40ss@h/tenant/LONGLONGLONGTOKEN/?key=a%2Fb";
        let secrets = Address::parse(text).unwrap().secrets();
        // `printf 'joe:p@ss' | base64`
        for secret in [
            "joe",
            "p%40ss",
            "p@ss",
            "am9lOnBAc3M=",
            "LONGLONGLONGTOKEN",
            "a/b",
        ] {
            assert!(
                secrets.iter().any(|known| known == secret),
                "{secret}: {secrets:?}"
            );
        }
        assert_eq!(
            Address::parse("http://h/tenant/").unwrap().secrets(),
            [""; 0]
        );
    }

    #[test]
    fn a_slash_at_the_end_counts_for_nothing() {
        for (text, expected) in [
            ("http://127.0.0.1", "http://127.0.0.1/start"),
            ("http://127.0.0.1/", "http://127.0.0.1/start"),
            ("http://127.0.0.1/a/b", "http://127.0.0.1/a/b/start"),
            ("http://[::1]:81/a/", "http://[::1]:81/a/start"),
        ] {
            let start = Address::parse(text).unwrap().below("start");
            assert_eq!(start.to_string(), expected);
        }
        assert_eq!(Address::parse("http://[::1]/").unwrap().peer().host, "::1");
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_repeated() {
        for (text, why) in [
            ("s3cret@hooks", "it is no URL"),
            ("", "it is no URL"),
            ("https://user:s3cret@", "it is no URL"),
            ("ftp://user:s3cret@hooks", "it begins with ftp:"),
            ("hooks:8080/s3cret", "it lacks http://"),
            ("127.0.0.1:4318", "it lacks http://"),
            ("[::1]:4318/s3cret", "it lacks http://"),
            ("user:s3cret@hooks:8080", "it lacks http://"),
            ("hooks.test", "it lacks http://"),
            ("localhost/s3cret", "it lacks http://"),
            ("mailto:s3cret", "it begins with mailto:"),
            ("http://user:s3cret@hooks:0/", "port 0"),
            ("http://user:s3cret@hooks:99999/", "it is no URL"),
        ] {
            let error = Address::parse(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
