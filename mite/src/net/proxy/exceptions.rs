//! The hosts that are reached without the proxy.

use std::net::IpAddr;

/// The entries of a `no_proxy` list.
#[derive(Debug, Default)]
pub(super) struct Exceptions(Vec<Exception>);

#[derive(Debug)]
enum Exception {
    Everything,
    /// The name, in lower case, and all below it.
    Domain(String),
    /// The addresses that begin with these bits.
    Network(IpAddr, u32),
}

impl Exceptions {
    /// Reads a list, or says what is wrong with its first bad entry.
    pub(super) fn parse(list: &str) -> Result<Self, String> {
        entries(list).map(entry).collect::<Result<_, _>>().map(Self)
    }

    /// Leaves out what cannot be read, since other programs may know what it means.
    pub(super) fn parse_what_can_be(list: &str) -> Self {
        Self(entries(list).filter_map(|text| entry(text).ok()).collect())
    }

    pub(super) fn include(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        let address = host.parse().ok();
        self.0.iter().any(|exception| match (exception, address) {
            (Exception::Everything, _) => true,
            (Exception::Network(network, bits), Some(address)) => {
                leading_bits(*network, *bits) == leading_bits(address, *bits)
            }
            (Exception::Domain(domain), None) => is_within(host, domain),
            _ => false,
        })
    }
}

fn entries(list: &str) -> impl Iterator<Item = &str> {
    // curl takes spaces for commas.
    let separators = |character: char| character == ',' || character.is_whitespace();
    list.split(separators).filter(|entry| !entry.is_empty())
}

fn entry(text: &str) -> Result<Exception, String> {
    if text == "*" {
        return Ok(Exception::Everything);
    }
    let mistake = |what: &str| {
        Err(format!(
            "cannot read `{text}` of no_proxy: {what}; \
             write names, addresses and networks, such as localhost,.internal,10.0.0.0/8"
        ))
    };
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let bare = address
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(address);
    if let Ok(address) = bare.parse::<IpAddr>() {
        let longest = if address.is_ipv4() { 32 } else { 128 };
        return match bits.map_or(Ok(longest), str::parse) {
            Ok(bits) if bits <= longest => Ok(Exception::Network(address, bits)),
            _ => mistake(&format!("a network has 0 to {longest} bits")),
        };
    }
    if bits.is_some() {
        return mistake("what stands before the `/` is no address");
    }
    let name = text.strip_prefix('*').unwrap_or(text);
    let name = name.trim_matches('.');
    if name.contains([':', '*', '[', ']']) {
        return mistake("it is no name, and neither ports nor patterns are known");
    }
    Ok(Exception::Domain(name.to_ascii_lowercase()))
}

/// Whether a name is the domain's or below it.
fn is_within(host: &str, domain: &str) -> bool {
    let host = host.to_ascii_lowercase();
    host.strip_suffix(domain)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The family of an address, and its first bits.
fn leading_bits(address: IpAddr, bits: u32) -> (bool, u128) {
    match address {
        IpAddr::V4(address) => {
            let shifted = u32::from(address).checked_shr(32_u32.saturating_sub(bits));
            (true, shifted.unwrap_or(0).into())
        }
        IpAddr::V6(address) => {
            let shifted = u128::from(address).checked_shr(128_u32.saturating_sub(bits));
            (false, shifted.unwrap_or(0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_addresses_and_networks_are_exceptions() {
        let exceptions =
            Exceptions::parse("localhost, .internal,Shop.test 10.0.0.0/8,[::1],fd00::/16,*.x.test")
                .unwrap();
        for host in [
            "localhost",
            "internal",
            "a.b.internal",
            "shop.test",
            "WWW.shop.test",
            "shop.test.",
            "10.255.0.1",
            "::1",
            "fd00::9",
            "a.x.test",
        ] {
            assert!(exceptions.include(host), "{host}");
        }
        for host in [
            "myshop.test",
            "test",
            "11.0.0.1",
            "::2",
            "fd01::9",
            "0.0.0.1",
        ] {
            assert!(!exceptions.include(host), "{host}");
        }
        assert!(Exceptions::parse("*").unwrap().include("anything"));
        assert!(Exceptions::parse("0.0.0.0/0").unwrap().include("192.0.2.1"));
        assert!(!Exceptions::parse("0.0.0.0/0").unwrap().include("::1"));
        assert!(!Exceptions::parse("").unwrap().include("anything"));
    }

    #[test]
    fn an_entry_that_cannot_be_read_is_an_error_unless_it_is_the_environments() {
        for (list, mistake) in [
            ("10.0.0.0/33", "0 to 32 bits"),
            ("fd00::/129", "0 to 128 bits"),
            ("shop.test/8", "no address"),
            ("shop.test:80", "neither ports nor patterns"),
            ("a*.test", "neither ports nor patterns"),
        ] {
            let error = Exceptions::parse(list).unwrap_err();
            assert!(error.contains(mistake) && error.contains(list), "{error}");
        }
        let read = Exceptions::parse_what_can_be("a*.test,shop.test");
        assert!(read.include("shop.test"));
    }
}
