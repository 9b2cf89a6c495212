//! How times spread, as a report tells it.

use serde::{Deserialize, Serialize};

use crate::stats::Latency;

/// No more steps than a picture can show.
const STEPS: usize = 200;

/// So many samples between two times, in seconds; a distribution has at most 200 of these.
///
/// Steps are about as wide in proportion to their times, as in
/// [HdrHistogram](https://hdrhistogram.github.io/HdrHistogram/). They ascend, and those without a
/// sample are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Spread {
    /// The shortest time of the step, to the microsecond.
    pub from: f64,
    /// The shortest time above it.
    pub until: f64,
    /// How many samples there are.
    pub count: u64,
}

impl Spread {
    /// The distribution of a histogram.
    pub(crate) fn of(latency: &Latency) -> Vec<Self> {
        let steps = latency.spread(STEPS).into_iter();
        steps
            .map(|(from, until, count)| Self {
                from: from.as_secs_f64(),
                until: until.as_secs_f64(),
                count,
            })
            .collect()
    }
}
