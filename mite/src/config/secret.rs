//! What is taken for a secret, and how it is kept out of texts.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use url::{Url, form_urlencoded};

/// What stands in the place of a secret.
pub(crate) const MASK: &str = "***";

/// What names of secrets have in them, dashes taken for underscores.
const WORDS: [&str; 17] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "credential",
    "authorization",
    "api_key",
    "apikey",
    "access_key",
    "accesskey",
    "private_key",
    "privatekey",
    "signature",
    "bearer",
    "jwt",
];

/// What the query of a URL does not hold as it is (URL Standard, "special-query percent-encode
/// set").
const QUERY: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'\'');

/// What the path of a URL does not hold as it is (URL Standard, "path percent-encode set").
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'}');

/// Whether a key, a header or a field of this name is taken for a secret without being told.
pub(crate) fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('-', "_");
    name == "auth" || WORDS.iter().any(|word| name.contains(word))
}

/// `text` with each of the secrets in it masked, whether it stands there as it is or as a URL or a
/// form has it.
///
/// What several of them cover becomes one mask, so that none leaves the rest of a longer one.
pub(crate) fn without_secrets<'a>(
    text: &str,
    secrets: impl IntoIterator<Item = &'a str>,
) -> String {
    let mut covered = Vec::new();
    for secret in secrets.into_iter().filter(|secret| !secret.is_empty()) {
        let mut forms = forms(secret);
        forms.sort_unstable();
        forms.dedup();
        for form in &forms {
            places(text, form, &mut covered);
        }
    }
    covered.sort_unstable();
    let mut masked = String::with_capacity(text.len());
    let mut shown_to = 0;
    for (start, end) in covered {
        if start >= shown_to {
            masked.push_str(text.get(shown_to..start).unwrap_or_default());
            masked.push_str(MASK);
        }
        shown_to = shown_to.max(end);
    }
    masked.push_str(text.get(shown_to..).unwrap_or_default());
    masked
}

/// Masks texts one after the other; those without a secret cost next to nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Masker {
    secrets: Vec<String>,
    forms: Vec<String>,
}

impl Masker {
    pub(super) fn new<'a>(secrets: impl Iterator<Item = &'a str>) -> Self {
        let secrets: Vec<_> = secrets
            .filter(|secret| !secret.is_empty())
            .map(str::to_owned)
            .collect();
        let forms = secrets.iter().flat_map(|secret| forms(secret));
        let mut forms: Vec<_> = forms.map(Cow::into_owned).collect();
        forms.sort_unstable();
        forms.dedup();
        Self { secrets, forms }
    }

    /// The text without secrets of the config, and without credentials of URLs.
    pub(crate) fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let secret = self.forms.iter().any(|form| text.contains(form.as_str()));
        let credentials = text.contains("://") || text.contains('=');
        if !secret && !credentials {
            return Cow::Borrowed(text);
        }
        let masked = without_secrets(text, self.secrets.iter().map(String::as_str));
        Cow::Owned(without_credentials(&masked))
    }
}

/// How a secret may be written.
fn forms(secret: &str) -> Vec<Cow<'_, str>> {
    let form: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    vec![
        Cow::Borrowed(secret),
        form.replace('+', "%20").into(),
        form.into(),
        utf8_percent_encode(secret, QUERY).into(),
        utf8_percent_encode(secret, PATH).into(),
        // As messages quote it.
        secret.escape_debug().to_string().into(),
    ]
}

/// Adds where `part` stands in `text`, also where it overlaps itself.
fn places(text: &str, part: &str, found: &mut Vec<(usize, usize)>) {
    let step = part.chars().next().map_or(1, char::len_utf8);
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find(part)) {
        found.push((from + at, from + at + part.len()));
        from += at + step;
    }
}

/// The pairs of a form or a query with the secret ones masked; the others are left as they are
/// written.
pub(crate) fn masked_pairs(text: &str) -> String {
    let pairs = text.split('&').map(masked_pair);
    pairs.collect::<Vec<_>>().join("&")
}

fn masked_pair(pair: &str) -> Cow<'_, str> {
    match form_urlencoded::parse(pair.as_bytes()).next() {
        Some((name, _)) if is_secret_name(&name) => {
            let written = pair.split('=').next().unwrap_or_default();
            Cow::Owned(format!("{written}={MASK}"))
        }
        _ => Cow::Borrowed(pair),
    }
}

/// The text of a setting without the secrets that a URL or several, or a connection string, have
/// in them: credentials, and values of secret names.
pub(super) fn without_credentials(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for word in text.split_inclusive(char::is_whitespace) {
        let content = word.trim_end();
        let credentials_masked = masked_user_info(content);
        for piece in credentials_masked.split_inclusive(['?', '#', '&']) {
            let pair = piece.trim_end_matches(['?', '#', '&']);
            if pair.contains('=') {
                shown.push_str(&masked_pair(pair));
            } else {
                shown.push_str(pair);
            }
            shown.push_str(piece.get(pair.len()..).unwrap_or_default());
        }
        shown.push_str(word.get(content.len()..).unwrap_or_default());
    }
    shown
}

/// A word with what stands before the @ of each URL in it masked; of user and password the user is
/// kept.
fn masked_user_info(word: &str) -> String {
    let mut shown = String::with_capacity(word.len());
    let mut rest = word;
    while let Some(at) = rest.find("://") {
        let (scheme, after) = rest.split_at(at + "://".len());
        shown.push_str(scheme);
        let host_end = after.find(['/', '?', '#']).unwrap_or(after.len());
        let user_info = match after.get(..host_end).and_then(|host| host.rfind('@')) {
            // The password of what is no URL may have a slash in it: it ends before the last @.
            None if Url::parse(word).is_err() && has_no_port(after.get(..host_end)) => {
                after.rfind('@')
            }
            end => end,
        };
        rest = after;
        if let Some(end) = user_info {
            let (user_info, host) = after.split_at(end);
            match user_info.split_once(':') {
                Some((user, password)) if !password.is_empty() => {
                    shown.push_str(user);
                    shown.push(':');
                    shown.push_str(MASK);
                }
                // A key for a user: nobody else signs in without a password.
                _ if !user_info.is_empty() => shown.push_str(MASK),
                _ => {}
            }
            rest = host;
        }
    }
    shown.push_str(rest);
    shown
}

/// Whether what stands behind the colon is no port, as a password is none.
fn has_no_port(host: Option<&str>) -> bool {
    host.and_then(|host| host.rsplit_once(':'))
        .is_some_and(|(_, port)| port.contains(|sign: char| !sign.is_ascii_digit() && sign != ']'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_secret_is_masked_whole_in_either_order() {
        for secrets in [["abc", "abcdef"], ["abcdef", "abc"]] {
            let shown = without_secrets("password=abc token=abcdef", secrets);
            assert_eq!(shown, "password=*** token=***");
        }
        assert_eq!(without_secrets("xabcdefx", ["abcd", "cdef"]), "x***x");
        assert_eq!(without_secrets("xabababx", ["abab"]), "x***x");
        assert_eq!(without_secrets("a*b", ["*", "**"]), "a***b");
        assert_eq!(without_secrets("grüüüße", ["üü"]), "gr***ße");
    }

    #[test]
    fn a_secret_is_found_in_each_form_that_a_url_gives_it() {
        for text in ["q=x y/z", "q=x+y%2Fz", "q=x%20y%2Fz", "q=x%20y/z"] {
            assert_eq!(without_secrets(text, ["x y/z"]), "q=***", "{text}");
        }
        assert_eq!(
            without_secrets(r#"it is "a\"b""#, ["a\"b"]),
            r#"it is "***""#
        );
    }

    #[test]
    fn a_setting_shows_no_credentials() {
        for (text, shown) in [
            ("http://h/?api_key=K&page=2", "http://h/?api_key=***&page=2"),
            ("http://h/?a=1&Token=K#x", "http://h/?a=1&Token=***#x"),
            ("http://h/#access_token=K", "http://h/#access_token=***"),
            ("/login?password=K", "/login?password=***"),
            ("http://h/?api%5Fkey=K", "http://h/?api%5Fkey=***"),
            ("https://sk_live_x@h/", "https://***@h/"),
            ("https://sk_live_x:@h/", "https://***@h/"),
            ("https://joe:pass@h/a@b", "https://joe:***@h/a@b"),
            ("https://joe:pa@ss@h", "https://joe:***@h"),
            ("pg://joe:pa/ss@h:5432/db", "pg://joe:***@h:5432/db"),
            ("pg://joe:pass@a:1,b:2/db", "pg://joe:***@a:1,b:2/db"),
            ("nats://a:b@x,nats://c:d@y", "nats://a:***@x,nats://c:***@y"),
            (
                "host=db password=K user=joe",
                "host=db password=*** user=joe",
            ),
        ] {
            assert_eq!(without_credentials(text), shown);
        }
    }

    #[test]
    fn what_has_no_secret_is_left_as_it_is() {
        for text in [
            "",
            " two  words\n",
            "joe@shop.test",
            "http://h:80/@joe",
            "http://[::1]:80/@joe?x=1",
            "what?",
            "a://b://c",
            "1.5",
        ] {
            assert_eq!(without_credentials(text), text);
        }
    }
}
