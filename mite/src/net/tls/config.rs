//! What rustls needs to know.

use std::sync::{Arc, OnceLock};

use rustls::{
    ClientConfig, ConfigBuilder, RootCertStore, SupportedProtocolVersion, WantsVerifier,
    client::{ResolvesClientCert, Resumption, WantsClientCert, danger},
    crypto::{CryptoProvider, ring},
    sign::{CertifiedKey, SingleCertAndKey},
    version::{TLS12, TLS13},
};

use super::{Identity, Tls, TlsVersion, accept_any::AcceptAny, key_log};
use crate::net::Alpn;

/// The sessions that one configuration remembers.
const SESSIONS: usize = 256;

/// The sessions a client remembers that is alone with its own: those of some four servers.
const FEW_SESSIONS: usize = 32;

/// A configuration with sessions of its own.
///
/// The tickets that a configuration keeps are behind a lock, so each worker should have its own.
pub(in crate::net) fn client_config(tls: &Tls, alpn: Alpn) -> Result<ClientConfig, String> {
    let provider = Arc::new(ring::default_provider());
    let builder = verifying(tls, &versions(tls)?, &provider)?;
    let mut config = match &tls.identity {
        Some(identity) => builder.with_client_cert_resolver(resolver(identity, &provider)?),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = protocols(alpn);
    config.resumption = resumption(tls, SESSIONS);
    if let Some(log) = key_log::open(tls.key_log_file.as_deref())? {
        config.key_log = log;
    }
    Ok(config)
}

/// The same configuration, with no sessions yet.
pub(in crate::net) fn with_fresh_sessions(config: &ClientConfig, tls: &Tls) -> ClientConfig {
    let mut fresh = config.clone();
    fresh.resumption = resumption(tls, FEW_SESSIONS);
    fresh
}

/// Reads the authorities this machine trusts, which takes a while, before a run needs them.
pub(crate) fn prepare() {
    system_roots();
}

/// What is wrong with the parts of a configuration.
pub(super) fn check(tls: &Tls) -> Result<(), String> {
    versions(tls)?;
    add_given_roots(tls, &mut RootCertStore::empty())?;
    if let Some(identity) = &tls.identity {
        resolver(identity, &Arc::new(ring::default_provider()))?;
    }
    key_log::open(tls.key_log_file.as_deref()).map(drop)
}

fn verifying(
    tls: &Tls,
    versions: &[&'static SupportedProtocolVersion],
    provider: &Arc<CryptoProvider>,
) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, String> {
    // The provider is named each time: choosing one by itself panics when two are compiled in.
    let builder: ConfigBuilder<ClientConfig, WantsVerifier> =
        ClientConfig::builder_with_provider(Arc::clone(provider))
            .with_protocol_versions(versions)
            .map_err(|error| format!("cannot set up TLS: {error}"))?;
    if tls.accept_invalid_certs {
        let verifier: Arc<dyn danger::ServerCertVerifier> =
            Arc::new(AcceptAny(Arc::clone(provider)));
        return Ok(builder
            .dangerous()
            .with_custom_certificate_verifier(verifier));
    }
    Ok(builder.with_root_certificates(roots(tls)?))
}

fn versions(tls: &Tls) -> Result<Vec<&'static SupportedProtocolVersion>, String> {
    let oldest = tls.min_version.unwrap_or(TlsVersion::Tls12);
    let newest = tls.max_version.unwrap_or(TlsVersion::Tls13);
    match (oldest, newest) {
        (TlsVersion::Tls12, TlsVersion::Tls12) => Ok(vec![&TLS12]),
        (TlsVersion::Tls12, TlsVersion::Tls13) => Ok(vec![&TLS13, &TLS12]),
        (TlsVersion::Tls13, TlsVersion::Tls13) => Ok(vec![&TLS13]),
        (TlsVersion::Tls13, TlsVersion::Tls12) => Err(
            "min_version is TLS 1.3 and max_version is TLS 1.2, which leaves no version to offer"
                .to_owned(),
        ),
    }
}

fn protocols(alpn: Alpn) -> Vec<Vec<u8>> {
    let (http1, http2) = (b"http/1.1".to_vec(), b"h2".to_vec());
    match alpn {
        Alpn::Http1 => vec![http1],
        Alpn::Http2 => vec![http2],
        Alpn::Any => vec![http2, http1],
    }
}

fn resumption(tls: &Tls, sessions: usize) -> Resumption {
    if tls.session_resumption {
        Resumption::in_memory_sessions(sessions)
    } else {
        Resumption::disabled()
    }
}

fn resolver(
    identity: &Identity,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ResolvesClientCert>, String> {
    const WHAT: &str = "client certificate";
    let certificates = identity.certificate.certificates(WHAT)?;
    let key = identity.key.key()?;
    let certified = CertifiedKey::from_der(certificates, key, provider).map_err(|error| {
        let mistake = match error {
            rustls::Error::InconsistentKeys(_) => {
                "it is for another key than the client key given with it".to_owned()
            }
            other => other.to_string(),
        };
        identity.certificate.bad(WHAT, &mistake)
    })?;
    Ok(Arc::new(SingleCertAndKey::from(certified)))
}

fn roots(tls: &Tls) -> Result<Arc<RootCertStore>, String> {
    if tls.roots.is_empty() && !tls.only_given_roots {
        return Ok(Arc::clone(system_roots()));
    }
    let mut roots = if tls.only_given_roots {
        RootCertStore::empty()
    } else {
        RootCertStore::clone(system_roots())
    };
    add_given_roots(tls, &mut roots)?;
    Ok(Arc::new(roots))
}

fn add_given_roots(tls: &Tls, roots: &mut RootCertStore) -> Result<(), String> {
    const WHAT: &str = "root certificate";
    for pem in &tls.roots {
        for certificate in pem.certificates(WHAT)? {
            roots
                .add(certificate)
                .map_err(|error| pem.bad(WHAT, &error.to_string()))?;
        }
    }
    Ok(())
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
