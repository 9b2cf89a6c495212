//! Which proxy, if any, a connection goes through.

mod environment;
mod exceptions;
mod server;
mod socks;
mod tunnel;

use std::{fmt, net::IpAddr, rc::Rc};

use serde::{Deserialize, Serialize};

use self::{environment::Environment, exceptions::Exceptions};

pub(super) use self::{
    server::{ProxyServer, Scheme},
    socks::{LONGEST_NAME, socks},
    tunnel::tunnel,
};

/// Which proxy connections go through.
///
/// ```
/// use mite::http::Proxy;
///
/// let all = Proxy::all("http://user:password@proxy.test:3128").no_proxy("localhost,.internal");
/// let secure_only = Proxy::none().https("socks5h://127.0.0.1:1080");
/// ```
///
/// A proxy is written as a URL:
///
/// | scheme | |
/// |---|---|
/// | `http://`, or none | an HTTP proxy: forwards `http`, opens tunnels (`CONNECT`) for `https` |
/// | `socks5://` | a SOCKS 5 proxy (RFC 1928) that is given addresses: names are looked up here |
/// | `socks5h://` | a SOCKS 5 proxy that is given names and looks them up itself |
///
/// A user and a password (percent-encoded) may stand before the host; the port is 1080 unless
/// given, as with curl. Proxies that are themselves spoken to over TLS (`https://`), and SOCKS 4,
/// are not supported.
///
/// # Defaults
///
/// [`from_env`](Proxy::from_env).
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[must_use]
pub struct Proxy {
    /// Whether the environment says what is not said here.
    from_env: bool,
    http: Option<String>,
    https: Option<String>,
    no_proxy: Option<String>,
}

impl Default for Proxy {
    fn default() -> Self {
        Self::from_env()
    }
}

impl Proxy {
    /// The proxies that the environment names, on each machine its own; what is used unless set.
    ///
    /// As curl reads them: `http_proxy`, `https_proxy`, and `all_proxy` for what these leave open,
    /// but for the hosts in `no_proxy`; all of them in lower or in upper case, the lower first.
    /// `HTTP_PROXY` is not read where `REQUEST_METHOD` is set, since there a client may have set it
    /// (CGI). Connections to `localhost` and to loopback addresses never go through a proxy of the
    /// environment.
    pub fn from_env() -> Self {
        Self {
            from_env: true,
            ..Self::none()
        }
    }

    /// No proxy, whatever the environment says.
    pub fn none() -> Self {
        Self {
            from_env: false,
            http: None,
            https: None,
            no_proxy: None,
        }
    }

    /// This proxy for everything, the local machine included; the environment is not read.
    pub fn all(url: impl Into<String>) -> Self {
        let url = url.into();
        Self {
            http: Some(url.clone()),
            https: Some(url),
            ..Self::none()
        }
    }

    /// This proxy for `http` URLs only; the environment is not read.
    pub fn http(url: impl Into<String>) -> Self {
        Self {
            http: Some(url.into()),
            ..Self::none()
        }
    }

    /// This proxy for `https` URLs, and for the others what was said before.
    pub fn https(mut self, url: impl Into<String>) -> Self {
        self.https = Some(url.into());
        self
    }

    /// The hosts that are connected to without a proxy, separated by commas, in place of those that
    /// the environment names.
    ///
    /// A name (`shop.test`, or `.shop.test` for the same) stands for itself and all names below it,
    /// an address for itself, `10.0.0.0/8` for a network, and `*` for everything.
    pub fn no_proxy(mut self, hosts: impl Into<String>) -> Self {
        self.no_proxy = Some(hosts.into());
        self
    }

    /// What is wrong with these settings on this machine.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.servers().map(drop)
    }

    /// The proxies meant, with those of this machine's environment.
    pub(super) fn servers(&self) -> Result<Proxies, String> {
        self.servers_in(&Environment::of_process())
    }

    fn servers_in(&self, environment: &Environment<'_>) -> Result<Proxies, String> {
        let one = |given: &Option<String>, https| -> Result<Option<Choice>, String> {
            if let Some(url) = given {
                return Ok(Some(Choice {
                    server: Rc::new(ProxyServer::parse(url)?),
                    spares_loopback: false,
                }));
            }
            let named = self.from_env.then(|| environment.proxy(https)).flatten();
            let Some((variable, url)) = named else {
                return Ok(None);
            };
            let server = ProxyServer::parse(&url)
                .map_err(|message| format!("the environment variable {variable}: {message}"))?;
            Ok(Some(Choice {
                server: Rc::new(server),
                spares_loopback: true,
            }))
        };
        let exceptions = match &self.no_proxy {
            Some(hosts) => Exceptions::parse(hosts)?,
            None if self.from_env => Exceptions::parse_what_can_be(&environment.no_proxy()),
            None => Exceptions::default(),
        };
        Ok(Proxies {
            http: one(&self.http, false)?,
            https: one(&self.https, true)?,
            exceptions,
        })
    }
}

/// The proxies for each kind of URL.
#[derive(Debug)]
pub(super) struct Proxies {
    http: Option<Choice>,
    https: Option<Choice>,
    exceptions: Exceptions,
}

#[derive(Debug)]
struct Choice {
    server: Rc<ProxyServer>,
    spares_loopback: bool,
}

impl Proxies {
    /// The proxy for a host.
    pub(super) fn choose(&self, https: bool, host: &str) -> Option<Rc<ProxyServer>> {
        let choice = if https { &self.https } else { &self.http };
        let choice = choice.as_ref()?;
        let direct = choice.spares_loopback && is_loopback(host) || self.exceptions.include(host);
        (!direct).then(|| Rc::clone(&choice.server))
    }
}

fn is_loopback(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Proxy")
            .field("from_env", &self.from_env)
            .field("http", &self.http.as_deref().map(server::masked))
            .field("https", &self.https.as_deref().map(server::masked))
            .field("no_proxy", &self.no_proxy)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(
        proxy: &Proxy,
        variables: &[(&str, &str)],
        https: bool,
        host: &str,
    ) -> Option<String> {
        let read = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let proxies = proxy.servers_in(&Environment::new(&read)).unwrap();
        proxies.choose(https, host).map(|server| server.to_string())
    }

    #[test]
    fn the_environment_is_read_as_curl_does() {
        let from_env =
            |variables: &[_], https| chosen(&Proxy::from_env(), variables, https, "shop.test");
        let all = ("ALL_PROXY", "all.test:1");
        assert_eq!(from_env(&[], false), None);
        for https in [false, true] {
            assert_eq!(from_env(&[all], https).unwrap(), "http://all.test:1");
        }
        let both = [("http_proxy", "low.test"), ("HTTP_PROXY", "up.test"), all];
        assert_eq!(from_env(&both, false).unwrap(), "http://low.test:1080");
        assert_eq!(from_env(&both, true).unwrap(), "http://all.test:1");
        assert_eq!(
            from_env(&[("http_proxy", ""), all], false).unwrap(),
            "http://all.test:1"
        );
        let upper = ("HTTP_PROXY", "up.test");
        assert_eq!(from_env(&[upper], false).unwrap(), "http://up.test:1080");
        assert_eq!(from_env(&[upper, ("REQUEST_METHOD", "GET")], false), None);
        assert_eq!(from_env(&[all, ("NO_PROXY", "shop.test")], false), None);
    }

    #[test]
    fn a_proxy_of_the_environment_is_not_for_this_machine_and_a_given_one_is() {
        let variables = [("all_proxy", "proxy.test")];
        for host in ["localhost", "127.0.0.9", "::1"] {
            assert_eq!(chosen(&Proxy::from_env(), &variables, true, host), None);
            assert!(chosen(&Proxy::all("proxy.test"), &[], true, host).is_some());
        }
        assert!(chosen(&Proxy::from_env(), &variables, true, "10.0.0.1").is_some());
    }

    #[test]
    fn what_is_given_goes_before_the_environment() {
        let variables = [("all_proxy", "env.test"), ("no_proxy", "b.test")];
        let proxy = Proxy::from_env().https("given.test").no_proxy("a.test");
        assert_eq!(chosen(&proxy, &variables, true, "a.test"), None);
        assert_eq!(
            chosen(&proxy, &variables, true, "b.test").unwrap(),
            "http://given.test:1080"
        );
        assert_eq!(
            chosen(&proxy, &variables, false, "b.test").unwrap(),
            "http://env.test:1080"
        );
        for proxy in [Proxy::none(), Proxy::http("given.test").no_proxy("*")] {
            assert_eq!(chosen(&proxy, &variables, false, "c.test"), None);
        }
        assert_eq!(
            chosen(&Proxy::http("given.test"), &variables, true, "c.test"),
            None
        );
    }

    #[test]
    fn a_variable_that_makes_no_sense_is_named() {
        let read = |name: &str| (name == "https_proxy").then(|| "ftp://proxy.test".to_owned());
        let error = Proxy::from_env()
            .servers_in(&Environment::new(&read))
            .unwrap_err();
        assert!(
            error.starts_with("the environment variable https_proxy: "),
            "{error}"
        );
    }

    #[test]
    fn passwords_are_not_shown() {
        let proxy = Proxy::all("http://user:secret@proxy.test").https("user:secret@[bad");
        let shown = format!("{proxy:?} {}", proxy.check().unwrap_err());
        assert!(!shown.contains("secret"), "{shown}");
        assert!(shown.contains("http://user:***@proxy.test"), "{shown}");
    }

    #[test]
    fn the_environment_is_not_sent_along_but_read_where_it_counts() {
        let sent = serde_json::to_string(&Proxy::default()).unwrap();
        assert_eq!(
            sent,
            r#"{"from_env":true,"http":null,"https":null,"no_proxy":null}"#
        );
        let given = Proxy::all("http://user:secret@proxy.test").no_proxy("a.test");
        let sent = serde_json::to_string(&given).unwrap();
        assert_eq!(serde_json::from_str::<Proxy>(&sent).unwrap(), given);
    }
}
