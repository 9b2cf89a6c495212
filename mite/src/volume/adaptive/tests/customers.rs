//! Servers with a line before them, of which every customer is simulated.

use std::{collections::VecDeque, time::Duration};

use super::server::{Server, answer};
use crate::volume::Second;

/// How long it is from one event to the next.
#[derive(Clone, Copy, Debug)]
pub(super) enum Spacing {
    /// Always the same.
    Even,
    /// At random, without memory.
    Exponential,
}

/// Several servers with one line, first come, first served.
#[derive(Clone, Debug)]
pub(super) struct Customers {
    arrivals: Spacing,
    service: Spacing,
    mean_service: f64,
    random: fastrand::Rng,
    now: f64,
    next_arrival: f64,
    /// When each server is free, the first of them first.
    free_at: VecDeque<f64>,
    /// When those in the system leave, and how long they were there.
    inside: Vec<(f64, f64)>,
}

/// One server, Poisson arrivals, exponential service.
pub(super) fn mm1(rate: f64, seed: u64) -> Customers {
    let spacing = Spacing::Exponential;
    Customers::new((spacing, spacing), 1, 1.0 / rate, seed)
}

impl Customers {
    /// With these spacings of arrivals and of service.
    pub(super) fn new(
        (arrivals, service): (Spacing, Spacing),
        count: usize,
        mean_service: f64,
        seed: u64,
    ) -> Self {
        Self {
            arrivals,
            service,
            mean_service,
            random: fastrand::Rng::with_seed(seed),
            now: 0.0,
            next_arrival: 0.0,
            free_at: vec![0.0; count].into(),
            inside: Vec::new(),
        }
    }

    fn draw(&mut self, spacing: Spacing, mean: f64) -> f64 {
        match spacing {
            Spacing::Even => mean,
            Spacing::Exponential => -(1.0 - self.random.f64()).ln() * mean,
        }
    }

    /// When a customer who comes now leaves.
    fn serve(&mut self, at: f64) -> f64 {
        let free = self.free_at.pop_front().unwrap();
        let done = free.max(at) + self.draw(self.service, self.mean_service);
        let place = self.free_at.partition_point(|&other| other <= done);
        self.free_at.insert(place, done);
        done
    }

    /// The rate at which this part of an endless run's customers is there for longer than `limit`.
    pub(super) fn rate_at(&self, allowed: f64, limit: f64) -> f64 {
        const CUSTOMERS: u32 = 300_000;
        let share_beyond = |rate: f64| {
            let mut server = self.clone();
            let (mut at, mut beyond) = (0.0, 0);
            for _ in 0..CUSTOMERS {
                at += server.draw(server.arrivals, 1.0 / rate);
                beyond += u32::from(server.serve(at) - at > limit);
            }
            f64::from(beyond) / f64::from(CUSTOMERS)
        };
        let (mut low, mut high) = (0.0, self.free_at.len() as f64 / self.mean_service);
        for _ in 0..10 {
            let middle = (low + high) / 2.0;
            if share_beyond(middle) > allowed {
                high = middle;
            } else {
                low = middle;
            }
        }
        (low + high) / 2.0
    }
}

impl Server for Customers {
    fn second(&mut self, level: f64) -> Second {
        let mut second = Second::default();
        let end = self.now + 1.0;
        self.next_arrival = self.next_arrival.max(self.now);
        while level > 0.0 && self.next_arrival < end {
            let at = self.next_arrival;
            second.started += 1;
            let done = self.serve(at);
            self.inside.push((done, done - at));
            self.next_arrival = at + self.draw(self.arrivals, 1.0 / level);
        }
        let (gone, inside): (Vec<_>, _) = self.inside.iter().partition(|(at, _)| *at < end);
        self.inside = inside;
        for (_, time) in gone {
            answer(&mut second, Duration::from_secs_f64(time), 1);
        }
        second.in_flight = self.inside.len() as u64;
        self.now = end;
        second
    }
}
