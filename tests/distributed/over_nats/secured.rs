//! Who is let in: TLS, certificates of clients, tokens and credentials.

use std::{fs, path::PathBuf};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use nkeys::KeyPair;
use serde_json::{Value, json};
use tempfile::TempDir;
use tests::{
    certificates::{Authority, Identity},
    nats::Nats,
    nginx::Nginx,
    running::{Ended, Running},
};

use crate::over_nats::crew::{Controller, runner_with};

/// Files for servers and clients to read.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn put(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A certificate and its key.
    fn identity(&self, name: &str, identity: &Identity) -> [String; 2] {
        let key = format!("{name}.key");
        [
            self.put(&format!("{name}.pem"), &identity.certificate),
            self.put(&key, &identity.key),
        ]
    }
}

/// Both sides with these arguments do what they are there for.
#[track_caller]
fn are_let_in(url: &str, arguments: &[&str]) {
    let nginx = Nginx::start();
    let runner = Running::start(&mut runner_with(url, arguments));
    let more = [&["--duration", "2s"], arguments].concat();
    let told = Controller::at(url, &nginx, "steady_visits", 1, &more).end();
    told.assert_passed();
    assert_eq!((told.requests(), nginx.finish().len()), (200, 200));
    let ended = runner.end();
    assert_eq!(ended.code, Some(0), "{ended}");
}

/// A runner with these arguments is not.
fn is_refused(url: &str, arguments: &[&str]) -> Ended {
    Running::start(&mut runner_with(url, arguments)).end()
}

#[test]
fn over_tls_the_server_has_to_prove_who_it_is() {
    let (files, authority) = (Files::new(), Authority::new());
    let ours = files.put("ca.pem", &authority.pem());
    let others = files.put("other.pem", &Authority::new().pem());
    let [certificate, key] = files.identity("server", &authority.server());
    let nats = Nats::with(&["--tls", "--tlscert", &certificate, "--tlskey", &key]);

    are_let_in(&nats.url(), &["--nats-ca", &ours]);
    for arguments in [&[][..], &["--nats-ca", &others]] {
        is_refused(&nats.url(), arguments).refused(&["cannot connect to NATS", "certificate"]);
    }
    let missing = files.path("missing.pem");
    is_refused(&nats.url(), &["--nats-ca", missing.to_str().unwrap()])
        .refused(&["missing.pem", "No such file"]);
    let garbage = files.put("garbage.pem", "this is none");
    is_refused(&nats.url(), &["--nats-ca", &garbage]).refused(&["garbage.pem", "certificate"]);
}

#[test]
fn a_server_that_wants_to_know_who_we_are_is_shown_a_certificate() {
    let (files, authority) = (Files::new(), Authority::new());
    let ca = files.put("ca.pem", &authority.pem());
    let [certificate, key] = files.identity("server", &authority.server());
    let [ours, our_key] = files.identity("runner", &authority.client("runner"));
    let [others, other_key] = files.identity("other", &Authority::new().client("runner"));
    let nats = Nats::with(&[
        "--tlsverify",
        "--tlscert",
        &certificate,
        "--tlskey",
        &key,
        "--tlscacert",
        &ca,
    ]);
    let trusting = ["--nats-ca", &*ca];
    let showing = |certificate, key| {
        [
            &trusting[..],
            &["--nats-cert", certificate, "--nats-key", key],
        ]
        .concat()
    };

    are_let_in(&nats.url(), &showing(&ours, &our_key));
    is_refused(&nats.url(), &trusting).refused(&["cannot connect to NATS"]);
    is_refused(&nats.url(), &showing(&others, &other_key)).refused(&["cannot connect to NATS"]);
}

#[test]
fn a_token_stands_before_the_host_and_is_never_shown() {
    let nats = Nats::with(&["--auth", "0pen/sesame"]);
    are_let_in(&nats.url_for("0pen%2Fsesame"), &[]);
    for wrong in [nats.url(), nats.url_for("gue55")] {
        let ended = is_refused(&wrong, &[]);
        ended.refused(&["cannot connect to NATS", "it does not let us in"]);
        assert!(!ended.stderr.contains("gue55"), "{ended}");
    }
}

#[test]
fn a_credentials_file_lets_us_in() {
    let files = Files::new();
    let (operator, account) = (KeyPair::new_operator(), KeyPair::new_account());
    let user = KeyPair::new_user();
    let by_operator = claims(&operator, &operator, &json!({"type": "operator"}));
    let limits = json!({
        "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true,
        "conn": -1, "leaf": -1,
    });
    let of_account = claims(
        &operator,
        &account,
        &json!({"type": "account", "limits": limits}),
    );
    let config = files.put(
        "nats.conf",
        &format!(
            "operator: {by_operator}\nresolver: MEMORY\nresolver_preload: {{ {}: {of_account} }}\n",
            account.public_key()
        ),
    );
    let credentials = |issuer: &KeyPair| {
        let rights = json!({"type": "user", "subs": -1, "data": -1, "payload": -1});
        let (jwt, seed) = (claims(issuer, &user, &rights), user.seed().unwrap());
        format!(
            "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
             -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
        )
    };
    let ours = files.put("ours.creds", &credentials(&account));
    let others = files.put("others.creds", &credentials(&KeyPair::new_account()));
    let nats = Nats::with(&["-c", &config]);

    are_let_in(&nats.url(), &["--nats-credentials", &ours]);
    for arguments in [&[][..], &["--nats-credentials", &others]] {
        is_refused(&nats.url(), arguments)
            .refused(&["cannot connect to NATS", "it does not let us in"]);
    }
    let garbage = files.put("garbage.creds", "these are none");
    is_refused(&nats.url(), &["--nats-credentials", &garbage]).refused(&["garbage.creds"]);
}

/// A token of NATS, JSON signed with an nkey.
fn claims(issuer: &KeyPair, subject: &KeyPair, rights: &Value) -> String {
    let mut rights = rights.clone();
    rights["version"] = json!(2);
    let claims = json!({
        "iat": 1_700_000_000, "iss": issuer.public_key(), "sub": subject.public_key(),
        "name": "a test", "jti": "0", "nats": rights,
    });
    let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({"typ": "JWT", "alg": "ed25519-nkey"});
    let signed = format!("{}.{}", encoded(&header), encoded(&claims));
    let signature = issuer.sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}
