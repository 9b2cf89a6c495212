//! Who may look, and who may change something.
//!
//! On a loopback address everybody on this machine may do either; what is kept out are web pages
//! of others that a browser on this machine shows: those that reach the port under a name of their
//! own (DNS rebinding) by the `Host`, those that send to it across origins by the `Origin`. On any
//! other address whoever changes something needs a token, which no page of others can know.

use std::net::{IpAddr, SocketAddr};

use http::{
    HeaderMap, StatusCode,
    header::{AUTHORIZATION, HOST, HeaderName, ORIGIN},
    uri::Authority,
};

use super::Token;

/// Holds requests against where the server listens and what it was told.
pub(super) struct Guard {
    is_loopback: bool,
    token: Option<Token>,
}

/// Why a request is refused.
pub(super) type Refused = (StatusCode, &'static str);

impl Guard {
    pub(super) fn new(at: SocketAddr, token: Option<Token>) -> Self {
        Self {
            is_loopback: at.ip().is_loopback(),
            token,
        }
    }

    /// Lets a request see what there is, or says why not.
    ///
    /// # Errors
    /// When it comes under a name that is not this machine's.
    pub(super) fn check_looking(&self, headers: &HeaderMap) -> Result<(), Refused> {
        if self.is_loopback && !host(headers).as_ref().is_some_and(is_local) {
            return Err((
                StatusCode::FORBIDDEN,
                "the Host has to be localhost or a loopback address, since this server is for this \
                 machine only",
            ));
        }
        Ok(())
    }

    /// Lets a request change the run as well, or says why not.
    ///
    /// # Errors
    /// When it comes from the page of others, or without the token.
    pub(super) fn check_changing(&self, headers: &HeaderMap) -> Result<(), Refused> {
        check_origin(headers)?;
        self.check_token(headers)
    }

    fn check_token(&self, headers: &HeaderMap) -> Result<(), Refused> {
        let Some(token) = &self.token else {
            if self.is_loopback {
                return Ok(());
            }
            return Err((
                StatusCode::FORBIDDEN,
                "nothing can be changed, since the run was given no token; start it with \
                 --metrics-token",
            ));
        };
        let given = text(headers, &AUTHORIZATION).and_then(bearer);
        if given.is_some_and(|given| token.is(given)) {
            return Ok(());
        }
        Err((
            StatusCode::UNAUTHORIZED,
            "send the token of this run as \"Authorization: Bearer TOKEN\"",
        ))
    }
}

fn check_origin(headers: &HeaderMap) -> Result<(), Refused> {
    let site = text(headers, &HeaderName::from_static("sec-fetch-site"));
    let foreign_site = site.is_some_and(|site| site == "cross-site" || site == "same-site");
    let foreign_origin = headers.contains_key(ORIGIN)
        && !text(headers, &ORIGIN)
            .and_then(|origin| origin.split_once("://"))
            .zip(host(headers))
            .is_some_and(|((_, origin), host)| origin.eq_ignore_ascii_case(host.as_str()));
    if foreign_site || foreign_origin {
        return Err((
            StatusCode::FORBIDDEN,
            "the Origin is another than this server; only its own page and programs may change \
             the run",
        ));
    }
    Ok(())
}

fn host(headers: &HeaderMap) -> Option<Authority> {
    text(headers, &HOST).and_then(|host| host.parse().ok())
}

/// The only value of a header.
fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    values.next().is_none().then(|| value.to_str().ok())?
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn is_local(authority: &Authority) -> bool {
    let host = authority.host();
    let address = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    host.eq_ignore_ascii_case("localhost")
        || address
            .unwrap_or(host)
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "a-token-of-ours-1";

    /// Whether a request may look, and whether it may change the run.
    fn checked(
        at: &str,
        token: bool,
        headers: &[(&'static str, &str)],
    ) -> [Result<(), StatusCode>; 2] {
        let token = token.then(|| Token::given(TOKEN).unwrap());
        let guard = Guard::new(at.parse().unwrap(), token);
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let looks = guard.check_looking(&map);
        let changes = looks.and_then(|()| guard.check_changing(&map));
        [looks, changes].map(|checked| checked.map_err(|(status, _)| status))
    }

    fn looks(at: &str, token: bool, headers: &[(&'static str, &str)]) -> Result<(), StatusCode> {
        checked(at, token, headers)[0]
    }

    fn changes(at: &str, token: bool, headers: &[(&'static str, &str)]) -> Result<(), StatusCode> {
        checked(at, token, headers)[1]
    }

    const HERE: &str = "127.0.0.1:9301";
    const OUTSIDE: &str = "192.0.2.1:9301";
    const FORBIDDEN: Result<(), StatusCode> = Err(StatusCode::FORBIDDEN);
    const UNAUTHORIZED: Result<(), StatusCode> = Err(StatusCode::UNAUTHORIZED);

    #[test]
    fn a_name_that_somebody_points_at_this_machine_is_refused() {
        for host in [
            "localhost:9301",
            "127.0.0.1:9301",
            "[::1]:9301",
            "127.1.2.3",
            "LOCALHOST",
        ] {
            assert_eq!(looks(HERE, false, &[("host", host)]), Ok(()), "{host}");
        }
        for host in [
            "evil.example:9301",
            "localhost.evil.example",
            "192.0.2.1",
            "",
        ] {
            assert_eq!(looks(HERE, false, &[("host", host)]), FORBIDDEN, "{host}");
        }
        let two = [("host", "localhost"), ("host", "evil.example")];
        assert_eq!(looks(HERE, false, &two), FORBIDDEN);
        assert_eq!(looks(HERE, false, &[]), FORBIDDEN);
        let name = [("host", "load.example:9301")];
        assert_eq!(looks(OUTSIDE, true, &name), Ok(()));
    }

    #[test]
    fn pages_of_others_change_nothing() {
        let host = ("host", "localhost:9301");
        for origin in ["http://localhost:9301", "http://LOCALHOST:9301"] {
            let own = [host, ("origin", origin)];
            assert_eq!(changes(HERE, false, &own), Ok(()));
        }
        for origin in ["http://evil.example", "null", "http://localhost:8080", ""] {
            let foreign = [host, ("origin", origin)];
            assert_eq!(changes(HERE, false, &foreign), FORBIDDEN, "{origin}");
        }
        let foreign = [host, ("sec-fetch-site", "cross-site")];
        assert_eq!(changes(HERE, false, &foreign), FORBIDDEN);
        assert_eq!(changes(HERE, false, &[host]), Ok(()), "curl");
    }

    #[test]
    fn from_other_machines_only_the_token_changes_anything() {
        let host = ("host", "load.example:9301");
        let right = format!("Bearer {TOKEN}");
        let post = |token, headers: &[_]| changes(OUTSIDE, token, headers);
        assert_eq!(post(true, &[host, ("authorization", &right)]), Ok(()));
        assert_eq!(post(true, &[host]), UNAUTHORIZED);
        for wrong in [
            "Bearer a-token-of-ours-2",
            "Basic a-token-of-ours-1",
            TOKEN,
            "Bearer",
        ] {
            assert_eq!(
                post(true, &[host, ("authorization", wrong)]),
                UNAUTHORIZED,
                "{wrong}"
            );
        }
        assert_eq!(post(false, &[host, ("authorization", &right)]), FORBIDDEN);
        let foreign = [
            host,
            ("authorization", right.as_str()),
            ("origin", "http://evil.example"),
        ];
        assert_eq!(post(true, &foreign), FORBIDDEN);
    }

    #[test]
    fn a_token_that_was_given_is_needed_on_this_machine_too() {
        let host = ("host", HERE);
        assert_eq!(changes(HERE, true, &[host]), UNAUTHORIZED);
        assert_eq!(looks(HERE, true, &[host]), Ok(()));
    }
}
