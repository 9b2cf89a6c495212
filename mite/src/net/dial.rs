//! TCP connections: which address first, from which of ours, and which next.

use std::{
    cell::Cell,
    io,
    net::{IpAddr, SocketAddr},
    pin::pin,
    time::Duration,
};

use futures_util::future::{Either, select};
use tokio::{
    net::{TcpSocket, TcpStream},
    time::{Instant, timeout, timeout_at},
};

use super::{AddressFamily, Error, Lack, network::Network};

/// How long the preferred family is alone in being tried: the "connection attempt delay" of
/// RFC 8305.
const HEAD_START: Duration = Duration::from_millis(250);

/// The least time one of several addresses gets.
const LEAST_SHARE: Duration = Duration::from_secs(2);

/// Opens connections as a [`Network`] says.
#[derive(Debug)]
pub(super) struct Dialler {
    family: AddressFamily,
    sources: Vec<IpAddr>,
    /// Whose turn it is of the source addresses.
    turn: Cell<usize>,
}

/// Where to try, in this order.
#[derive(Debug)]
pub(super) struct Candidates<'a> {
    /// The host as the user wrote it.
    host: &'a str,
    port: u16,
    preferred: Vec<IpAddr>,
    /// Those of the other family.
    others: Vec<IpAddr>,
}

/// An address that did not work.
#[derive(Debug)]
struct Failure {
    address: SocketAddr,
    error: io::Error,
}

impl Dialler {
    pub(super) fn new(network: &Network) -> Self {
        Self {
            family: network.family(),
            sources: network.sources().to_vec(),
            turn: Cell::new(0),
        }
    }

    /// The addresses of a name that may be used, beginning with the one whose turn it is.
    pub(super) fn candidates<'a>(
        &self,
        host: &'a str,
        port: u16,
        addresses: &[IpAddr],
        turn: usize,
    ) -> Result<Candidates<'a>, Error> {
        let allowed = |address: &&IpAddr| self.family.allows(**address);
        let allowed = addresses
            .iter()
            .filter(allowed)
            .copied()
            .collect::<Vec<_>>();
        let Some(first) = allowed.first() else {
            return Err(Error::dns(if self.family == AddressFamily::Ipv4Only {
                format!("{host} has no IPv4 address, and only those are to be used")
            } else {
                format!("{host} has no IPv6 address, and only those are to be used")
            }));
        };
        let ipv4_first = match self.family {
            AddressFamily::Any => first.is_ipv4(),
            AddressFamily::PreferIpv4 | AddressFamily::Ipv4Only => true,
            AddressFamily::PreferIpv6 | AddressFamily::Ipv6Only => false,
        };
        self.order(host, port, &allowed, ipv4_first, turn)
    }

    /// The addresses given for a host by hand, of whatever family.
    pub(super) fn given<'a>(
        &self,
        host: &'a str,
        port: u16,
        addresses: &[IpAddr],
        turn: usize,
    ) -> Result<Candidates<'a>, Error> {
        let ipv4_first = addresses.first().is_some_and(IpAddr::is_ipv4);
        self.order(host, port, addresses, ipv4_first, turn)
    }

    fn order<'a>(
        &self,
        host: &'a str,
        port: u16,
        addresses: &[IpAddr],
        ipv4_first: bool,
        turn: usize,
    ) -> Result<Candidates<'a>, Error> {
        let reachable = addresses
            .iter()
            .copied()
            .filter(|to| self.has_source_for(*to));
        let (mut preferred, mut others) =
            reachable.partition::<Vec<_>, _>(|address| address.is_ipv4() == ipv4_first);
        if preferred.is_empty() {
            std::mem::swap(&mut preferred, &mut others);
        }
        if preferred.is_empty() {
            return Err(Error::connect(format!(
                "cannot connect to {host}: no source address is of the same family (IPv4, IPv6) \
                 as its addresses"
            )));
        }
        for list in [&mut preferred, &mut others] {
            let first = turn.checked_rem(list.len()).unwrap_or(0);
            list.rotate_left(first);
        }
        Ok(Candidates {
            host,
            port,
            preferred,
            others,
        })
    }

    fn has_source_for(&self, address: IpAddr) -> bool {
        self.sources.is_empty()
            || self
                .sources
                .iter()
                .any(|source| source.is_ipv4() == address.is_ipv4())
    }

    /// Tries the candidates; until `deadline`, each gets its share of the time. Those that would not
    /// do are counted in `passed_over`.
    pub(super) async fn dial(
        &self,
        candidates: &Candidates<'_>,
        deadline: Option<Instant>,
        passed_over: &Cell<u64>,
    ) -> Result<TcpStream, Error> {
        self.race(candidates, deadline, passed_over)
            .await
            .map_err(|failures| cannot_connect(candidates, &failures))
    }

    /// The preferred family, and the other when that fails or takes long.
    async fn race(
        &self,
        candidates: &Candidates<'_>,
        deadline: Option<Instant>,
        passed_over: &Cell<u64>,
    ) -> Result<TcpStream, Vec<Failure>> {
        let port = candidates.port;
        let in_turn = |addresses| self.one_after_the_other(addresses, port, deadline, passed_over);
        let mut preferred = pin!(in_turn(&candidates.preferred));
        if candidates.others.is_empty() {
            return preferred.await;
        }
        let early = timeout(HEAD_START, &mut preferred).await;
        let others = pin!(in_turn(&candidates.others));
        let (failures, rest) = match early {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(failures)) => (failures, others.await),
            Err(_) => match select(preferred, others).await {
                Either::Left((Ok(stream), _)) | Either::Right((Ok(stream), _)) => {
                    return Ok(stream);
                }
                Either::Left((Err(failures), others)) => (failures, others.await),
                Either::Right((Err(failures), preferred)) => (failures, preferred.await),
            },
        };
        rest.map_err(|more| failures.into_iter().chain(more).collect())
    }

    async fn one_after_the_other(
        &self,
        addresses: &[IpAddr],
        port: u16,
        deadline: Option<Instant>,
        passed_over: &Cell<u64>,
    ) -> Result<TcpStream, Vec<Failure>> {
        let mut failures = Vec::new();
        for (tried, address) in addresses.iter().enumerate() {
            let address = SocketAddr::new(*address, port);
            let left = addresses.len() - tried;
            let attempt = self.open(address);
            let end = deadline.and_then(|deadline| share(deadline, left));
            let opened = match end {
                Some(end) => {
                    let opened = timeout_at(end, attempt).await;
                    opened.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
                }
                None => attempt.await,
            };
            match opened {
                Ok(stream) => return Ok(stream),
                Err(error) => {
                    passed_over.set(passed_over.get() + 1);
                    failures.push(Failure { address, error });
                }
            }
        }
        Err(failures)
    }

    async fn open(&self, address: SocketAddr) -> io::Result<TcpStream> {
        let stream = match self.source_for(address) {
            None => TcpStream::connect(address).await?,
            Some(source) => bound(source, address)?.connect(address).await?,
        };
        // Without it a request of two writes waits for the server's delayed acknowledgement.
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// The source address whose turn it is, of the family that can reach the address.
    fn source_for(&self, address: SocketAddr) -> Option<IpAddr> {
        let fitting = |source: &&IpAddr| source.is_ipv4() == address.is_ipv4();
        let count = self.sources.iter().filter(fitting).count();
        let turn = self.turn.get();
        let nth = turn.checked_rem(count)?;
        self.turn.set(turn.wrapping_add(1));
        self.sources.iter().filter(fitting).nth(nth).copied()
    }
}

impl Candidates<'_> {
    /// The address to try first.
    pub(super) fn first(&self) -> Option<SocketAddr> {
        let address = self.preferred.first()?;
        Some(SocketAddr::new(*address, self.port))
    }
}

/// A socket that will connect from this address.
fn bound(source: IpAddr, address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    // Else a port is taken for the address as a whole when it is bound, and they run out sooner. A
    // system that does not know the option does without.
    #[cfg(target_os = "linux")]
    let _ = nix::sys::socket::setsockopt(
        &socket,
        nix::sys::socket::sockopt::IpBindAddressNoPort,
        &true,
    );
    socket.bind(SocketAddr::new(source, 0)).map_err(|error| {
        // With all its ports in use; one that is not ours is another matter.
        if error.kind() == io::ErrorKind::AddrInUse {
            return error;
        }
        io::Error::other(format!(
            "the source address {source} cannot be used ({error})"
        ))
    })?;
    Ok(socket)
}

/// When the next of so many addresses has had its part of the time that is left; `None` when all of
/// it is its own, and the others would be begun only to be given up at once.
fn share(deadline: Instant, addresses: usize) -> Option<Instant> {
    let now = Instant::now();
    let left = deadline.saturating_duration_since(now);
    let addresses = u32::try_from(addresses).unwrap_or(u32::MAX).max(1);
    let part = (left / addresses).max(LEAST_SHARE);
    (part < left).then(|| now + part)
}

/// Why none of the addresses would do, the same reason said once.
fn cannot_connect(candidates: &Candidates<'_>, failures: &[Failure]) -> Error {
    let mut reasons: Vec<(String, Vec<SocketAddr>)> = Vec::new();
    for Failure { address, error } in failures {
        let reason = format!("{error}{}", advice(error, Some(*address)));
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, addresses)) => addresses.push(*address),
            None => reasons.push((reason, vec![*address])),
        }
    }
    let is_address = candidates.host.parse::<IpAddr>().is_ok();
    let reasons = reasons.iter().map(|(reason, addresses)| {
        let addresses = listed(addresses);
        if is_address {
            format!("{addresses}: {reason}")
        } else {
            format!("{} ({addresses}): {reason}", candidates.host)
        }
    });
    let message = format!(
        "cannot connect to {}",
        reasons.collect::<Vec<_>>().join("; nor to ")
    );
    match lack(failures) {
        Some(lack) => Error::local(lack, message),
        None => Error::connect(message),
    }
}

/// What this machine lacked, if that is why no address would do.
///
/// An address that was refused is the server's doing, whatever kept us from trying another. But for
/// want of a local port (or of a family of addresses), a lack says nothing about the address: none
/// would have done.
fn lack(failures: &[Failure]) -> Option<Lack> {
    let lacks = || {
        failures
            .iter()
            .filter_map(|failure| Lack::of(&failure.error))
    };
    if let Some(lack) = lacks().find(|lack| *lack != Lack::Ports) {
        return Some(lack);
    }
    let blameless = |failure: &Failure| {
        let unreachable = matches!(
            failure.error.kind(),
            io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable
        );
        unreachable || Lack::of(&failure.error).is_some()
    };
    lacks().next().filter(|_| failures.iter().all(blameless))
}

/// The first of the addresses, and how many more there are.
fn listed(addresses: &[SocketAddr]) -> String {
    const MOST: usize = 4;
    let shown = addresses.iter().take(MOST).map(SocketAddr::to_string);
    let mut shown = shown.collect::<Vec<_>>();
    let more = addresses.len().saturating_sub(MOST);
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    shown.join(", ")
}

/// What to do about an error of the system.
pub(super) fn advice(error: &io::Error, address: Option<SocketAddr>) -> &'static str {
    match Lack::of(error) {
        Some(lack) => lack.advice(address),
        None if error.kind() == io::ErrorKind::ConnectionRefused => "; is the server running?",
        None => "",
    }
}

#[cfg(test)]
mod tests {
    use nix::errno::Errno;

    use super::*;
    use crate::net::Kind;

    fn order(
        network: &Network,
        addresses: &[&str],
        turn: usize,
    ) -> Result<[Vec<String>; 2], Error> {
        let addresses = addresses.iter().map(|address| address.parse().unwrap());
        let addresses = addresses.collect::<Vec<_>>();
        let dialler = Dialler::new(network);
        let candidates = dialler.candidates("shop.test", 80, &addresses, turn)?;
        Ok([candidates.preferred, candidates.others]
            .map(|list| list.iter().map(IpAddr::to_string).collect()))
    }

    const BOTH: &[&str] = &["fd00::1", "10.0.0.1", "fd00::2", "10.0.0.2"];

    #[test]
    fn addresses_take_turns_within_their_family() {
        for turn in 0..4 {
            let [preferred, others] = order(&Network::new(), BOTH, turn).unwrap();
            let first = turn % 2 + 1;
            assert_eq!(preferred[0], format!("fd00::{first}"));
            assert_eq!(others[0], format!("10.0.0.{first}"));
        }
    }

    #[test]
    fn the_preferred_family_comes_first_and_only_means_only() {
        let with = |family| order(&Network::new().address_family(family), BOTH, 0).unwrap();
        let ipv4 = ["10.0.0.1", "10.0.0.2"].map(str::to_owned).to_vec();
        let ipv6 = ["fd00::1", "fd00::2"].map(str::to_owned).to_vec();
        assert_eq!(with(AddressFamily::Any), [ipv6.clone(), ipv4.clone()]);
        assert_eq!(
            with(AddressFamily::PreferIpv4),
            [ipv4.clone(), ipv6.clone()]
        );
        assert_eq!(
            with(AddressFamily::PreferIpv6),
            [ipv6.clone(), ipv4.clone()]
        );
        assert_eq!(with(AddressFamily::Ipv4Only), [ipv4, vec![]]);
        assert_eq!(with(AddressFamily::Ipv6Only), [ipv6, vec![]]);

        let network = Network::new().address_family(AddressFamily::Ipv4Only);
        let error = order(&network, &["fd00::1"], 0).unwrap_err();
        assert!(
            error.to_string().contains("shop.test has no IPv4 address"),
            "{error}"
        );
    }

    #[test]
    fn an_address_that_no_source_address_can_reach_is_left_out() {
        let from = |source: &str| Network::new().source_addresses([source.parse().unwrap()]);
        let [preferred, others] = order(&from("127.0.0.2"), BOTH, 1).unwrap();
        assert_eq!((preferred[0].as_str(), others.len()), ("10.0.0.2", 0));
        let error = order(&from("127.0.0.2"), &["fd00::1"], 0).unwrap_err();
        assert!(error.to_string().contains("no source address"), "{error}");
    }

    const NOWHERE: Candidates<'_> = Candidates {
        host: "shop.test",
        port: 80,
        preferred: Vec::new(),
        others: Vec::new(),
    };

    #[test]
    fn only_what_this_machine_lacks_is_its_own_failure() {
        let kind = |errors: &[Errno]| {
            let failures = errors.iter().map(|errno| Failure {
                address: SocketAddr::from(([10, 0, 0, 1], 80)),
                error: io::Error::from_raw_os_error(*errno as i32),
            });
            cannot_connect(&NOWHERE, &failures.collect::<Vec<_>>()).kind()
        };
        let local = Kind::Local;
        for (errors, expected) in [
            (&[Errno::ECONNREFUSED][..], Kind::Connect),
            (&[Errno::EMFILE], local(Lack::Descriptors)),
            (
                &[Errno::ECONNREFUSED, Errno::EMFILE],
                local(Lack::Descriptors),
            ),
            (&[Errno::ENETUNREACH, Errno::ENOBUFS], local(Lack::Memory)),
            (
                &[Errno::ENETUNREACH, Errno::EADDRNOTAVAIL],
                local(Lack::Ports),
            ),
            // One without an address of the first family, and a server that is not there.
            (&[Errno::EADDRNOTAVAIL, Errno::ECONNREFUSED], Kind::Connect),
            (&[Errno::ENETUNREACH], Kind::Connect),
        ] {
            assert_eq!(kind(errors), expected, "{errors:?}");
        }
    }

    #[test]
    fn a_reason_that_several_addresses_share_is_said_once() {
        let refused = |last| Failure {
            address: SocketAddr::from(([10, 0, 0, last], 80)),
            error: io::ErrorKind::ConnectionRefused.into(),
        };
        let mut failures = (1..=6).map(refused).collect::<Vec<_>>();
        failures[0].error = io::ErrorKind::NetworkUnreachable.into();
        assert_eq!(
            cannot_connect(&NOWHERE, &failures).to_string(),
            "cannot connect to shop.test (10.0.0.1:80): network unreachable; nor to shop.test \
             (10.0.0.2:80, 10.0.0.3:80, 10.0.0.4:80, 10.0.0.5:80, 1 more): connection refused; \
             is the server running?"
        );
    }
}
