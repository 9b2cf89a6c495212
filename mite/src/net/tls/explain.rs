//! Why a handshake failed, in words.

use std::io;

use rustls::{AlertDescription, CertificateError, PeerIncompatible};

use crate::net::Error;

/// Why the handshake with `host` failed.
pub(in crate::net) fn explain(host: &str, error: &io::Error) -> Error {
    Error::tls(match cause(error) {
        Some(rustls::Error::InvalidCertificate(reason)) => format!(
            "the certificate of {host} is not accepted: {}; --insecure accepts any",
            complaint(reason)
        ),
        Some(rustls::Error::InvalidMessage(_)) => {
            format!(
                "{host} does not speak TLS on this port ({error}); \
                 is it http:// rather than https://?"
            )
        }
        Some(rustls::Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13)) => {
            format!("{host} speaks only versions of TLS older than 1.2")
        }
        Some(rustls::Error::PeerIncompatible(
            PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        )) => format!("{host} speaks a version of TLS that min_version and max_version leave out"),
        Some(rustls::Error::AlertReceived(alert)) => match meaning(*alert) {
            Some(words) => format!("{host} refused the TLS handshake: {words}"),
            None => format!("{host} refused the TLS handshake: {error}"),
        },
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            format!("{host} closed the connection during the TLS handshake")
        }
        _ => format!("the TLS handshake with {host} failed: {error}"),
    })
}

/// What the server did not like, if an error on an open connection is such a complaint.
///
/// With TLS 1.3 a server looks at the client's certificate only after the client has sent its first
/// request.
pub(crate) fn explain_alert(error: &io::Error) -> Option<String> {
    let Some(rustls::Error::AlertReceived(alert)) = cause(error) else {
        return None;
    };
    Some(match meaning(*alert) {
        Some(words) => format!("the server ended the TLS connection: {words}"),
        None => format!("the server ended the TLS connection: {error}"),
    })
}

fn cause(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

fn meaning(alert: AlertDescription) -> Option<&'static str> {
    Some(match alert {
        AlertDescription::CertificateRequired => {
            "it wants a client certificate (client_certificate_files)"
        }
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnknownCA
        | AlertDescription::AccessDenied => {
            "it does not accept the client certificate, or wants one"
        }
        AlertDescription::ProtocolVersion => {
            "it speaks none of the versions of TLS offered (min_version, max_version)"
        }
        AlertDescription::NoApplicationProtocol => {
            "it speaks none of the protocols offered (ALPN): is it without HTTP/2?"
        }
        AlertDescription::UnrecognisedName => "it does not know this server name",
        AlertDescription::HandshakeFailure => {
            "they have no cipher, key exchange or signature in common, or it wants a client \
             certificate"
        }
        _ => return None,
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
