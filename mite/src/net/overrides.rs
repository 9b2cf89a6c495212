//! Addresses given by hand in place of a lookup.

use std::{cell::Cell, net::IpAddr};

/// Reads `host:port:address[,address…]`, the syntax of `curl --resolve`.
///
/// A host or address of IPv6 may be in brackets; the host must be. The host `*` is any.
pub(crate) fn resolve_entry(text: &str) -> Result<Override, String> {
    parse(text).map_err(|mistake| {
        format!(
            "cannot read the resolve entry `{text}`: {mistake}; \
             write host:port:address, such as shop.test:443:10.0.0.7 or *:80:[::1],10.0.0.7"
        )
    })
}

/// The addresses of one host, or of any, at one port.
#[derive(Debug)]
pub(crate) struct Override {
    /// In lower case; `None` is any.
    host: Option<String>,
    port: u16,
    addresses: Vec<IpAddr>,
    turn: Cell<usize>,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Overrides(Vec<Override>);

impl Overrides {
    pub(super) fn new(entries: Vec<Override>) -> Self {
        Self(entries)
    }

    /// The addresses to use for a host, and whose turn it is.
    pub(super) fn find(&self, host: &str, port: u16) -> Option<(&[IpAddr], usize)> {
        let latest = |wanted: Option<&str>| {
            let mut entries = self.0.iter().rev();
            entries.find(|entry| entry.port == port && entry.host.as_deref() == wanted)
        };
        let entry = latest(Some(host)).or_else(|| latest(None))?;
        let turn = entry.turn.get();
        entry.turn.set(turn.wrapping_add(1));
        Some((&entry.addresses, turn))
    }
}

fn parse(text: &str) -> Result<Override, String> {
    if text.starts_with(['+', '-']) {
        return Err(
            "entries with a leading + or - (to expire, to remove) are not known".to_owned(),
        );
    }
    let (host, rest) = if let Some(bracketed) = text.strip_prefix('[') {
        bracketed
            .split_once("]:")
            .ok_or("the host has no `]:` after it")?
    } else {
        text.split_once(':')
            .ok_or("the port and the address are missing")?
    };
    if host.is_empty() {
        return Err("the host is missing".to_owned());
    }
    let (port, addresses) = rest.split_once(':').ok_or("the address is missing")?;
    let port = match port.parse() {
        Ok(0) | Err(_) => return Err(format!("`{port}` is no port from 1 to 65535")),
        Ok(port) => port,
    };
    let addresses = addresses.split(',').map(address);
    Ok(Override {
        host: (host != "*").then(|| host.to_ascii_lowercase()),
        port,
        addresses: addresses.collect::<Result<_, _>>()?,
        turn: Cell::new(0),
    })
}

fn address(text: &str) -> Result<IpAddr, String> {
    let text = text.trim();
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    bare.parse()
        .map_err(|_| format!("`{text}` is no IPv4 or IPv6 address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(entries: &[&str], host: &str, port: u16) -> Option<(Vec<String>, usize)> {
        let entries = entries.iter().map(|entry| resolve_entry(entry).unwrap());
        let overrides = Overrides::new(entries.collect());
        let (addresses, turn) = overrides.find(host, port)?;
        Some((addresses.iter().map(IpAddr::to_string).collect(), turn))
    }

    #[test]
    fn an_entry_holds_for_its_host_and_port_only() {
        let entries = ["Shop.test:443:10.0.0.7,[::1],fd00::2", "[fd00::9]:80:[::1]"];
        let addresses = ["10.0.0.7", "::1", "fd00::2"].map(str::to_owned);
        assert_eq!(
            found(&entries, "shop.test", 443),
            Some((addresses.into(), 0))
        );
        assert_eq!(found(&entries, "shop.test", 80), None);
        assert_eq!(found(&entries, "www.shop.test", 443), None);
        assert!(found(&entries, "fd00::9", 80).is_some());
    }

    #[test]
    fn the_latest_entry_counts_and_a_star_comes_last() {
        let entries = ["a.test:80:10.0.0.1", "a.test:80:10.0.0.2", "*:80:10.0.0.3"];
        assert_eq!(found(&entries, "a.test", 80).unwrap().0, ["10.0.0.2"]);
        assert_eq!(found(&entries, "b.test", 80).unwrap().0, ["10.0.0.3"]);
        assert_eq!(found(&entries, "b.test", 81), None);
    }

    #[test]
    fn what_cannot_be_read_is_told_with_an_example() {
        for (entry, mistake) in [
            ("shop.test", "the port and the address are missing"),
            ("shop.test:443", "the address is missing"),
            (":443:10.0.0.7", "the host is missing"),
            ("shop.test:https:10.0.0.7", "`https` is no port"),
            ("shop.test:0:10.0.0.7", "`0` is no port"),
            ("shop.test:443:", "`` is no IPv4 or IPv6 address"),
            ("shop.test:443:10.0.0.7,other", "`other` is no IPv4"),
            ("[::1:443:10.0.0.7", "no `]:`"),
            ("-shop.test:443", "leading + or -"),
        ] {
            let message = resolve_entry(entry).unwrap_err();
            assert!(message.contains(mistake), "{message}");
            assert!(message.contains("shop.test:443:10.0.0.7"), "{message}");
        }
    }
}
