//! TLS: whom to trust, who we are, and what is offered.

mod accept_any;
mod config;
mod explain;
mod key_log;
mod pem;

use std::path::PathBuf;

use rustls::pki_types::ServerName;
use serde::{Deserialize, Serialize};

use self::pem::Pem;

pub(crate) use self::{config::prepare, explain::explain_alert};
pub(super) use self::{
    config::{client_config, with_fresh_sessions},
    explain::explain,
};

/// How connections are encrypted.
///
/// ```
/// use mite::http::{Tls, TlsVersion};
///
/// let tls = Tls::new()
///     .root_certificate_file("authority.pem")
///     .client_certificate_files("client.pem", "client.key")
///     .min_version(TlsVersion::Tls13);
/// ```
///
/// Files are read by each machine that makes connections; certificates and keys given as text
/// travel to it with the settings. What cannot be read, or does not fit together, is an error
/// before the run starts.
///
/// # Defaults
///
/// The authorities this machine trusts are trusted (Mozilla's list where there is none), no client
/// certificate is shown, the name of the URL's host is asked for and verified, TLS 1.2 and 1.3 are
/// offered, sessions are resumed. When the environment variable `SSLKEYLOGFILE` names a file, the
/// secrets of all connections are appended to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[must_use]
pub struct Tls {
    roots: Vec<Pem>,
    only_given_roots: bool,
    identity: Option<Identity>,
    server_name: Option<String>,
    min_version: Option<TlsVersion>,
    max_version: Option<TlsVersion>,
    session_resumption: bool,
    key_log_file: Option<PathBuf>,
    accept_invalid_certs: bool,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

/// A client certificate and its key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Identity {
    certificate: Pem,
    key: Pem,
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            roots: Vec::new(),
            only_given_roots: false,
            identity: None,
            server_name: None,
            min_version: None,
            max_version: None,
            session_resumption: true,
            key_log_file: None,
            accept_invalid_certs: false,
        }
    }
}

impl Tls {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts the authorities in this PEM file too; may be called repeatedly.
    pub fn root_certificate_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.roots.push(Pem::File(path.into()));
        self
    }

    /// Trusts the authorities in this PEM text too; may be called repeatedly.
    pub fn root_certificate_pem(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.roots.push(Pem::text(pem.as_ref()));
        self
    }

    /// Trusts the given authorities only, not those the machine trusts.
    pub fn only_given_roots(mut self) -> Self {
        self.only_given_roots = true;
        self
    }

    /// The client certificate to show to servers that ask for one, with the authorities between it
    /// and the root after it, and its private key; two PEM files, or the same one twice.
    ///
    /// The key may be in PKCS #8, PKCS #1 or SEC 1 form, and is not encrypted.
    pub fn client_certificate_files(
        mut self,
        certificate: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Self {
        self.identity = Some(Identity {
            certificate: Pem::File(certificate.into()),
            key: Pem::File(key.into()),
        });
        self
    }

    /// As [`client_certificate_files`](Tls::client_certificate_files), with the PEM text itself.
    ///
    /// No report, log or `Debug` output shows it.
    pub fn client_certificate_pem(
        mut self,
        certificate: impl AsRef<[u8]>,
        key: impl AsRef<[u8]>,
    ) -> Self {
        self.identity = Some(Identity {
            certificate: Pem::text(certificate.as_ref()),
            key: Pem::text(key.as_ref()),
        });
        self
    }

    /// The name that servers are asked for (SNI, RFC 6066) and that their certificates must have,
    /// in place of the host of the URL.
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    /// The oldest version to offer; TLS 1.2 unless set.
    pub fn min_version(mut self, version: TlsVersion) -> Self {
        self.min_version = Some(version);
        self
    }

    /// The newest version to offer; TLS 1.3 unless set.
    pub fn max_version(mut self, version: TlsVersion) -> Self {
        self.max_version = Some(version);
        self
    }

    /// Whether a new connection may take up the session of an earlier one, which spares both sides
    /// most of the handshake's work; `true` unless set.
    ///
    /// Browsers do so. Each worker has its own sessions.
    pub fn session_resumption(mut self, resume: bool) -> Self {
        self.session_resumption = resume;
        self
    }

    /// Appends the secrets of all connections to this file, for a program that reads recorded
    /// traffic (`SSLKEYLOGFILE` format, as Wireshark reads it), in place of the one that the
    /// environment variable `SSLKEYLOGFILE` names.
    pub fn key_log_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.key_log_file = Some(path.into());
        self
    }

    /// Whether to accept any certificate: expired, self-signed, for another name; `false` unless
    /// set.
    pub fn danger_accept_invalid_certs(mut self, accept: bool) -> Self {
        self.accept_invalid_certs = accept;
        self
    }

    /// Whether certificates are accepted unseen.
    pub(crate) fn accepts_invalid_certs(&self) -> bool {
        self.accept_invalid_certs
    }

    /// What is wrong with these settings on this machine.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.only_given_roots && self.roots.is_empty() && !self.accept_invalid_certs {
            return Err(
                "only_given_roots without any root certificate accepts no server; \
                        give one with root_certificate_file"
                    .to_owned(),
            );
        }
        if let Some(name) = &self.server_name {
            ServerName::try_from(name.as_str()).map_err(|_| {
                format!("the server name `{name}` is neither a DNS name nor an address")
            })?;
        }
        config::check(self)
    }

    /// The name to ask for and to verify when a host is connected to.
    pub(super) fn name_for<'a>(&'a self, host: &'a str) -> &'a str {
        self.server_name.as_deref().unwrap_or(host)
    }
}
