//! Certificates and keys as people keep them.

use std::{
    env, fmt, fs, io,
    path::{Path, PathBuf},
};

use rustls::pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{self, PemObject as _},
};
use serde::{Deserialize, Serialize};

/// A file, or the text itself, which is never shown.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Pem {
    File(PathBuf),
    Text(String),
}

impl Pem {
    pub(super) fn text(bytes: &[u8]) -> Self {
        Self::Text(String::from_utf8_lossy(bytes).into_owned())
    }

    /// The certificates, at least one; `what` is the word for them in messages.
    pub(super) fn certificates(&self, what: &str) -> Result<Vec<CertificateDer<'static>>, String> {
        let text = self.read(what)?;
        let found = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>();
        let found = found.map_err(|error| self.bad(what, &error.to_string()))?;
        if found.is_empty() {
            let mistake = "there is no `-----BEGIN CERTIFICATE-----` in it";
            return Err(self.bad(what, mistake));
        }
        Ok(found)
    }

    /// The first private key.
    pub(super) fn key(&self) -> Result<PrivateKeyDer<'static>, String> {
        const WHAT: &str = "client key";
        let text = self.read(WHAT)?;
        PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
            pem::Error::NoItemsFound if contains(&text, b"ENCRYPTED PRIVATE KEY") => self.bad(
                WHAT,
                "it is encrypted; `openssl pkey -in FILE -out NEW` writes it without a password",
            ),
            pem::Error::NoItemsFound => {
                self.bad(WHAT, "there is no `-----BEGIN PRIVATE KEY-----` in it")
            }
            // The words of other errors could have parts of the key.
            _ => self.bad(WHAT, "it is not well-formed PEM"),
        })
    }

    fn read(&self, what: &str) -> Result<Vec<u8>, String> {
        match self {
            Pem::File(path) => {
                fs::read(path).map_err(|error| self.bad(what, &unreadable(path, &error)))
            }
            Pem::Text(text) => Ok(text.clone().into_bytes()),
        }
    }

    pub(super) fn bad(&self, what: &str, mistake: &str) -> String {
        match self {
            Pem::File(path) => format!("cannot use the {what} {}: {mistake}", path.display()),
            Pem::Text(_) => format!("cannot use the {what} given as PEM text: {mistake}"),
        }
    }
}

/// Why a file cannot be read, and for a path that is relative, to what.
fn unreadable(path: &Path, error: &io::Error) -> String {
    match env::current_dir() {
        Ok(folder) if error.kind() == io::ErrorKind::NotFound && path.is_relative() => {
            format!("{error}; it was looked for in {}", folder.display())
        }
        _ => error.to_string(),
    }
}

fn contains(text: &[u8], wanted: &[u8]) -> bool {
    text.windows(wanted.len()).any(|window| window == wanted)
}

impl fmt::Debug for Pem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pem::File(path) => fmt::Debug::fmt(path, formatter),
            Pem::Text(_) => formatter.write_str("PEM text"),
        }
    }
}
