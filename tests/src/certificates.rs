//! Certificates for tests, made while they run.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CertifiedKey, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, generate_simple_self_signed,
};

/// The names a server of the tests goes by, unless told otherwise.
pub const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// An authority of the test's own, which nobody knows.
#[derive(Debug)]
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key, both PEM.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The certificate.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Authority {
    /// A new one, unlike any before.
    pub fn new() -> Self {
        let mut params = params("an authority of a test", &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Its own certificate, PEM: what a client trusts.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A server's certificate for [`NAMES`].
    pub fn server(&self) -> Identity {
        self.server_named(&NAMES)
    }

    /// A server's certificate for these names and addresses.
    pub fn server_named(&self, names: &[&str]) -> Identity {
        self.sign("a server", names, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A client's certificate whose subject is `CN=name`.
    pub fn client(&self, name: &str) -> Identity {
        self.sign(name, &[], ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn sign(&self, common_name: &str, names: &[&str], usage: ExtendedKeyUsagePurpose) -> Identity {
        let mut params = params(common_name, names);
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().unwrap();
        Identity {
            certificate: params.signed_by(&key, &self.0).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }
}

impl Identity {
    /// A server's certificate for [`NAMES`] that only it itself has signed.
    pub fn self_signed() -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(NAMES.map(str::to_owned)).unwrap();
        Self {
            certificate: cert.pem(),
            key: signing_key.serialize_pem(),
        }
    }
}

fn params(common_name: &str, names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    params
}
