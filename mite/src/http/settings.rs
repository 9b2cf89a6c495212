//! What kind of client the journeys are.

use std::{fmt, time::Duration};

use http::HeaderMap;
use serde::{Deserialize, Serialize};

use super::{Connections, mask, session};
use crate::{
    config::{Config, HTTP, INSECURE, MASK, RESOLVE},
    net::{self, Network, Proxy, Tls},
};

/// How long a request may take unless something else is said.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How many redirects are followed unless something else is said.
const REDIRECTS: u32 = 10;

/// How long a body that is kept may be unless something else is said.
const MAX_BODY_SIZE: u64 = 64 * 1024 * 1024;

/// What stands in the place of settings that cannot be written down, before the reason.
const UNWRITABLE: &str = "the HTTP settings cannot be given to the runners: ";

/// What kind of client the journeys are: connections, version of HTTP, TLS, proxy, limits.
///
/// Given to a scenario with [`Scenario::http`](crate::Scenario::http) they hold for all its
/// journeys; [`Session::configure`](super::Session::configure) changes them for one run of a
/// journey.
///
/// ```
/// use std::time::Duration;
/// use mite::{Scenario, http::{Connections, HttpVersion, Network, Settings, Tls}};
///
/// Scenario::new().http(
///     Settings::new()
///         .connections(Connections::per_journey().max_per_host(6))
///         .version(HttpVersion::Http1)
///         .network(Network::new().connect_timeout(Duration::from_secs(2)))
///         .tls(Tls::new().session_resumption(false))
///         .compressed(true)
///         .header("accept-language", "de"),
/// );
/// ```
///
/// # Defaults
/// | setting | default |
/// |---|---|
/// | `connections` | [`Connections::shared`] |
/// | `version` | [`HttpVersion::Auto`] |
/// | `network`, `tls`, `proxy` | those of [`Network`], [`Tls`], [`Proxy`] |
/// | `timeout` | 30 s for a `send` with its redirects |
/// | `read_timeout` | none of its own |
/// | `redirects` | 10 |
/// | `cookies` | kept |
/// | `compressed` | not asked for |
/// | `max_body_size` | 64 MiB |
/// | `max_requests_per_host` | no limit |
/// | headers | `host`, `user-agent: mite/` with the version, `accept: */*` |
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[must_use = "settings do nothing until they are given to a scenario or a session"]
#[serde(default)]
pub struct Settings {
    #[serde(flatten)]
    pub(super) wiring: Wiring,
    pub(super) timeout: Duration,
    pub(super) read_timeout: Option<Duration>,
    pub(super) redirects: u32,
    pub(super) cookies: bool,
    pub(super) compressed: bool,
    pub(super) max_body_size: u64,
    pub(super) max_requests_per_host: Option<usize>,
    headers: Vec<(String, String)>,
}

/// The settings that decide which connections are alike.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Wiring {
    pub(super) connections: Connections,
    pub(super) version: HttpVersion,
    pub(super) network: Network,
    pub(super) tls: Tls,
    pub(super) proxy: Proxy,
}

/// Which version of HTTP is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum HttpVersion {
    /// Over TLS what the server prefers of HTTP/2 and HTTP/1.1 (ALPN, RFC 7301); HTTP/1.1 without
    /// TLS. As browsers do.
    #[default]
    Auto,
    /// HTTP/1.1 only.
    Http1,
    /// HTTP/2 only, without TLS by prior knowledge (RFC 9113, section 3.3).
    Http2,
}

impl Settings {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Who shares connections, how many there are and how long they are kept.
    pub fn connections(mut self, connections: Connections) -> Self {
        self.wiring.connections = connections;
        self
    }

    /// The version of HTTP.
    pub fn version(mut self, version: HttpVersion) -> Self {
        self.wiring.version = version;
        self
    }

    /// Names, addresses and TCP.
    pub fn network(mut self, network: Network) -> Self {
        self.wiring.network = network;
        self
    }

    /// Whom to trust, who to be, and which TLS to speak.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.wiring.tls = tls;
        self
    }

    /// Which requests go through a proxy.
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.wiring.proxy = proxy;
        self
    }

    /// How long a `send` may take, from its beginning to the last byte of the last answer, redirects
    /// included.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long the server may be silent while an answer is awaited or read.
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.read_timeout = Some(timeout);
        self
    }

    /// How many redirects a `send` follows; with 0 a redirect is an answer like any other.
    pub fn redirects(mut self, most: u32) -> Self {
        self.redirects = most;
        self
    }

    /// Whether cookies are kept and sent back, separately for each run of a journey.
    pub fn cookies(mut self, kept: bool) -> Self {
        self.cookies = kept;
        self
    }

    /// Whether compressed answers are asked for with `accept-encoding`, as `curl --compressed` does.
    ///
    /// An answer that comes compressed is decompressed in either case.
    pub fn compressed(mut self, asked_for: bool) -> Self {
        self.compressed = asked_for;
        self
    }

    /// How many bytes of a body are kept, decompressed; a longer one is an error of kind `body`.
    ///
    /// Bodies that are [discarded](super::RequestBuilder::discard_body) or
    /// [streamed](super::RequestBuilder::stream) may have any length.
    pub fn max_body_size(mut self, bytes: u64) -> Self {
        self.max_body_size = bytes;
        self
    }

    /// How many requests a run of a journey has under way to one scheme, host and port at once.
    ///
    /// Those beyond wait for their turn, first come first served, which is their phase `waiting`. An
    /// answer that is [streamed](super::RequestBuilder::stream) counts until it is read or dropped.
    /// The least is 1.
    pub fn max_requests_per_host(mut self, most: usize) -> Self {
        self.max_requests_per_host = Some(most.max(1));
        self
    }

    /// A header of every request that does not set it itself, in place of one of this name that was
    /// set before.
    ///
    /// An invalid name or value is told when the scenario is checked.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let name = name.into();
        self.headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(&name));
        self.headers.push((name, value.into()));
        self
    }

    /// The `user-agent` header; `mite/` with the version unless set.
    pub fn user_agent(self, value: impl Into<String>) -> Self {
        self.header("user-agent", value)
    }

    /// Makes these the settings of the journeys of a run without a scenario, such as `journey run`,
    /// or of a scenario that has none.
    ///
    /// ```no_run
    /// use mite::http::{HttpVersion, Settings};
    ///
    /// fn main() -> std::process::ExitCode {
    ///     mite::main_with(|config| Settings::new().version(HttpVersion::Http1).set_default(config))
    /// }
    /// ```
    pub fn set_default(&self, config: &mut Config) {
        let text =
            serde_json::to_string(self).unwrap_or_else(|error| format!("{UNWRITABLE}{error}"));
        config.set_default(HTTP, text).mark_secret(HTTP);
    }

    /// The settings of a run.
    pub(super) fn of(config: &Config) -> Result<Self, String> {
        let mut settings = match config.text(HTTP) {
            None => Self::default(),
            Some(text) if text.starts_with(UNWRITABLE) => return Err(text.to_owned()),
            Some(text) => serde_json::from_str(text)
                .map_err(|error| format!("the HTTP settings of the run cannot be read: {error}"))?,
        };
        if config.text(INSECURE) == Some("true") {
            let tls = std::mem::take(&mut settings.wiring.tls);
            settings.wiring.tls = tls.danger_accept_invalid_certs(true);
        }
        for entry in config.text(RESOLVE).into_iter().flat_map(str::lines) {
            let network = std::mem::take(&mut settings.wiring.network);
            settings.wiring.network = network.resolve(entry);
        }
        Ok(settings)
    }

    /// What is wrong with the settings of a run, so that it need not begin.
    pub(crate) fn check(config: &Config) -> Result<(), String> {
        let settings = Self::of(config)?;
        settings.default_headers()?;
        settings.check_limits()?;
        settings.wiring.net().check()
    }

    pub(super) fn check_limits(&self) -> Result<(), String> {
        if self.timeout.is_zero() {
            let mistake = "a timeout of zero allows no answer; a long one is as good as none";
            return Err(format!("the HTTP settings: {mistake}"));
        }
        if self.read_timeout.is_some_and(|limit| limit.is_zero()) {
            let mistake = "a read_timeout of zero allows no answer; leave it out to have no limit";
            return Err(format!("the HTTP settings: {mistake}"));
        }
        Ok(())
    }

    pub(super) fn default_headers(&self) -> Result<HeaderMap, String> {
        self.headers_beyond(&Self::default())
    }

    /// The headers that the settings `before` did not have, or not with this value.
    pub(super) fn headers_beyond(&self, before: &Self) -> Result<HeaderMap, String> {
        let header = |(name, value): &(String, String)| {
            session::header(name.as_str(), value.as_str())
                .map_err(|mistake| format!("the header \"{name}\" of the HTTP settings: {mistake}"))
        };
        let new = self.headers.iter();
        new.filter(|header| !before.headers.contains(header))
            .map(header)
            .collect()
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            wiring: Wiring::default(),
            timeout: TIMEOUT,
            read_timeout: None,
            redirects: REDIRECTS,
            cookies: true,
            compressed: false,
            max_body_size: MAX_BODY_SIZE,
            max_requests_per_host: None,
            headers: Vec::new(),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |(name, value): &(String, String)| {
            let secret = mask::is_secret_header(name);
            let value = if secret { MASK } else { value.as_str() };
            (name.clone(), value.to_owned())
        };
        let headers: Vec<_> = self.headers.iter().map(shown).collect();
        formatter
            .debug_struct("Settings")
            .field("wiring", &self.wiring)
            .field("timeout", &self.timeout)
            .field("read_timeout", &self.read_timeout)
            .field("redirects", &self.redirects)
            .field("cookies", &self.cookies)
            .field("compressed", &self.compressed)
            .field("max_body_size", &self.max_body_size)
            .field("max_requests_per_host", &self.max_requests_per_host)
            .field("headers", &headers)
            .finish()
    }
}

impl Wiring {
    /// What the layer below needs to know.
    pub(super) fn net(&self) -> net::Settings {
        net::Settings {
            network: self.network.clone(),
            tls: self.tls.clone(),
            proxy: self.proxy.clone(),
            alpn: match self.version {
                HttpVersion::Auto => net::Alpn::Any,
                HttpVersion::Http1 => net::Alpn::Http1,
                HttpVersion::Http2 => net::Alpn::Http2,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(settings: &Settings) -> String {
        let mut config = Config::default();
        settings.set_default(&mut config);
        Settings::check(&config).unwrap_err()
    }

    #[test]
    fn a_header_that_cannot_be_is_named_and_its_value_is_not_shown() {
        let name = mistake(&Settings::new().header("x y", "1"));
        assert!(
            name.starts_with("the header \"x y\" of the HTTP settings: "),
            "{name}"
        );
        assert!(name.ends_with("such as x-request-id"), "{name}");
        let value = mistake(&Settings::new().header("x-token", "s3cret\n"));
        assert!(
            value.contains("\"x-token\"") && value.contains("a single line"),
            "{value}"
        );
        assert!(!value.contains("s3cret"), "{value}");
    }

    #[test]
    fn no_time_at_all_is_refused() {
        let timeout = mistake(&Settings::new().timeout(Duration::ZERO));
        assert!(timeout.contains("a timeout of zero"), "{timeout}");
        let silence = mistake(&Settings::new().read_timeout(Duration::ZERO));
        assert!(silence.contains("a read_timeout of zero"), "{silence}");
    }
}
