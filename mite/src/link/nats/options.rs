//! Where NATS is, and what it takes to be let in.

use std::{
    error::Error as _,
    fmt, fs,
    path::{Path, PathBuf},
    time::Duration,
};

use async_nats::{Client, ConnectError, ConnectErrorKind, ConnectOptions, ServerAddr};
use percent_encoding::percent_decode_str;

use super::BusError;

/// How long the first connection may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where NATS is, and what it takes to be let in.
#[derive(Clone, Default)]
pub(crate) struct Options {
    /// One or more servers of one cluster: `nats://host:4222`, `tls://host`, with a user and a
    /// password or a token in front of the host if the server wants one.
    pub(crate) urls: Vec<String>,
    /// What the subjects of this test begin with.
    pub(crate) prefix: String,
    /// A file with a JWT and the seed of an nkey, as `nsc` writes it.
    pub(crate) credentials: Option<PathBuf>,
    /// Authorities to trust, in place of those of the system, as PEM.
    pub(crate) authorities: Option<PathBuf>,
    /// A certificate to show and its key, as PEM.
    pub(crate) certificate: Option<(PathBuf, PathBuf)>,
}

impl Options {
    /// Connects.
    ///
    /// # Errors
    /// When no server can be reached, or none lets us in.
    pub(super) async fn connect(&self, name: &str) -> Result<Client, BusError> {
        let servers = self.servers()?;
        let mut options = ConnectOptions::new()
            .name(name)
            .connection_timeout(PATIENCE)
            // A server that is restarted is to find us back soon.
            .reconnect_delay_callback(|attempt| {
                Duration::from_millis(100 << attempt.min(4) as u32).min(Duration::from_secs(1))
            })
            .event_callback(|event| async move { tracing::debug!("NATS: {event}") });
        if let Some(path) = &self.credentials {
            options = options
                .credentials_file(path)
                .await
                .map_err(|source| BusError::File {
                    path: path.clone(),
                    source,
                })?;
        }
        if let Some(path) = &self.authorities {
            has(path, "-----BEGIN CERTIFICATE-----", "certificate")?;
            options = options
                .add_root_certificates(path.clone())
                .require_tls(true);
        }
        if let Some((certificate, key)) = &self.certificate {
            has(certificate, "-----BEGIN CERTIFICATE-----", "certificate")?;
            has(key, "PRIVATE KEY-----", "private key")?;
            options = options
                .add_client_certificate(certificate.clone(), key.clone())
                .require_tls(true);
        }
        options = who(options, &servers);
        options
            .connect(servers)
            .await
            .map_err(|error| BusError::Connect {
                url: self.shown(),
                reason: reason(&error),
            })
    }

    fn servers(&self) -> Result<Vec<ServerAddr>, BusError> {
        let is_known = |server: &ServerAddr| ["nats", "tls"].contains(&server.scheme());
        let server = |url: &String| {
            let server: Option<ServerAddr> = url.parse().ok();
            server.filter(is_known).ok_or_else(|| {
                BusError::Options(format!(
                    "{} is no address of NATS; it looks like nats://host:4222 or tls://host:4222",
                    shown(url)
                ))
            })
        };
        self.urls.iter().map(server).collect()
    }

    /// The servers, without what is secret of their addresses.
    pub(crate) fn shown(&self) -> String {
        let shown: Vec<_> = self.urls.iter().map(|url| shown(url)).collect();
        shown.join(", ")
    }
}

/// Makes sure that a file has something in it: the client tells what is wrong without the file.
fn has(path: &Path, mark: &str, what: &str) -> Result<(), BusError> {
    let read = fs::read_to_string(path);
    let text = read.map_err(|source| BusError::File {
        path: path.to_owned(),
        source,
    })?;
    if text.contains(mark) {
        return Ok(());
    }
    let path = path.display();
    Err(BusError::Options(format!(
        "{path} has no {what} in it; it takes PEM, a text with {mark}"
    )))
}

/// Who we are to all servers: what stands before the host of the first that has something there.
fn who(options: ConnectOptions, servers: &[ServerAddr]) -> ConnectOptions {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let named = servers
        .iter()
        .find_map(|server| Some((server.username()?, server.password())));
    match named {
        Some((user, Some(password))) => options.user_and_password(decoded(user), decoded(password)),
        Some((token, None)) => options.token(decoded(token)),
        None => options,
    }
}

/// What a server said, without what the client has put before it.
fn reason(error: &ConnectError) -> String {
    let whole = error.to_string();
    match (error.kind(), error.source()) {
        (ConnectErrorKind::AuthorizationViolation, _) => {
            "it does not let us in: authorization violation".to_owned()
        }
        (ConnectErrorKind::TimedOut, _) => "nothing answers".to_owned(),
        (_, Some(source)) => source.to_string(),
        (_, None) => whole,
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Options")
            .field("urls", &self.shown())
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

/// An address without the user, the password or the token in it.
fn shown(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    match (scheme, host.len() < rest.len()) {
        ("", false) => host.to_owned(),
        ("", true) => format!("***@{host}"),
        (scheme, false) => format!("{scheme}://{host}"),
        (scheme, true) => format!("{scheme}://***@{host}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_of_an_address_is_not_shown() {
        for (url, seen) in [
            ("nats://host:4222", "nats://host:4222"),
            ("nats://user:p@ss@host:4222", "nats://***@host:4222"),
            ("tls://token@host", "tls://***@host"),
            ("host", "host"),
            ("token@host", "***@host"),
        ] {
            assert_eq!(shown(url), seen);
        }
    }
}
