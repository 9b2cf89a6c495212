//! A network that delays, loses, repeats and swaps what it carries.

use std::{collections::BTreeMap, ops::Range, time::Duration};

/// What the network does to what one machine sends and is sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Weather {
    /// The part that never arrives.
    pub(super) lost: f64,
    /// The part that arrives twice.
    pub(super) repeated: f64,
    /// The longest that anything is under way; what is sent later may arrive sooner.
    pub(super) slowest: Duration,
    /// When nothing gets through, and nobody is told.
    pub(super) cuts: Vec<Range<Duration>>,
}

/// What is under way.
#[derive(Debug)]
pub(super) struct Network<Parcel> {
    random: fastrand::Rng,
    /// By when it arrives; a number tells those of one moment apart.
    under_way: BTreeMap<(Duration, u64), Parcel>,
    sent: u64,
}

impl Weather {
    pub(super) fn is_cut(&self, now: Duration) -> bool {
        self.cuts.iter().any(|cut| cut.contains(&now))
    }
}

impl<Parcel: Clone> Network<Parcel> {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            random: fastrand::Rng::with_seed(seed),
            under_way: BTreeMap::new(),
            sent: 0,
        }
    }

    /// Takes what is to be carried through this weather.
    pub(super) fn send(&mut self, now: Duration, weather: &Weather, parcel: &Parcel) {
        let copies = 1 + u8::from(self.random.f64() < weather.repeated);
        for _ in 0..copies {
            let is_lost = self.random.f64() < weather.lost;
            let late = weather.slowest.mul_f64(self.random.f64());
            if is_lost || weather.is_cut(now) || weather.is_cut(now + late) {
                continue;
            }
            self.sent += 1;
            let arrival = (now + late, self.sent);
            self.under_way.insert(arrival, parcel.clone());
        }
    }

    /// What has arrived, in the order in which it has.
    pub(super) fn arrivals(&mut self, now: Duration) -> Vec<Parcel> {
        let later = self.under_way.split_off(&(now, u64::MAX));
        let arrived = std::mem::replace(&mut self.under_way, later);
        arrived.into_values().collect()
    }

    /// All that is under way is lost.
    pub(super) fn drop_all(&mut self) {
        self.under_way.clear();
    }
}
