//! Searches and holds against servers of which the truth is known, on a clock that jumps.

mod customers;
mod hold;
mod random;
mod saturate;
mod server;

use std::time::Duration;

use self::server::Server;
use super::super::{Finding, Observed, Volume, VolumeModel, Window};

const SECOND: Duration = Duration::from_secs(1);

/// What a model did to a server.
struct Run {
    finding: Finding,
    /// The volume of each second.
    levels: Vec<f64>,
}

impl Run {
    fn seconds(&self) -> usize {
        self.levels.len()
    }

    /// The mean of the volume in the last so many seconds.
    fn mean_of_last(&self, seconds: usize) -> f64 {
        let last = &self.levels[self.levels.len() - seconds..];
        last.iter().sum::<f64>() / seconds as f64
    }
}

/// Lets a model and a server go on together until the model stops.
///
/// As in the engine, a window is asked for with the results of all seconds but the one before it.
fn run(model: impl VolumeModel, server: impl Server) -> Run {
    run_with_delay(model, server, 1)
}

fn run_with_delay(mut model: impl VolumeModel, mut server: impl Server, delay: usize) -> Run {
    model.check().unwrap();
    let mut observed = Observed::default();
    let mut unseen = std::collections::VecDeque::new();
    let mut levels = Vec::new();
    loop {
        let start = SECOND * levels.len() as u32;
        let end = start + SECOND;
        assert!(model.boundary(start).is_none_or(|boundary| boundary >= end));
        let level = match model.volume(Window { start, end }, &observed) {
            Volume::Users(users) => users as f64,
            Volume::PerSecond(rate) => rate,
            Volume::Stop => break,
            volume @ Volume::Ramp { .. } => panic!("{volume:?}"),
        };
        let mut second = server.second(level);
        second.at = start;
        unseen.push_back(second);
        if unseen.len() > delay {
            let second = unseen.pop_front().unwrap();
            let mut run = Observed::default();
            run.elapsed = second.end();
            observed.follow(&run, second);
        }
        levels.push(level);
    }
    let finding = model.findings().pop().unwrap();
    Run { finding, levels }
}

/// Whether two amounts differ by no more than `share` of the second.
#[track_caller]
fn assert_within(found: f64, truth: f64, share: f64) {
    assert!(
        (found / truth - 1.0).abs() <= share,
        "{found} is not within {share} of {truth}"
    );
}
