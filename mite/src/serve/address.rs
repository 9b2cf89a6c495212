//! Where to listen, as it is written on the command line, and where a browser finds that.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket},
    str::FromStr,
};

use socket2::SockRef;

use super::ServeError;

/// An address and a port; a port alone is one of this machine only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address(pub(crate) SocketAddr);

/// The address of a port that is given alone.
const LOOPBACK_ONLY: Ipv4Addr = Ipv4Addr::LOCALHOST;

impl FromStr for Address {
    type Err = ServeError;

    fn from_str(text: &str) -> Result<Self, ServeError> {
        let text = text.trim();
        if let Ok(address) = text.parse() {
            return Ok(Self(address));
        }
        let port = text.strip_prefix("localhost:").unwrap_or(text);
        match port.parse() {
            Ok(port) => Ok(Self((LOOPBACK_ONLY, port).into())),
            Err(_) => Err(ServeError::Address(text.to_owned())),
        }
    }
}

/// Where a browser finds a listener: a server on all addresses has none that leads to it from
/// another machine, so one of this machine's own stands for all of them.
pub(super) fn to_open(listener: &TcpListener, at: SocketAddr) -> SocketAddr {
    let takes_version_4 = at.is_ipv4() || SockRef::from(listener).only_v6().is_ok_and(|only| !only);
    SocketAddr::new(instead_of(at.ip(), takes_version_4, outgoing), at.port())
}

/// An address that can be opened, for one that may stand for all.
fn instead_of(
    listens_on: IpAddr,
    takes_version_4: bool,
    outgoing: impl Fn(SocketAddr) -> Option<IpAddr>,
) -> IpAddr {
    if !listens_on.is_unspecified() {
        return listens_on;
    }
    let by_version_6 = || outgoing(SOMEWHERE_6).filter(|_| listens_on.is_ipv6());
    let by_version_4 = || outgoing(SOMEWHERE_4).filter(|_| takes_version_4);
    by_version_6()
        .or_else(by_version_4)
        .unwrap_or(match listens_on {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        })
}

/// Places in the networks that nobody has (RFC 5737, RFC 3849), so the default route leads there.
const SOMEWHERE_4: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 9);
const SOMEWHERE_6: SocketAddr = SocketAddr::new(
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
    9,
);

/// The address this machine would send from. Nothing is sent: to connect a datagram socket is to
/// choose a route.
fn outgoing(to: SocketAddr) -> Option<IpAddr> {
    let any: IpAddr = match to {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(to).ok()?;
    let from = socket.local_addr().ok()?.ip();
    (!from.is_unspecified()).then_some(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE_4: &str = "198.51.100.7";
    const HERE_6: &str = "2001:db8:7::7";

    /// What is shown on a machine that has these addresses.
    fn shown(listens_on: &str, takes_version_4: bool, has: &[&str]) -> String {
        let outgoing = |to: SocketAddr| {
            let mut addresses = has.iter().map(|text| text.parse::<IpAddr>().unwrap());
            addresses.find(|address| address.is_ipv4() == to.is_ipv4())
        };
        instead_of(listens_on.parse().unwrap(), takes_version_4, outgoing).to_string()
    }

    #[test]
    fn a_server_on_all_addresses_is_shown_with_one_that_can_be_opened() {
        let both = [HERE_4, HERE_6];
        assert_eq!(shown("0.0.0.0", true, &both), HERE_4);
        assert_eq!(shown("::", true, &both), HERE_6);
        assert_eq!(shown("::", true, &[HERE_4]), HERE_4);
        assert_eq!(shown("::", false, &[HERE_4]), "::1");
        assert_eq!(shown("0.0.0.0", true, &[HERE_6]), "127.0.0.1");
        assert_eq!(shown("::", true, &[]), "::1");
    }

    #[test]
    fn a_server_on_one_address_is_shown_with_that_one() {
        for address in ["127.0.0.1", "::1", "192.0.2.9"] {
            assert_eq!(shown(address, true, &[HERE_4, HERE_6]), address);
        }
    }

    #[test]
    fn what_is_shown_for_all_addresses_leads_to_the_listener() {
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let at = to_open(&listener, listener.local_addr().unwrap());
        assert!(!at.ip().is_unspecified(), "{at}");
        std::net::TcpStream::connect(at).unwrap();
        assert!(listener.accept().is_ok());
    }

    #[test]
    fn a_port_alone_is_one_of_this_machine_only() {
        for (text, address) in [
            ("9301", "127.0.0.1:9301"),
            ("localhost:9301", "127.0.0.1:9301"),
            ("0.0.0.0:80", "0.0.0.0:80"),
            ("[::1]:0", "[::1]:0"),
        ] {
            let read: Address = text.parse().unwrap();
            assert_eq!(read.0.to_string(), address);
        }
    }

    #[test]
    fn anything_else_is_refused_with_what_would_be_right() {
        for text in [
            "",
            "metrics",
            "example.org:9301",
            "127.0.0.1",
            "99999",
            ":9301",
        ] {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains("127.0.0.1:9301"), "{error}");
        }
    }
}
