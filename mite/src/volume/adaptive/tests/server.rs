//! Servers that a second takes no time to simulate.

use std::time::Duration;

use crate::volume::Second;

/// Answers what a second of load shows.
pub(super) trait Server {
    fn second(&mut self, level: f64) -> Second;
}

/// Parts of a second that fluids are calculated in.
const SLICES: u32 = 50;

/// Does so many a second, each in the same time, and lets the others wait: M/D/c seen from afar.
pub(super) struct Queue {
    pub(super) capacity: f64,
    pub(super) service: f64,
    queue: f64,
    owed: f64,
}

impl Queue {
    pub(super) fn new(capacity: f64, service: Duration) -> Self {
        Self {
            capacity,
            service: service.as_secs_f64(),
            queue: 0.0,
            owed: 0.0,
        }
    }
}

impl Server for Queue {
    fn second(&mut self, level: f64) -> Second {
        let mut second = Second {
            started: level.round() as u64,
            ..Second::default()
        };
        for _ in 0..SLICES {
            let slice = f64::from(SLICES);
            self.queue += level / slice;
            let done = self.queue.min(self.capacity / slice);
            self.queue -= done;
            self.owed += done;
            let count = self.owed.floor();
            self.owed -= count;
            let time = Duration::from_secs_f64(self.service + self.queue / self.capacity);
            answer(&mut second, time, count as u64);
        }
        second.in_flight = self.queue.round() as u64;
        second
    }
}

/// A queue at a server that is slower or faster by chance, and stands still now and then.
pub(super) struct Noisy {
    pub(super) queue: Queue,
    pub(super) random: fastrand::Rng,
    pub(super) jitter: f64,
    /// Every so many seconds there is a hiccup.
    pub(super) hiccup: u64,
    seconds: u64,
}

impl Noisy {
    pub(super) fn new(queue: Queue, seed: u64) -> Self {
        Self {
            queue,
            random: fastrand::Rng::with_seed(seed),
            jitter: 0.03,
            hiccup: 23,
            seconds: 0,
        }
    }
}

impl Server for Noisy {
    fn second(&mut self, level: f64) -> Second {
        let capacity = self.queue.capacity;
        self.seconds += 1;
        self.queue.capacity *= 1.0 + self.jitter * (self.random.f64() * 2.0 - 1.0);
        let mut second = self.queue.second(level);
        if self.seconds.is_multiple_of(self.hiccup) {
            // A twentieth of the second's answers come half a second late.
            let late = second.http.count() / 20;
            second.http.add(Duration::from_millis(500), late);
        }
        self.queue.capacity = capacity;
        second
    }
}

/// Answers at once, and refuses what goes beyond so many a second.
pub(super) struct Limit(pub(super) f64);

impl Server for Limit {
    fn second(&mut self, level: f64) -> Second {
        let accepted = level.min(self.0).round() as u64;
        let failed = level.round() as u64 - accepted;
        let mut second = Second {
            started: accepted + failed,
            failed,
            requests: failed,
            failed_requests: failed,
            ..Second::default()
        };
        answer(&mut second, Duration::from_millis(5), accepted);
        second
    }
}

/// One server, Poisson arrivals, exponential service, without chance: what percentiles of an endless
/// run would be.
pub(super) struct SteadyMm1(pub(super) f64);

impl Server for SteadyMm1 {
    fn second(&mut self, level: f64) -> Second {
        // The time in the system is exponential, its rate what is left of the server.
        let left = (self.0 - level).max(self.0 * 1e-6);
        let done = level.min(self.0);
        let mut second = Second {
            started: done as u64,
            in_flight: (level / left) as u64,
            ..Second::default()
        };
        for part in 0..1000 {
            let time = -(1.0 - (f64::from(part) + 0.5) / 1000.0).ln() / left;
            answer(
                &mut second,
                Duration::from_secs_f64(time),
                (done / 100.0).ceil() as u64,
            );
        }
        second.completed = done as u64;
        second
    }
}

/// So many users think and are served, of whom so many a second can be: a closed system.
pub(super) struct Crowd {
    pub(super) capacity: f64,
    pub(super) service: f64,
    pub(super) think: f64,
    /// The part of a journey that has not ended yet.
    pub(super) owed: f64,
}

impl Crowd {
    /// The users beyond whom there is no more throughput.
    pub(super) fn knee(&self) -> f64 {
        self.capacity * (self.service + self.think)
    }
}

impl Server for Crowd {
    fn second(&mut self, level: f64) -> Second {
        let throughput = (level / (self.service + self.think)).min(self.capacity);
        self.owed += throughput;
        let done = self.owed.floor();
        self.owed -= done;
        let mut second = Second {
            started: done as u64,
            in_flight: level as u64,
            ..Second::default()
        };
        if done > 0.0 {
            let time = (level / throughput - self.think).max(self.service);
            answer(&mut second, Duration::from_secs_f64(time), done as u64);
        }
        second
    }
}

pub(super) fn answer(second: &mut Second, time: Duration, count: u64) {
    second.completed += count;
    second.requests += count;
    second.http.add(time, count);
    second.response.add(time, count);
}
