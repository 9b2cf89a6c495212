//! Whose connections they are, how many, and how long they are kept.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How long a connection is kept without a request.
const IDLE_TIMEOUT: Duration = Duration::from_secs(90);

/// Who shares connections, how many there may be to a host, and how long each is kept.
///
/// ```
/// use mite::{Scenario, http::{Connections, Settings}};
///
/// // Each run of a journey is a browser that was just started.
/// Scenario::new().http(Settings::new().connections(Connections::per_journey().max_per_host(6)));
/// ```
///
/// # Defaults
/// [`shared`](Connections::shared), as many as there are requests at once, kept for 90 s without a
/// request and for as long as they work otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[must_use = "settings do nothing until they are given to a scenario or a session"]
pub struct Connections {
    pub(super) reuse: Reuse,
    pub(super) max_per_host: Option<usize>,
    pub(super) idle_timeout: Duration,
    pub(super) max_lifetime: Option<Duration>,
}

/// Who may use a connection after the request it was opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) enum Reuse {
    Worker,
    Journey,
    Nobody,
}

impl Connections {
    /// Connections are kept and shared by all journeys of a worker thread: the least work for both
    /// sides, as behind a proxy or from another service.
    pub fn shared() -> Self {
        Self {
            reuse: Reuse::Worker,
            max_per_host: None,
            idle_timeout: IDLE_TIMEOUT,
            max_lifetime: None,
        }
    }

    /// Each run of a journey has connections of its own, opened when it needs them and closed when
    /// it ends, and no TLS session of an earlier run to resume: a browser that was just started.
    pub fn per_journey() -> Self {
        Self {
            reuse: Reuse::Journey,
            ..Self::shared()
        }
    }

    /// Each request has a new connection and says so with `connection: close`.
    ///
    /// At high rates the local ports run out; see
    /// [`Network::source_addresses`](crate::http::Network::source_addresses).
    pub fn none() -> Self {
        Self {
            reuse: Reuse::Nobody,
            ..Self::shared()
        }
    }

    /// The most connections to one scheme, host and port that are open at once, by those who share
    /// them; no limit unless set. Browsers have 6.
    ///
    /// A request that finds them all in use waits for its turn, first come first served, and that
    /// time is its phase `waiting`. An answer that is streamed has its connection until it is read or
    /// dropped. The least is 1.
    pub fn max_per_host(mut self, most: usize) -> Self {
        self.max_per_host = Some(most.max(1));
        self
    }

    /// How long a connection is kept without a request; 90 s unless set.
    ///
    /// One shorter than the server's own spares requests that meet a closing connection.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// How old a connection may be when a request begins on it; no limit unless set.
    ///
    /// With a limit, load moves to servers that come up behind a name or a load balancer.
    pub fn max_lifetime(mut self, lifetime: Duration) -> Self {
        self.max_lifetime = Some(lifetime);
        self
    }
}

impl Default for Connections {
    fn default() -> Self {
        Self::shared()
    }
}
