//! What a server asks for: the `www-authenticate` headers of RFC 9110, section 11.6.1.

use http::{HeaderMap, header};

use super::hash::Hash;

/// A challenge of the scheme Digest that can be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    pub(super) realm: Vec<u8>,
    pub(super) nonce: Vec<u8>,
    pub(super) opaque: Option<Vec<u8>>,
    /// URLs, absolute or relative to the server, of what the same answer is good for.
    pub(super) domain: Vec<String>,
    /// The name of the algorithm as the server wrote it; none if it did not.
    pub(super) algorithm: Option<Vec<u8>>,
    pub(super) hash: Hash,
    /// Whether the key is that of a session: the algorithms that end with `-sess`.
    pub(super) session: bool,
    pub(super) protection: Protection,
    /// Whether the user and password were right and only the nonce is too old.
    pub(super) stale: bool,
    pub(super) userhash: bool,
    pub(super) utf8: bool,
}

/// What the response is computed over: the `qop` of RFC 7616.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protection {
    /// As RFC 2069 had it, without a count and a nonce of the client.
    Old,
    Request,
    /// The request and its body.
    Body,
}

/// One `name=value`, unquoted.
type Parameter = (String, Vec<u8>);

impl Challenge {
    /// The strongest challenge of an answer that can be met; the first of those as strong.
    pub(super) fn strongest(headers: &HeaderMap) -> Option<Self> {
        let mut strongest: Option<Self> = None;
        for value in headers.get_all(header::WWW_AUTHENTICATE) {
            for (scheme, parameters) in challenges(value.as_bytes()) {
                if !scheme.eq_ignore_ascii_case("digest") {
                    continue;
                }
                let Some(challenge) = Self::new(&parameters) else {
                    continue;
                };
                if strongest
                    .as_ref()
                    .is_none_or(|best| best.hash < challenge.hash)
                {
                    strongest = Some(challenge);
                }
            }
        }
        strongest
    }

    fn new(parameters: &[Parameter]) -> Option<Self> {
        let get = |name: &str| {
            let mut of_that_name = parameters.iter().filter(|(known, _)| known == name);
            of_that_name.next().map(|(_, value)| value.as_slice())
        };
        let is = |name: &str, expected: &[u8]| {
            get(name).is_some_and(|value| value.eq_ignore_ascii_case(expected))
        };
        let algorithm = get("algorithm");
        let (hash, session) = Hash::named(algorithm.unwrap_or(b"MD5"))?;
        let protection = Protection::weakest(get("qop"))?;
        if session && protection == Protection::Old {
            // The session key needs a nonce of the client, which only goes along with a qop.
            return None;
        }
        let domain = String::from_utf8_lossy(get("domain").unwrap_or_default());
        Some(Self {
            realm: get("realm")?.to_vec(),
            nonce: get("nonce")?.to_vec(),
            opaque: get("opaque").map(<[u8]>::to_vec),
            domain: domain.split_ascii_whitespace().map(str::to_owned).collect(),
            algorithm: algorithm.map(<[u8]>::to_vec),
            hash,
            session,
            protection,
            stale: is("stale", b"true"),
            userhash: is("userhash", b"true"),
            utf8: is("charset", b"utf-8"),
        })
    }
}

impl Protection {
    /// The one that asks least of the client, as browsers and curl choose.
    fn weakest(offered: Option<&[u8]>) -> Option<Self> {
        let Some(offered) = offered else {
            return Some(Protection::Old);
        };
        let offers = |wanted: &[u8]| {
            offered
                .split(|byte| *byte == b',')
                .any(|word| word.trim_ascii().eq_ignore_ascii_case(wanted))
        };
        if offers(b"auth") {
            Some(Protection::Request)
        } else if offers(b"auth-int") {
            Some(Protection::Body)
        } else if offered.trim_ascii().is_empty() {
            Some(Protection::Old)
        } else {
            None
        }
    }
}

/// The challenges of one header: each a scheme and its parameters.
///
/// A comma separates both challenges and parameters. A word that no `=` follows begins a challenge.
fn challenges(text: &[u8]) -> Vec<(String, Vec<Parameter>)> {
    let mut reader = Reader { rest: text };
    let mut challenges: Vec<(String, Vec<Parameter>)> = Vec::new();
    loop {
        reader.skip_separators();
        let word = reader.word();
        if word.is_empty() {
            // Neither a word nor a separator: nothing that could be told apart follows.
            return challenges;
        }
        reader.skip_spaces();
        match (reader.value(), challenges.last_mut()) {
            (Some(value), Some((_, parameters))) => parameters.push((word, value)),
            (Some(_), None) => {}
            (None, _) => challenges.push((word, Vec::new())),
        }
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    fn skip_separators(&mut self) {
        while let [b',' | b' ' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    /// A token in lower case, or what a scheme other than Digest has in place of parameters.
    fn word(&mut self) -> String {
        let is_end = |byte: &u8| matches!(byte, b'=' | b',' | b' ' | b'\t' | b'"');
        let end = self.rest.iter().position(is_end).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        String::from_utf8_lossy(word).to_ascii_lowercase()
    }

    /// What follows an `=`, unquoted.
    fn value(&mut self) -> Option<Vec<u8>> {
        self.rest = self.rest.strip_prefix(b"=")?;
        self.skip_spaces();
        let Some(quoted) = self.rest.strip_prefix(b"\"") else {
            let is_end = |byte: &u8| matches!(byte, b',' | b' ' | b'\t');
            let end = self.rest.iter().position(is_end).unwrap_or(self.rest.len());
            let (value, rest) = self.rest.split_at(end);
            self.rest = rest;
            return Some(value.to_vec());
        };
        let mut value = Vec::new();
        self.rest = quoted;
        loop {
            match self.rest {
                [b'"', rest @ ..] => {
                    self.rest = rest;
                    return Some(value);
                }
                [b'\\', byte, rest @ ..] | [byte, rest @ ..] => {
                    value.push(*byte);
                    self.rest = rest;
                }
                // A quote that is never closed.
                [] => return Some(value),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn strongest(values: &[&str]) -> Option<Challenge> {
        let mut headers = HeaderMap::new();
        for value in values {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            headers.append(header::WWW_AUTHENTICATE, value);
        }
        Challenge::strongest(&headers)
    }

    fn realm(values: &[&str]) -> Option<String> {
        strongest(values).map(|challenge| String::from_utf8(challenge.realm).unwrap())
    }

    #[test]
    fn every_parameter_is_read() {
        let text = r#"Digest realm="a, \"b\" \\ c", domain="/a  http://shop.test/b", nonce="n=,1",
            opaque="", stale=TRUE, algorithm=SHA-256-sess, qop="auth-int , auth", userhash=true,
            charset=UTF-8, unknown=x"#
            .replace('\n', " ");
        let challenge = strongest(&[&text]).unwrap();
        assert_eq!(
            challenge,
            Challenge {
                realm: br#"a, "b" \ c"#.to_vec(),
                nonce: b"n=,1".to_vec(),
                opaque: Some(Vec::new()),
                domain: vec!["/a".to_owned(), "http://shop.test/b".to_owned()],
                algorithm: Some(b"SHA-256-sess".to_vec()),
                hash: Hash::Sha256,
                session: true,
                protection: Protection::Request,
                stale: true,
                userhash: true,
                utf8: true,
            }
        );
    }

    #[test]
    fn what_is_not_said_has_its_default() {
        let challenge = strongest(&["digest nonce=n , realm = r"]).unwrap();
        assert_eq!(challenge.realm, b"r");
        assert_eq!(challenge.nonce, b"n");
        assert_eq!((challenge.hash, challenge.session), (Hash::Md5, false));
        assert_eq!(challenge.protection, Protection::Old);
        assert_eq!(challenge.opaque, None);
        assert!(!challenge.stale && !challenge.userhash && !challenge.utf8);
    }

    #[test]
    fn the_strongest_algorithm_wins_and_the_first_of_equals() {
        let md5 = r#"Digest realm="md5", nonce="n", qop="auth", algorithm=MD5"#;
        let sha256 = r#"Digest realm="sha256", nonce="n", qop="auth", algorithm=SHA-256"#;
        let session = r#"Digest realm="session", nonce="n", qop="auth", algorithm="sha-256-SESS""#;
        let sha512 = r#"Digest realm="sha512", nonce="n", qop="auth", algorithm=SHA-512-256"#;
        let unknown = r#"Digest realm="unknown", nonce="n", qop="auth", algorithm=SHA-3"#;
        let joined = format!("{md5}, {sha256}, {unknown}");
        assert_eq!(realm(&[md5]).as_deref(), Some("md5"));
        assert_eq!(realm(&[&joined]).as_deref(), Some("sha256"));
        assert_eq!(realm(&[session, sha256]).as_deref(), Some("session"));
        assert_eq!(realm(&[md5, sha512, sha256]).as_deref(), Some("sha512"));
        assert_eq!(realm(&[unknown]), None);
    }

    #[test]
    fn other_schemes_stand_beside() {
        for text in [
            r#"Basic realm="basic", Digest realm="digest", nonce="n""#,
            r#"Digest realm="digest", nonce="n", Basic realm="basic""#,
            r#"Negotiate, Digest realm="digest", nonce="n""#,
            r#"Negotiate YWJj==, , Digest realm="digest", nonce="n", Bearer"#,
            r#"Basic realm="a \" Digest realm=b", Digest realm="digest",nonce="n""#,
        ] {
            assert_eq!(realm(&[text]).as_deref(), Some("digest"), "{text}");
        }
        assert_eq!(realm(&[r#"Basic realm="basic""#]), None);
        assert_eq!(
            realm(&[
                r#"Basic realm="basic""#,
                r#"Digest realm="digest", nonce="n""#
            ])
            .as_deref(),
            Some("digest")
        );
    }

    #[test]
    fn what_cannot_be_answered_is_no_challenge() {
        for text in [
            "",
            "Digest",
            r#"Digest realm="r""#,
            r#"Digest nonce="n""#,
            r#"Digest realm="r", nonce="n", qop="auth-conf""#,
            r#"Digest realm="r", nonce="n", algorithm=MD5-sess"#,
            r#"realm="r", nonce="n""#,
            r#""Digest realm=r, nonce=n"#,
            r#"Digest realm="r, nonce=n"#,
            "=\"\",,==",
        ] {
            assert_eq!(strongest(&[text]), None, "{text}");
        }
    }

    #[test]
    fn the_body_is_only_covered_when_nothing_less_is_offered() {
        let protection = |qop: &str| {
            strongest(&[&format!("Digest realm=r, nonce=n, qop={qop}")]).map(|it| it.protection)
        };
        assert_eq!(protection(r#""auth""#), Some(Protection::Request));
        assert_eq!(protection("auth"), Some(Protection::Request));
        assert_eq!(protection(r#""auth-int,auth""#), Some(Protection::Request));
        assert_eq!(protection(r#""auth-int""#), Some(Protection::Body));
        assert_eq!(protection(r#""token,AUTH-INT""#), Some(Protection::Body));
        assert_eq!(protection(r#""""#), Some(Protection::Old));
    }
}
