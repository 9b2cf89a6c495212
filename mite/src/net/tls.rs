//! TLS: whom to trust, and why not.

use std::{
    cell::OnceCell,
    fmt, io,
    sync::{Arc, OnceLock},
};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use tokio_rustls::TlsConnector;

use super::Error;

/// The TLS settings of one worker thread, made at first use.
///
/// Each worker has its own, since the tickets for resuming sessions that a configuration keeps are
/// behind a lock.
#[derive(Default)]
pub(crate) struct Tls {
    roots: OnceCell<Arc<RootCertStore>>,
    verifying: OnceCell<TlsConnector>,
    accepting: OnceCell<TlsConnector>,
}

impl Tls {
    /// Settings that trust these certificate authorities and no others.
    #[cfg(test)]
    pub(crate) fn trusting(roots: RootCertStore) -> Self {
        Self {
            roots: OnceCell::from(Arc::new(roots)),
            ..Self::default()
        }
    }

    /// What makes connections that verify the server's certificate, or accept any.
    pub(crate) fn connector(&self, accept_invalid: bool) -> Result<TlsConnector, Error> {
        let slot = if accept_invalid {
            &self.accepting
        } else {
            &self.verifying
        };
        if let Some(connector) = slot.get() {
            return Ok(connector.clone());
        }
        let connector = TlsConnector::from(Arc::new(self.config(accept_invalid)?));
        Ok(slot.get_or_init(|| connector).clone())
    }

    fn config(&self, accept_invalid: bool) -> Result<ClientConfig, Error> {
        let provider = Arc::new(ring::default_provider());
        // The provider is named each time: choosing one by itself panics when two are compiled in.
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::tls(format!("cannot set up TLS: {error}")))?;
        let builder = if accept_invalid {
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AcceptAny(provider)))
        } else {
            let roots = self.roots.get_or_init(|| Arc::clone(system_roots()));
            builder.with_root_certificates(Arc::clone(roots))
        };
        let mut config = builder.with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Tls").finish_non_exhaustive()
    }
}

/// Reads the authorities this machine trusts, which takes a while, before a run needs them.
pub(crate) fn prepare() {
    system_roots();
}

/// The authorities this machine trusts, or Mozilla's list on a machine that has none.
fn system_roots() -> &'static Arc<RootCertStore> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    ROOTS.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        Arc::new(roots)
    })
}

/// Why the handshake with `host` failed, in words.
pub(super) fn explain(host: &str, error: &io::Error) -> Error {
    let cause = error
        .get_ref()
        .and_then(|cause| cause.downcast_ref::<rustls::Error>());
    Error::tls(match cause {
        Some(rustls::Error::InvalidCertificate(reason)) => format!(
            "the certificate of {host} is not accepted: {}; --insecure accepts any",
            complaint(reason)
        ),
        Some(rustls::Error::InvalidMessage(_)) => {
            format!(
                "{host} does not speak TLS on this port ({error}); is it http:// rather than https://?"
            )
        }
        _ => format!("the TLS handshake with {host} failed: {error}"),
    })
}

fn complaint(reason: &CertificateError) -> String {
    match reason {
        CertificateError::UnknownIssuer => {
            "it was issued by an authority this machine does not trust".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            format!("it has expired ({reason})")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            format!("it is not valid yet ({reason})")
        }
        CertificateError::NotValidForNameContext { presented, .. } if !presented.is_empty() => {
            format!("it is for {}", presented.join(", "))
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another name".to_owned()
        }
        CertificateError::Revoked => "it has been revoked".to_owned(),
        other => other.to_string(),
    }
}

/// Accepts any certificate from anybody.
#[derive(Debug)]
struct AcceptAny(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAny {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
