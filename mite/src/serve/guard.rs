//! Who may look, and who may change something.
//!
//! On a loopback address everybody on this machine may do either; what is kept out are web pages
//! of others that a browser on this machine shows: those that reach the port under a name of their
//! own (DNS rebinding) by the `Host`, those that send to it across origins by the `Origin`. On any
//! other address whoever changes something needs a token, which no page of others can know.

use std::net::{IpAddr, SocketAddr};

use http::{
    HeaderMap, Method, StatusCode,
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

    /// Lets a request pass, or says why not.
    ///
    /// # Errors
    /// When it must not see or do what it asks for.
    pub(super) fn check(&self, method: &Method, headers: &HeaderMap) -> Result<(), Refused> {
        let host = text(headers, &HOST).and_then(|host| host.parse::<Authority>().ok());
        if self.is_loopback && !host.as_ref().is_some_and(is_local) {
            return Err((
                StatusCode::FORBIDDEN,
                "the Host has to be localhost or a loopback address, since this server is for this \
                 machine only",
            ));
        }
        if !matches!(*method, Method::GET | Method::HEAD) {
            self.check_origin(headers, host.as_ref())?;
            self.check_token(headers)?;
        }
        Ok(())
    }

    fn check_origin(&self, headers: &HeaderMap, host: Option<&Authority>) -> Result<(), Refused> {
        let site = text(headers, &HeaderName::from_static("sec-fetch-site"));
        let foreign_site = site.is_some_and(|site| site == "cross-site" || site == "same-site");
        let foreign_origin = headers.contains_key(ORIGIN)
            && !text(headers, &ORIGIN)
                .and_then(|origin| origin.split_once("://"))
                .zip(host)
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

    fn checked(
        at: &str,
        token: bool,
        method: &Method,
        headers: &[(&'static str, &str)],
    ) -> Result<(), StatusCode> {
        let token = token.then(|| Token::given(TOKEN).unwrap());
        let guard = Guard::new(at.parse().unwrap(), token);
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        guard.check(method, &map).map_err(|(status, _)| status)
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
            assert_eq!(
                checked(HERE, false, &Method::GET, &[("host", host)]),
                Ok(()),
                "{host}"
            );
        }
        for host in [
            "evil.example:9301",
            "localhost.evil.example",
            "192.0.2.1",
            "",
        ] {
            assert_eq!(
                checked(HERE, false, &Method::GET, &[("host", host)]),
                FORBIDDEN,
                "{host}"
            );
        }
        let two = [("host", "localhost"), ("host", "evil.example")];
        assert_eq!(checked(HERE, false, &Method::GET, &two), FORBIDDEN);
        assert_eq!(checked(HERE, false, &Method::GET, &[]), FORBIDDEN);
        let name = [("host", "load.example:9301")];
        assert_eq!(checked(OUTSIDE, true, &Method::GET, &name), Ok(()));
    }

    #[test]
    fn pages_of_others_change_nothing() {
        let host = ("host", "localhost:9301");
        for origin in ["http://localhost:9301", "http://LOCALHOST:9301"] {
            let own = [host, ("origin", origin)];
            assert_eq!(checked(HERE, false, &Method::POST, &own), Ok(()));
        }
        for origin in ["http://evil.example", "null", "http://localhost:8080", ""] {
            let foreign = [host, ("origin", origin)];
            assert_eq!(
                checked(HERE, false, &Method::POST, &foreign),
                FORBIDDEN,
                "{origin}"
            );
        }
        let foreign = [host, ("sec-fetch-site", "cross-site")];
        assert_eq!(checked(HERE, false, &Method::POST, &foreign), FORBIDDEN);
        assert_eq!(checked(HERE, false, &Method::POST, &[host]), Ok(()), "curl");
    }

    #[test]
    fn from_other_machines_only_the_token_changes_anything() {
        let host = ("host", "load.example:9301");
        let right = format!("Bearer {TOKEN}");
        let post = |token, headers: &[_]| checked(OUTSIDE, token, &Method::POST, headers);
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
        assert_eq!(checked(HERE, true, &Method::POST, &[host]), UNAUTHORIZED);
        assert_eq!(checked(HERE, true, &Method::GET, &[host]), Ok(()));
    }
}
