//! Where the volumes that were tried turn from good to bad, and how sure that is.
//!
//! More load is never better, so the share beyond a limit rises with the volume. Its isotonic
//! estimate (Barlow et al., *Statistical Inference under Order Restrictions*, 1972) takes together
//! neighbours that chance has put in the wrong order, as trials that look for a dose do (Leung and
//! Wang, Controlled Clinical Trials 22, 2001). For the same reason a volume is surely bad when it and
//! some of those just below it are beyond the limit together, and surely good when it and some of
//! those just above it are within.

use super::{
    share::{Share, dispersion, pooled},
    tried::Tried,
};

/// Standard deviations from a limit at which a volume is surely on its side of it.
const SURE: f64 = 2.5;

/// The volumes that were tried, in ascending order.
#[derive(Debug)]
pub(super) struct Border {
    volumes: Vec<Tested>,
    /// Of each criterion.
    dispersions: Vec<f64>,
}

/// What all steps at one volume have shown together.
#[derive(Debug)]
struct Tested {
    volume: f64,
    seconds: u64,
    shares: Vec<Share>,
    /// Whether it was bad for a reason that is no matter of shares.
    is_outright_bad: bool,
}

impl Border {
    pub(super) fn of(tried: &[Tried]) -> Self {
        let mut sorted: Vec<&Tried> = tried.iter().collect();
        sorted.sort_by(|one, other| one.step.volume.total_cmp(&other.step.volume));
        let volumes = sorted.chunk_by(|one, other| one.step.volume == other.step.volume);
        let steps: Vec<_> = tried
            .iter()
            .map(|tried| tried.evidence.as_slice())
            .collect();
        Self {
            volumes: volumes.filter_map(Tested::of).collect(),
            dispersions: dispersions(&steps),
        }
    }

    /// The highest volume that is good by all that is known, and the next that was tried.
    pub(super) fn bracket(&self) -> (Option<f64>, Option<f64>) {
        let first_bad = (0..self.volumes.len()).find(|&index| !self.is_good(index));
        let count = first_bad.unwrap_or(self.volumes.len());
        let low = count
            .checked_sub(1)
            .and_then(|index| self.volumes.get(index));
        let high = first_bad.and_then(|index| self.volumes.get(index));
        (low.map(|low| low.volume), high.map(|high| high.volume))
    }

    /// The highest volume that is surely good, and the lowest that is surely bad; without one, the
    /// lowest good and the highest bad one that were tried.
    pub(super) fn interval(&self) -> (Option<f64>, Option<f64>) {
        let (low, high) = self.bracket();
        let (surely_good, surely_bad) = self.sure();
        let lowest = low.and(self.volumes.first()).map(|tested| tested.volume);
        let highest = high.and(self.volumes.last()).map(|tested| tested.volume);
        (surely_good.or(lowest), surely_bad.or(highest))
    }

    /// The highest volume that is surely good, and the lowest that is surely bad.
    pub(super) fn sure(&self) -> (Option<f64>, Option<f64>) {
        let indices = 0..self.volumes.len();
        let high = indices.clone().find(|&index| self.is_surely_bad(index));
        let below = 0..high.unwrap_or(indices.end);
        let low = below.rev().find(|&index| self.is_surely_good(index));
        let volume = |index: usize| self.volumes.get(index).map(|tested| tested.volume);
        (low.and_then(volume), high.and_then(volume))
    }

    /// How many seconds a volume was measured.
    pub(super) fn seconds(&self, volume: f64) -> u64 {
        let tested = self.volumes.iter().find(|tested| tested.volume == volume);
        tested.map_or(0, |tested| tested.seconds)
    }

    fn is_good(&self, index: usize) -> bool {
        let mut below = self.volumes.iter().take(index + 1);
        if below.any(|tested| tested.is_outright_bad) {
            return false;
        }
        self.criteria().all(|(criterion, _)| {
            (0..=index).all(|from| {
                (index..self.volumes.len()).any(|to| self.pool(criterion, from, to).is_good())
            })
        })
    }

    fn is_surely_bad(&self, index: usize) -> bool {
        let tested = self.volumes.get(index);
        tested.is_some_and(|tested| tested.is_outright_bad)
            || self.criteria().any(|(criterion, dispersion)| {
                (0..=index).any(|from| {
                    self.pool(criterion, from, index)
                        .is_bad_by(SURE, dispersion)
                })
            })
    }

    fn is_surely_good(&self, index: usize) -> bool {
        self.criteria().all(|(criterion, dispersion)| {
            (index..self.volumes.len())
                .any(|to| self.pool(criterion, index, to).is_good_by(SURE, dispersion))
        })
    }

    fn criteria(&self) -> impl Iterator<Item = (usize, f64)> {
        self.dispersions.iter().copied().enumerate()
    }

    fn pool(&self, criterion: usize, from: usize, to: usize) -> Share {
        let volumes = self.volumes.iter().take(to + 1).skip(from);
        pooled(volumes.filter_map(|tested| tested.shares.get(criterion)))
    }
}

impl Tested {
    fn of(tried: &[&Tried]) -> Option<Self> {
        let first = tried.first()?;
        let criteria = 0..first.evidence.len();
        Some(Self {
            volume: first.step.volume,
            seconds: tried.iter().map(|tried| tried.seconds()).sum(),
            shares: criteria
                .map(|criterion| {
                    let of_one = tried
                        .iter()
                        .filter_map(|tried| tried.evidence.get(criterion));
                    pooled(of_one.flatten())
                })
                .collect(),
            is_outright_bad: tried.iter().any(|tried| tried.is_outright_bad()),
        })
    }
}

/// The dispersion of each criterion; each step gives its shares by criterion and second.
pub(super) fn dispersions(steps: &[&[Vec<Share>]]) -> Vec<f64> {
    let criteria = steps.iter().map(|step| step.len()).max().unwrap_or(0);
    let of_one = |criterion: usize| {
        let seconds = steps.iter().filter_map(|step| step.get(criterion));
        dispersion(seconds.map(Vec::as_slice))
    };
    (0..criteria).map(of_one).collect()
}
