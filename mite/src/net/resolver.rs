//! Names to addresses, remembered for a while.

use std::{
    cell::{Cell, RefCell},
    fmt,
    future::Future,
    io,
    net::IpAddr,
    rc::Rc,
    time::Duration,
};

use futures_util::{
    FutureExt as _,
    future::{LocalBoxFuture, Shared, WeakShared},
};
use rustc_hash::FxHashMap;
use tokio::{net::lookup_host, time::Instant};

use super::{Error, Lack, dial::advice};

/// The names one worker knows.
///
/// Whoever asks for a name that is being looked up waits for that answer.
pub(crate) struct Resolver {
    names: RefCell<FxHashMap<Box<str>, Rc<Name>>>,
    look_up: Box<LookUp>,
}

type LookUp = dyn Fn(String) -> LocalBoxFuture<'static, io::Result<Vec<IpAddr>>>;

/// The addresses of a name.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) addresses: Rc<[IpAddr]>,
    /// Counts the connections to the name.
    pub(super) turn: usize,
    /// Whether that took a lookup.
    pub(super) looked_up: bool,
}

#[derive(Default)]
struct Name {
    turn: Cell<usize>,
    known: RefCell<Option<Known>>,
    /// Weak, so that a lookup nobody waits for any more ends there.
    pending: RefCell<Option<WeakShared<Pending>>>,
}

struct Known {
    addresses: Rc<[IpAddr]>,
    since: Instant,
}

type Pending = LocalBoxFuture<'static, Answer>;

/// The addresses, or why there are none; cloned for everybody who waits.
type Answer = Result<Rc<[IpAddr]>, Error>;

impl Resolver {
    /// Asks the system.
    pub(crate) fn new() -> Self {
        Self::asking(|host| async move {
            let found = lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }

    pub(super) fn asking<F>(look_up: impl Fn(String) -> F + 'static) -> Self
    where
        F: Future<Output = io::Result<Vec<IpAddr>>> + 'static,
    {
        Self {
            names: RefCell::default(),
            look_up: Box::new(move |host| look_up(host).boxed_local()),
        }
    }

    /// The addresses of a name, as they were found at most `ttl` ago.
    ///
    /// Without a `ttl` each call looks the name up for itself.
    pub(super) async fn resolve(&self, host: &str, ttl: Duration) -> Result<Found, Error> {
        let name = self.name(host);
        let known = name.known(ttl);
        let looked_up = known.is_none();
        let addresses = match known {
            Some(addresses) => addresses,
            None if ttl.is_zero() => self.look_up(host, &name).await,
            None => self.join(host, &name).await,
        };
        let turn = name.turn.get();
        name.turn.set(turn.wrapping_add(1));
        Ok(Found {
            addresses: addresses?,
            turn,
            looked_up,
        })
    }

    fn name(&self, host: &str) -> Rc<Name> {
        let mut names = self.names.borrow_mut();
        if let Some(name) = names.get(host) {
            return Rc::clone(name);
        }
        // A journey may make names up.
        if names.len() >= MOST_NAMES {
            names.clear();
        }
        Rc::clone(names.entry(host.into()).or_default())
    }

    /// Waits for the lookup that is under way, or begins one.
    fn join(&self, host: &str, name: &Rc<Name>) -> Shared<Pending> {
        let mut pending = name.pending.borrow_mut();
        if let Some(pending) = pending.as_ref().and_then(WeakShared::upgrade) {
            return pending;
        }
        let shared = self.look_up(host, name).shared();
        *pending = shared.downgrade();
        shared
    }

    fn look_up(&self, host: &str, name: &Rc<Name>) -> Pending {
        let host = host.to_owned();
        let name = Rc::clone(name);
        let answer = (self.look_up)(host.clone());
        async move {
            let mut addresses = answer.await.map_err(|error| {
                let message = format!("cannot look up {host}: {error}{}", advice(&error, None));
                match Lack::of(&error) {
                    Some(lack) => Error::local(lack, message),
                    None => Error::dns(message),
                }
            })?;
            // Some resolvers say a thing twice, and each address is to have its turn once.
            let mut seen = Vec::new();
            addresses.retain(|address| {
                !seen.contains(address) && {
                    seen.push(*address);
                    true
                }
            });
            if addresses.is_empty() {
                return Err(Error::dns(format!("{host} has no address")));
            }
            let addresses = Rc::from(addresses);
            name.known.replace(Some(Known {
                addresses: Rc::clone(&addresses),
                since: Instant::now(),
            }));
            Ok(addresses)
        }
        .boxed_local()
    }
}

impl Name {
    fn known(&self, ttl: Duration) -> Option<Answer> {
        let known = self.known.borrow();
        let known = known.as_ref()?;
        (known.since.elapsed() < ttl).then(|| Ok(Rc::clone(&known.addresses)))
    }
}

impl Default for Resolver {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Resolver")
            .field("names", &self.names.borrow().len())
            .finish_non_exhaustive()
    }
}

/// How many names a worker remembers.
const MOST_NAMES: usize = 10_000;

#[cfg(test)]
mod tests {
    use tokio::time::{advance, sleep};

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    /// One whose lookups take a second; how many there were is counted.
    fn counting(answer: fn(usize) -> io::Result<Vec<IpAddr>>) -> (Resolver, Rc<Cell<usize>>) {
        let lookups = Rc::new(Cell::new(0));
        let count = Rc::clone(&lookups);
        let resolver = Resolver::asking(move |_| {
            count.set(count.get() + 1);
            let answer = answer(count.get());
            async move {
                sleep(Duration::from_secs(1)).await;
                answer
            }
        });
        (resolver, lookups)
    }

    fn two(_: usize) -> io::Result<Vec<IpAddr>> {
        Ok(["10.0.0.1", "10.0.0.2", "10.0.0.1"]
            .map(|address| address.parse().unwrap())
            .into())
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_is_looked_up_again_when_its_time_is_over() {
        let (resolver, lookups) = counting(two);
        for (looked_up, turn) in [(true, 0), (false, 1), (false, 2)] {
            let found = resolver.resolve("shop.test", MINUTE).await.unwrap();
            assert_eq!((found.looked_up, found.turn), (looked_up, turn));
            assert_eq!(found.addresses.len(), 2);
        }
        advance(MINUTE - Duration::from_millis(1)).await;
        assert!(
            !resolver
                .resolve("shop.test", MINUTE)
                .await
                .unwrap()
                .looked_up
        );
        advance(Duration::from_millis(1)).await;
        assert!(
            resolver
                .resolve("shop.test", MINUTE)
                .await
                .unwrap()
                .looked_up
        );
        resolver.resolve("other.test", MINUTE).await.unwrap();
        assert_eq!(lookups.get(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_time_to_live_everybody_looks_up() {
        let (resolver, lookups) = counting(two);
        let ask = || resolver.resolve("shop.test", Duration::ZERO);
        let (first, second) = tokio::join!(ask(), ask());
        assert!(first.unwrap().looked_up && second.unwrap().looked_up);
        assert_eq!(lookups.get(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_ask_at_the_same_time_share_one_lookup() {
        let (resolver, lookups) = counting(two);
        let ask = || resolver.resolve("shop.test", MINUTE);
        let (first, second, third) = tokio::join!(ask(), ask(), ask());
        let found = [first, second, third].map(Result::unwrap);
        assert!(found.iter().all(|found| found.looked_up));
        let mut turns = found.map(|found| found.turn);
        turns.sort_unstable();
        assert_eq!(turns, [0, 1, 2]);
        assert_eq!(lookups.get(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lookup_outlives_the_one_who_began_it() {
        let (resolver, lookups) = counting(two);
        let first = tokio::time::timeout(
            Duration::from_millis(500),
            resolver.resolve("shop.test", MINUTE),
        );
        let (first, second) = tokio::join!(first, resolver.resolve("shop.test", MINUTE));
        assert!(first.is_err() && second.is_ok());
        assert_eq!(lookups.get(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_shared_but_not_remembered() {
        let (resolver, lookups) = counting(|nth| match nth {
            1 => Err(io::Error::other("no such host")),
            2 => Ok(Vec::new()),
            _ => two(nth),
        });
        let ask = || resolver.resolve("shop.test", MINUTE);
        let (first, second) = tokio::join!(ask(), ask());
        for failed in [first, second] {
            assert_eq!(
                failed.unwrap_err().to_string(),
                "cannot look up shop.test: no such host"
            );
        }
        assert_eq!(
            ask().await.unwrap_err().to_string(),
            "shop.test has no address"
        );
        assert!(ask().await.is_ok());
        assert_eq!(lookups.get(), 3);
    }
}
