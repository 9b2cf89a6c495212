//! What the samples of a run come to.

use std::time::Duration;

use super::sample::{Sample, Sources, local_ports, open_files_limit};
use crate::{engine::system::peak_rss_bytes, stats::MachineFigures};

/// The part of the machine's processors that makes a busy second.
const BUSY: f64 = 0.9;

/// An interval shorter than this, as the last one may be, says nothing of its second.
const SHORTEST: Duration = Duration::from_millis(500);

/// Takes samples, and keeps of them what the figures need.
#[derive(Debug)]
pub(super) struct Gathering {
    sources: Sources,
    first: Sample,
    last: Sample,
    figures: MachineFigures,
}

impl Gathering {
    pub(super) fn start() -> Self {
        let sources = Sources::open();
        let first = sources.sample();
        Self {
            last: first.clone(),
            first,
            sources,
            figures: MachineFigures {
                open_files_limit: open_files_limit(),
                local_ports: local_ports(),
                ..MachineFigures::default()
            },
        }
    }

    /// Looks once more.
    pub(super) fn look(&mut self) {
        let sample = self.sources.sample();
        self.figures.note(&self.last, &sample);
        self.last = sample;
    }

    /// What it has come to.
    pub(super) fn so_far(&self) -> MachineFigures {
        let mut figures = self.figures.clone();
        figures.sum_up(&self.first, &self.last);
        figures.peak_rss_bytes = peak_rss_bytes();
        figures
    }

    /// What it all came to.
    pub(super) fn finish(mut self) -> MachineFigures {
        self.look();
        self.so_far()
    }
}

impl MachineFigures {
    /// Takes note of what has been since the sample before.
    fn note(&mut self, before: &Sample, now: &Sample) {
        if let Some(room) = now.memory
            && self.memory_left.is_none_or(|least| room.available < least)
        {
            self.memory_left = Some(room.available);
            self.memory_total = Some(room.total);
        }
        self.open_files = self.open_files.max(now.open_files);
        self.tcp_sockets = self.tcp_sockets.max(now.tcp_sockets);
        let is_whole = now.at.duration_since(before.at) >= SHORTEST;
        if let Some(processors) = Processors::between(before, now).filter(|_| is_whole) {
            self.intervals += 1;
            self.busy_intervals += u64::from(processors.in_use > BUSY);
        }
    }

    fn sum_up(&mut self, first: &Sample, last: &Sample) {
        self.seconds = last.at.duration_since(first.at).as_secs_f64();
        self.cpu_seconds = last.process.saturating_sub(first.process).as_secs_f64();
        if let Some(processors) = Processors::between(first, last) {
            let own = self.cpu_seconds / processors.seconds;
            self.machine_cpu = Some(processors.in_use);
            self.others_cpu = Some((processors.in_use - own).max(0.0));
            self.steal = Some(processors.stolen);
            self.steal_seconds = processors.stolen * processors.seconds;
        }
        if let (Some(before), Some(after)) = (first.throttling, last.throttling) {
            let periods = after.periods.saturating_sub(before.periods);
            let throttled = after.throttled.saturating_sub(before.throttled);
            self.throttled = (periods > 0).then(|| throttled as f64 / periods as f64);
        }
        if let (Some(before), Some(after)) = (first.segments, last.segments) {
            let again = after.again.saturating_sub(before.again);
            self.segments = after.sent.saturating_sub(before.sent);
            self.retransmitted = Some(again as f64 / self.segments.max(1) as f64);
        }
    }
}

/// How the processors of the machine were used between two samples.
struct Processors {
    /// The part that was in use.
    in_use: f64,
    /// The part that the host kept.
    stolen: f64,
    /// The time of all of them together, in seconds.
    seconds: f64,
}

impl Processors {
    fn between(first: &Sample, last: &Sample) -> Option<Self> {
        let (before, after) = (first.machine?, last.machine?);
        let total = after.total.checked_sub(before.total)?;
        if total == 0 {
            return None;
        }
        let part = |after: u64, before: u64| after.saturating_sub(before) as f64 / total as f64;
        let stolen = part(after.steal, before.steal);
        let idle = part(after.idle, before.idle);
        Some(Self {
            in_use: (1.0 - idle - stolen).max(0.0),
            stolen,
            seconds: total as f64 / TICKS_PER_SECOND,
        })
    }
}

/// The unit of `/proc/stat`: `USER_HZ`, which is 100 on every architecture there is today.
const TICKS_PER_SECOND: f64 = 100.0;

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::engine::suspect::{
        cgroup::Throttling,
        sample::{Room, Segments, Ticks},
    };

    /// A machine of two processors after so many seconds.
    fn sample(start: Instant, seconds: u64, idle: u64, steal: u64) -> Sample {
        Sample {
            at: start + Duration::from_secs(seconds),
            process: Duration::from_secs(seconds / 2),
            machine: Some(Ticks {
                total: seconds * 200,
                idle,
                steal,
            }),
            throttling: Some(Throttling {
                periods: seconds * 10,
                throttled: seconds,
            }),
            memory: Some(Room {
                available: 1000 - seconds,
                total: 4000,
            }),
            open_files: Some(10 + seconds),
            tcp_sockets: Some(100 - seconds),
            segments: Some(Segments {
                sent: 1000 * seconds,
                again: 20 * seconds,
            }),
        }
    }

    #[test]
    fn shares_are_of_the_time_that_was_looked_at() {
        let start = Instant::now();
        let samples = [
            sample(start, 0, 0, 0),
            sample(start, 10, 100, 0),
            sample(start, 20, 1000, 400),
        ];
        let mut figures = MachineFigures::default();
        figures.note(&samples[0], &samples[1]);
        figures.note(&samples[1], &samples[2]);
        figures.sum_up(&samples[0], &samples[2]);
        let expected = MachineFigures {
            seconds: 20.0,
            cpu_seconds: 10.0,
            peak_rss_bytes: 0,
            machine_cpu: Some(0.65),
            others_cpu: Some(0.4),
            intervals: 2,
            busy_intervals: 1,
            steal: Some(0.1),
            steal_seconds: 4.0,
            throttled: Some(0.1),
            memory_left: Some(980),
            memory_total: Some(4000),
            open_files: Some(30),
            open_files_limit: None,
            tcp_sockets: Some(90),
            local_ports: None,
            segments: 20_000,
            retransmitted: Some(0.02),
            clock_error: None,
            clock_drift: None,
        };
        assert_eq!(figures, expected);
    }

    #[test]
    fn a_system_that_tells_nothing_leaves_everything_open() {
        let nothing = Sample {
            machine: None,
            throttling: None,
            memory: None,
            open_files: None,
            tcp_sockets: None,
            segments: None,
            ..sample(Instant::now(), 0, 0, 0)
        };
        let mut figures = MachineFigures::default();
        figures.note(&nothing, &nothing);
        figures.sum_up(&nothing, &nothing);
        assert_eq!(figures, MachineFigures::default());
    }
}
