//! Where to listen, as it is written on the command line.

use std::{
    net::{Ipv4Addr, SocketAddr},
    str::FromStr,
};

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

#[cfg(test)]
mod tests {
    use super::*;

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
