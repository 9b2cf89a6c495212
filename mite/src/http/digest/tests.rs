use http::header;

use super::*;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn asking(value: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_bytes(value.as_bytes()).unwrap(),
    );
    headers
}

fn parameter(header: &str, name: &str) -> Option<String> {
    let (_, rest) = header
        .split_once(&format!(", {name}="))
        .or_else(|| header.split_once(&format!("Digest {name}=")))?;
    let end = rest.find(", ").unwrap_or(rest.len());
    Some(rest[..end].trim_matches('"').to_owned())
}

/// The parameters of the header that answers `challenge`.
fn answered(digest: &Digest, challenge: &str, cnonce: &str, path: &str) -> String {
    let url = url("http://www.example.org").join(path).unwrap();
    assert!(digest.take_note(&url, &asking(challenge), 0, cnonce.to_owned()));
    header_of(digest, url.as_str())
}

fn header_of(digest: &Digest, to: &str) -> String {
    let value = digest
        .authorization(&Method::GET, &url(to), Body::Bytes(b""))
        .unwrap();
    assert!(value.is_sensitive());
    String::from_utf8(value.as_bytes().to_vec()).unwrap()
}

const CNONCE: &str = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";

fn example(algorithm: &str) -> String {
    format!(
        "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, \
         nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
         opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
    )
}

#[test]
fn the_examples_of_rfc_7616_come_out() {
    for (algorithm, response) in [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        (
            "SHA-256",
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
        ),
    ] {
        let digest = Digest::new("Mufasa", "Circle of Life");
        let header = answered(&digest, &example(algorithm), CNONCE, "/dir/index.html");
        assert_eq!(
            header,
            format!(
                "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", \
                 nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", uri=\"/dir/index.html\", \
                 algorithm={algorithm}, qop=auth, nc=00000001, cnonce=\"{CNONCE}\", \
                 response=\"{response}\", \
                 opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            )
        );
    }
}

#[test]
fn the_name_of_the_user_is_hashed_where_the_server_wants_it() {
    // The hashes of RFC 7616, section 3.9.2, as its erratum 4897 corrects them.
    let digest = Digest::new("J\u{e4}s\u{f8}n Doe", "Secret, or not?");
    let header = answered(
        &digest,
        "Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, \
         nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", \
         opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", charset=UTF-8, userhash=true",
        "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
        "/doe.json",
    );
    assert_eq!(
        parameter(&header, "username").as_deref(),
        Some("793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b")
    );
    assert_eq!(
        parameter(&header, "response").as_deref(),
        Some("3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5")
    );
    assert_eq!(parameter(&header, "userhash").as_deref(), Some("true"));
}

#[test]
fn the_examples_of_the_older_rfcs_come_out() {
    let nonce = "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"";
    let digest = Digest::new("Mufasa", "Circle Of Life");
    let header = answered(
        &digest,
        &format!("Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", {nonce}"),
        "0a4f113b",
        "/dir/index.html",
    );
    assert_eq!(
        parameter(&header, "response").as_deref(),
        Some("6629fae49393a05397450978507c4ef1")
    );
    assert_eq!(parameter(&header, "algorithm"), None);

    let digest = Digest::new("Mufasa", "CircleOfLife");
    let header = answered(
        &digest,
        &format!("Digest realm=\"testrealm@host.com\", {nonce}"),
        "unused",
        "/dir/index.html",
    );
    assert_eq!(
        parameter(&header, "response").as_deref(),
        Some("1949323746fe6a43ef61f9606e7febea")
    );
    for absent in ["qop", "nc", "cnonce"] {
        assert_eq!(parameter(&header, absent), None);
    }
}

#[test]
fn the_key_of_a_session_is_made_with_the_nonces_of_its_first_request() {
    let md5 = hash::Hash::Md5;
    let password = md5.of(&[b"Mufasa", b"http-auth@example.org", b"Circle of Life"]);
    let nonce = b"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
    let key = md5.of(&[password.as_bytes(), nonce, b"mine"]);
    let digest = Digest::new("Mufasa", "Circle of Life");
    answered(&digest, &example("MD5-sess"), "mine", "/a");
    let second = header_of(&digest, "http://www.example.org/b");
    let request = md5.of(&[b"GET", b"/b"]);
    let expected = md5.of(&[
        key.as_bytes(),
        nonce,
        b"00000002",
        b"mine",
        b"auth",
        request.as_bytes(),
    ]);
    assert_eq!(parameter(&second, "response"), Some(expected));
    assert_eq!(parameter(&second, "cnonce").as_deref(), Some("mine"));
}

#[test]
fn a_body_is_covered_where_the_server_insists() {
    let digest = Digest::new("user", "password");
    let here = url("http://shop.test/a");
    let challenge = asking("Digest realm=r, nonce=n, qop=\"auth-int\"");
    assert!(digest.take_note(&here, &challenge, 0, "c".to_owned()));
    let header = digest
        .authorization(&Method::POST, &here, Body::Bytes(b"abc"))
        .unwrap();
    let md5 = hash::Hash::Md5;
    let body = md5.of(&[b"abc"]);
    assert_eq!(body, "900150983cd24fb0d6963f7d28e17f72");
    let request = md5.of(&[b"POST", b"/a", body.as_bytes()]);
    let key = md5.of(&[b"user", b"r", b"password"]);
    let expected = md5.of(&[
        key.as_bytes(),
        b"n",
        b"00000001",
        b"c",
        b"auth-int",
        request.as_bytes(),
    ]);
    let header = header.to_str().unwrap();
    assert_eq!(parameter(header, "response"), Some(expected));
    assert_eq!(parameter(header, "qop").as_deref(), Some("auth-int"));
    assert_eq!(
        digest.authorization(&Method::POST, &here, Body::Stream),
        None
    );
}

#[test]
fn a_nonce_is_used_again_with_a_count_until_the_server_gives_another() {
    let digest = Digest::new("user", "password");
    let here = url("http://shop.test/a/b?c");
    assert_eq!(
        digest.authorization(&Method::GET, &here, Body::Stream),
        None
    );
    assert!(digest.answer(&here, &asking("Digest realm=r, nonce=one, qop=auth"), 0));
    for expected in ["00000001", "00000002", "00000003"] {
        let header = header_of(&digest, "http://shop.test/other");
        assert_eq!(parameter(&header, "nc").as_deref(), Some(expected));
        assert_eq!(parameter(&header, "nonce").as_deref(), Some("one"));
    }
    let stale = asking("Digest realm=r, nonce=two, qop=auth, stale=true");
    assert!(digest.answer(&here, &stale, 0));
    let header = header_of(&digest, here.as_str());
    assert_eq!(parameter(&header, "nc").as_deref(), Some("00000001"));
    assert_eq!(parameter(&header, "nonce").as_deref(), Some("two"));
    assert_eq!(parameter(&header, "uri").as_deref(), Some("/a/b?c"));
}

#[test]
fn a_wrong_password_is_not_tried_twice() {
    let digest = Digest::new("user", "wrong");
    let here = url("http://shop.test/");
    let again = |nonce: &str| asking(&format!("Digest realm=r, nonce={nonce}, qop=auth"));
    assert!(digest.answer(&here, &again("one"), 0));
    assert!(!digest.answer(&here, &again("two"), 1));
    assert_eq!(
        digest.authorization(&Method::GET, &here, Body::Stream),
        None
    );
    assert!(!digest.answer(&here, &asking("Basic realm=r"), 0));
}

#[test]
fn a_nonce_that_is_always_stale_is_given_up() {
    let digest = Digest::new("user", "password");
    let here = url("http://shop.test/");
    let stale = asking("Digest realm=r, nonce=n, qop=auth, stale=true");
    let tries = (0..100).take_while(|tries| digest.answer(&here, &stale, *tries));
    assert_eq!(tries.count(), 3);
}

#[test]
fn the_password_goes_to_the_protection_space_only() {
    let sent = |digest: &Digest, to: &str| {
        let header = digest.authorization(&Method::GET, &url(to), Body::Stream)?;
        parameter(header.to_str().unwrap(), "realm")
    };
    let digest = Digest::new("user", "password");
    let whole = asking("Digest realm=whole, nonce=n, qop=auth");
    assert!(digest.answer(&url("http://shop.test/a"), &whole, 0));
    assert_eq!(
        sent(&digest, "http://shop.test/b").as_deref(),
        Some("whole")
    );
    assert_eq!(sent(&digest, "https://shop.test/a"), None);
    assert_eq!(sent(&digest, "http://shop.test:8080/a"), None);
    assert_eq!(sent(&digest, "http://other.test/a"), None);

    let part = asking("Digest realm=part, nonce=n, qop=auth, domain=\"/x http://y.test/z\"");
    assert!(digest.answer(&url("http://shop.test/x/1"), &part, 0));
    assert_eq!(
        sent(&digest, "http://shop.test/x/2").as_deref(),
        Some("part")
    );
    assert_eq!(sent(&digest, "http://y.test/z/1").as_deref(), Some("part"));
    assert_eq!(sent(&digest, "http://y.test/"), None);
    assert_eq!(
        sent(&digest, "http://shop.test/b").as_deref(),
        Some("whole")
    );
}

#[test]
fn names_are_quoted_and_encoded() {
    let plain = "Digest realm=\"a \\\"b\\\"\", nonce=n, qop=auth";
    let digest = Digest::new("do\"main\\joe", "password");
    let header = answered(&digest, plain, "c", "/");
    assert!(
        header.starts_with(r#"Digest username="do\"main\\joe", realm="a \"b\"","#),
        "{header}"
    );
    let digest = Digest::new("J\u{e4}s\u{f8}n Doe", "password");
    let header = answered(&digest, &format!("{plain}, charset=UTF-8"), "c", "/");
    assert!(
        header.starts_with("Digest username*=UTF-8''J%C3%A4s%C3%B8n%20Doe, "),
        "{header}"
    );
    let header = answered(&digest, plain, "c", "/");
    assert!(
        header.starts_with("Digest username=\"J\u{e4}s\u{f8}n Doe\", "),
        "{header}"
    );
}

#[test]
fn nonces_of_the_client_differ() {
    assert_ne!(client_nonce(), client_nonce());
    assert_eq!(client_nonce().len(), 32);
}

#[test]
fn the_password_is_not_shown() {
    let digest = Digest::new("joe", "secret");
    assert!(digest.answer(
        &url("http://shop.test/"),
        &asking("Digest realm=r, nonce=n"),
        0
    ));
    let shown = format!("{digest:?}");
    assert!(
        shown.contains("joe") && !shown.contains("secret"),
        "{shown}"
    );
}
