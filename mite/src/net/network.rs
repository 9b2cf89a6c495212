//! How TCP connections are made: names, addresses, limits.

use std::{
    net::{IpAddr, UdpSocket},
    os::unix::net::SocketAddr as UnixAddress,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::overrides::{Overrides, resolve_entry};

/// How connections are made below TLS: which address a name means, from where, how long to wait.
///
/// ```
/// use std::time::Duration;
/// use mite::http::{AddressFamily, Network};
///
/// let network = Network::new()
///     .resolve("shop.test:443:10.0.0.7,10.0.0.8")
///     .dns_ttl(Duration::from_secs(10))
///     .address_family(AddressFamily::PreferIpv4)
///     .connect_timeout(Duration::from_secs(2));
/// ```
///
/// # Defaults
///
/// Names are looked up by the system and remembered for 60 s. All addresses of a name are used in
/// turn, one for each new connection. When one fails the next of its family is tried, then the
/// other family; the other family is tried at the same time once 250 ms went by without a
/// connection (RFC 8305). Nothing is tried twice, and only the timeout of the request ends the
/// waiting. `TCP_NODELAY` is always on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[must_use]
pub struct Network {
    resolve: Vec<String>,
    dns_ttl: Duration,
    address_family: AddressFamily,
    source_addresses: Vec<IpAddr>,
    unix_socket: Option<PathBuf>,
    connect_timeout: Option<Duration>,
    connect_retries: u32,
}

/// Which addresses of a name are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddressFamily {
    /// Both families, first that of the address the system names first (RFC 6724).
    #[default]
    Any,
    /// Both families, IPv4 first.
    PreferIpv4,
    /// Both families, IPv6 first.
    PreferIpv6,
    /// IPv4 only.
    Ipv4Only,
    /// IPv6 only.
    Ipv6Only,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            resolve: Vec::new(),
            dns_ttl: Duration::from_secs(60),
            address_family: AddressFamily::Any,
            source_addresses: Vec::new(),
            unix_socket: None,
            connect_timeout: None,
            connect_retries: 0,
        }
    }
}

impl Network {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says which addresses a host has, in place of a lookup: `host:port:address[,address…]`, as
    /// `curl --resolve` has it.
    ///
    /// The host may be `*` for every host that has no entry of its own. Several addresses are used
    /// in turn. May be called repeatedly; of two entries for the same host and port the later one
    /// counts. [`address_family`](Network::address_family) does not apply. An entry that cannot be
    /// read is an error before the run starts.
    pub fn resolve(mut self, entry: impl Into<String>) -> Self {
        self.resolve.push(entry.into());
        self
    }

    /// How long the addresses of a name are remembered by a worker; 60 s unless set.
    ///
    /// The system's resolver does not tell how long an answer holds, so it is not looked at. With
    /// zero every new connection looks the name up. A lookup that failed is not remembered.
    pub fn dns_ttl(mut self, ttl: Duration) -> Self {
        self.dns_ttl = ttl;
        self
    }

    /// Which addresses of a name are used; [`AddressFamily::Any`] unless set.
    ///
    /// A URL that has an address in place of a name goes there whatever its family.
    pub fn address_family(mut self, family: AddressFamily) -> Self {
        self.address_family = family;
        self
    }

    /// The addresses of this machine that connections come from, used in turn; the system chooses
    /// unless set.
    ///
    /// One address has some 28,000 ports (`net.ipv4.ip_local_port_range`) for connections to the
    /// same address and port: several are needed where more connections are open or have lately
    /// been closed. On Linux the port is chosen when the connection is made
    /// (`IP_BIND_ADDRESS_NO_PORT`), so that the same port serves for different servers. Servers in
    /// a family without a source address cannot be reached.
    pub fn source_addresses(mut self, addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        self.source_addresses = addresses.into_iter().collect();
        self
    }

    /// The Unix socket that every connection goes to, whatever the host of the URL.
    ///
    /// The URL still says whether there is TLS, for which name, and what the `host` header is. No
    /// proxy is used.
    pub fn unix_socket(mut self, path: impl Into<PathBuf>) -> Self {
        self.unix_socket = Some(path.into());
        self
    }

    /// How long making a connection may take, from the lookup of the name to the end of the TLS
    /// handshake, proxy and retries included, as with `curl --connect-timeout`; no limit of its own
    /// unless set, only the timeout of the request.
    ///
    /// Where several addresses of one family are left to try, each gets its share of the time, but
    /// no less than 2 s.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = Some(limit);
        self
    }

    /// How often opening a TCP connection is tried again after all addresses failed; 0 unless set.
    ///
    /// The first time after 100 ms, then after twice as long each time, up to 2 s. The waiting is
    /// part of the time of the `connect` phase.
    pub fn connect_retries(mut self, retries: u32) -> Self {
        self.connect_retries = retries;
        self
    }

    /// What is wrong with these settings on this machine.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.overrides()?;
        if self.connect_timeout.is_some_and(|limit| limit.is_zero()) {
            return Err("a connect_timeout of zero allows no connection; \
                        leave it out to have no limit"
                .to_owned());
        }
        for address in &self.source_addresses {
            UdpSocket::bind((*address, 0)).map_err(|error| {
                format!(
                    "the source address {address} cannot be used: {error}; \
                     it must be an address of this machine (see `ip address`)"
                )
            })?;
        }
        let family = self.address_family;
        if !self.source_addresses.is_empty()
            && !self
                .source_addresses
                .iter()
                .any(|source| family.allows(*source))
        {
            return Err(format!(
                "none of the source addresses is {}, and no other addresses are to be used",
                if family == AddressFamily::Ipv4Only {
                    "IPv4"
                } else {
                    "IPv6"
                },
            ));
        }
        self.unix_socket
            .as_deref()
            .map_or(Ok(()), check_unix_socket)
    }

    /// The entries of [`resolve`](Network::resolve).
    pub(super) fn overrides(&self) -> Result<Overrides, String> {
        let entries = self.resolve.iter().map(|entry| resolve_entry(entry));
        entries.collect::<Result<Vec<_>, _>>().map(Overrides::new)
    }

    pub(super) fn ttl(&self) -> Duration {
        self.dns_ttl
    }

    pub(super) fn family(&self) -> AddressFamily {
        self.address_family
    }

    pub(super) fn sources(&self) -> &[IpAddr] {
        &self.source_addresses
    }

    pub(super) fn socket_path(&self) -> Option<&Path> {
        self.unix_socket.as_deref()
    }

    pub(super) fn time_limit(&self) -> Option<Duration> {
        self.connect_timeout
    }

    pub(super) fn retries(&self) -> u32 {
        self.connect_retries
    }
}

impl AddressFamily {
    pub(super) fn allows(self, address: IpAddr) -> bool {
        match self {
            AddressFamily::Any | AddressFamily::PreferIpv4 | AddressFamily::PreferIpv6 => true,
            AddressFamily::Ipv4Only => address.is_ipv4(),
            AddressFamily::Ipv6Only => address.is_ipv6(),
        }
    }
}

/// A socket that is not there yet may be there when the run starts; a bad path stays one.
fn check_unix_socket(path: &Path) -> Result<(), String> {
    UnixAddress::from_pathname(path)
        .map(drop)
        .map_err(|error| format!("the Unix socket {} cannot be used: {error}", path.display()))
}
