//! The URL of a proxy.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::HeaderValue;
use percent_encoding::percent_decode_str;
use url::Host;

use crate::config::MASK;

/// The port of a proxy whose URL has none.
const USUAL_PORT: u16 = 1080;

/// Where a proxy is and who we are to it. Displayed without the latter.
pub(in crate::net) struct ProxyServer {
    scheme: Scheme,
    /// IPv6 without brackets.
    host: String,
    port: u16,
    credentials: Option<Credentials>,
}

/// What a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::net) enum Scheme {
    Http,
    /// Names are looked up here.
    Socks5,
    /// Names are looked up by the proxy.
    Socks5h,
}

pub(super) struct Credentials {
    pub(super) user: Vec<u8>,
    pub(super) password: Vec<u8>,
}

impl ProxyServer {
    pub(super) fn parse(url: &str) -> Result<Self, String> {
        parse(url.trim()).map_err(|mistake| {
            format!(
                "cannot use the proxy `{}`: {mistake}; \
                 write http://host:port, socks5://host:port or socks5h://host:port",
                masked(url)
            )
        })
    }

    pub(in crate::net) fn scheme(&self) -> Scheme {
        self.scheme
    }

    pub(in crate::net) fn host(&self) -> &str {
        &self.host
    }

    pub(in crate::net) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }

    /// The header `proxy-authorization` (RFC 7617), if there is a user.
    pub(in crate::net) fn authorization(&self) -> Option<HeaderValue> {
        let Credentials { user, password } = self.credentials()?;
        let pair = [user, b":".as_slice(), password].concat();
        let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair))).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

fn parse(url: &str) -> Result<ProxyServer, String> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "http" => Scheme::Http,
        "socks5" => Scheme::Socks5,
        "socks5h" => Scheme::Socks5h,
        "https" => return Err("proxies that are spoken to over TLS are not supported".to_owned()),
        other => return Err(format!("proxies of the kind {other} are not supported")),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (user, host_and_port) = match authority.rsplit_once('@') {
        Some((user, host_and_port)) => (Some(user), host_and_port),
        None => (None, authority),
    };
    let credentials = user.map(credentials);
    if scheme != Scheme::Http {
        credentials.as_ref().map_or(Ok(()), check_length)?;
    }
    let (host, port) = match host_and_port.rsplit_once(':') {
        // A colon within brackets is one of the address.
        Some((host, port)) if !port.ends_with(']') => {
            let number = port.parse().ok().filter(|port| *port != 0);
            (host, number.ok_or_else(|| format!("`{port}` is no port"))?)
        }
        _ => (host_and_port, USUAL_PORT),
    };
    let host = match Host::parse(host) {
        Ok(Host::Domain(name)) => name,
        Ok(Host::Ipv4(address)) => address.to_string(),
        Ok(Host::Ipv6(address)) => address.to_string(),
        Err(_) if host.is_empty() => return Err("the host is missing".to_owned()),
        Err(error) => return Err(format!("`{host}` is no host ({error})")),
    };
    Ok(ProxyServer {
        scheme,
        host,
        port,
        credentials,
    })
}

fn credentials(text: &str) -> Credentials {
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    Credentials {
        user: percent_decode_str(user).collect(),
        password: percent_decode_str(password).collect(),
    }
}

/// RFC 1929 has one byte for each length.
fn check_length(credentials: &Credentials) -> Result<(), String> {
    let fits = |text: &[u8]| (1..=255).contains(&text.len());
    if fits(&credentials.user) && fits(&credentials.password) {
        Ok(())
    } else {
        Err("the user and the password of a SOCKS proxy have 1 to 255 bytes".to_owned())
    }
}

/// The URL, whatever is wrong with it, without the password.
pub(super) fn masked(url: &str) -> String {
    let Some((before, host)) = url.rsplit_once('@') else {
        return url.to_owned();
    };
    let (scheme, user) = match before.split_once("://") {
        Some((scheme, user)) => (format!("{scheme}://"), user),
        None => (String::new(), before),
    };
    match user.split_once(':') {
        Some((user, _)) => format!("{scheme}{user}:{MASK}@{host}"),
        // A token is often given as a user without a password.
        None => format!("{scheme}{MASK}@{host}"),
    }
}

impl fmt::Display for ProxyServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Socks5 => "socks5",
            Scheme::Socks5h => "socks5h",
        };
        let Self { host, port, .. } = self;
        if host.contains(':') {
            write!(formatter, "{scheme}://[{host}]:{port}")
        } else {
            write!(formatter, "{scheme}://{host}:{port}")
        }
    }
}

impl fmt::Debug for ProxyServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_read_from_its_url() {
        for (url, shown) in [
            ("proxy.test", "http://proxy.test:1080"),
            ("Proxy.test:3128", "http://proxy.test:3128"),
            ("HTTP://proxy.test:80/", "http://proxy.test:80"),
            ("socks5://127.0.0.1:9050", "socks5://127.0.0.1:9050"),
            ("socks5h://[::1]", "socks5h://[::1]:1080"),
            ("http://a:b@[::1]:8080/path", "http://[::1]:8080"),
        ] {
            assert_eq!(ProxyServer::parse(url).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn the_user_becomes_a_header_that_is_not_shown() {
        let authorization = |url| ProxyServer::parse(url).unwrap().authorization();
        assert_eq!(authorization("http://proxy.test"), None);
        let value = authorization("http://Aladdin:open%20sesame@proxy.test").unwrap();
        assert_eq!(value, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert!(!format!("{value:?}").contains("QWxh"));
        assert_eq!(
            authorization("http://Aladdin@proxy.test").unwrap(),
            "Basic QWxhZGRpbjo="
        );
    }

    #[test]
    fn what_is_no_proxy_is_told_without_the_password() {
        for (url, mistake) in [
            ("https://u:secret@proxy.test", "over TLS are not supported"),
            ("socks4://u:secret@proxy.test", "kind socks4"),
            ("http://u:secret@proxy.test:http", "`http` is no port"),
            ("http://u:secret@proxy.test:0", "`0` is no port"),
            ("http://u:secret@", "the host is missing"),
            ("u:secret@a b", "is no host"),
            ("http://u:sec@secret@[::", "is no"),
            ("http://secret@a b", "is no host"),
            ("socks5://secret@proxy.test", "1 to 255 bytes"),
        ] {
            let message = ProxyServer::parse(url).unwrap_err();
            assert!(message.contains(mistake), "{message}");
            assert!(!message.contains("secret"), "{message}");
            assert!(message.contains("socks5h://host:port"), "{message}");
        }
    }
}
