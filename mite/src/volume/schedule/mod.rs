//! The arithmetic of a plan, which controller and workers share: what is due when, and for whom.

mod arrivals;
mod planner;
mod segment;
mod share;
mod timeline;

pub(crate) use self::{
    arrivals::Arrivals,
    planner::{Outline, Planner},
    segment::Segment,
    share::Share,
    timeline::Timeline,
};

/// How many of the numbers 0, 1, 2 … have their middle, k + 1/2, below `level`.
fn middles_below(level: f64) -> u64 {
    (level - 0.5).ceil() as u64
}

/// The middle of number `k`: where start `k` lies in the integral of the rate, and the level that
/// user `k` needs.
fn middle(k: u64) -> f64 {
    k as f64 + 0.5
}

#[cfg(test)]
mod tests;
