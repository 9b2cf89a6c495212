//! What a load generator looks like from outside: its process, and the machine it is on.

use serde::{Deserialize, Serialize};

/// What was seen of process and machine while a run went on; what the system does not tell is
/// absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct MachineFigures {
    /// How long it was looked at, in seconds.
    pub(crate) seconds: f64,
    /// Processor time of the process, in seconds.
    pub(crate) cpu_seconds: f64,
    /// The most memory the process held, in bytes.
    pub(crate) peak_rss_bytes: u64,
    /// The part of all processors of the machine that was in use.
    pub(crate) machine_cpu: Option<f64>,
    /// The part that was in use by other processes.
    pub(crate) others_cpu: Option<f64>,
    /// Intervals that were looked at, and those in which the machine was busy.
    pub(crate) intervals: u64,
    pub(crate) busy_intervals: u64,
    /// The part of the processors' time that the host gave to others.
    pub(crate) steal: Option<f64>,
    /// The same in seconds.
    pub(crate) steal_seconds: f64,
    /// The part of the periods in which the control group's limit stopped the process.
    pub(crate) throttled: Option<f64>,
    /// The least memory there was left, and of how much.
    pub(crate) memory_left: Option<u64>,
    pub(crate) memory_total: Option<u64>,
    /// The most files that were open, and how many may be.
    pub(crate) open_files: Option<u64>,
    pub(crate) open_files_limit: Option<u64>,
    /// The most TCP sockets of the machine.
    pub(crate) tcp_sockets: Option<u64>,
    /// The ports there are to connect from.
    pub(crate) local_ports: Option<u64>,
    /// TCP segments sent, and the part of them that was sent again.
    pub(crate) segments: u64,
    pub(crate) retransmitted: Option<f64>,
    /// By how much the first reading of the controller's clock may be wrong, and how far the last
    /// one is from it, in seconds; only where the controller is elsewhere.
    pub(crate) clock_error: Option<f64>,
    pub(crate) clock_drift: Option<f64>,
}

impl MachineFigures {
    /// Those of several machines together: what was used is added up, and of all that has a limit
    /// the worst is taken.
    pub(crate) fn together<'a>(machines: impl IntoIterator<Item = &'a Self>) -> Self {
        machines.into_iter().fold(Self::default(), Self::and)
    }

    fn and(self, other: &Self) -> Self {
        let most = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => Some(a.max(b)),
            (a, b) => a.or(b),
        };
        let tighter = match (self.memory_left, other.memory_left) {
            (Some(here), Some(there)) if here <= there => &self,
            (Some(_), None) => &self,
            _ => other,
        };
        Self {
            seconds: self.seconds.max(other.seconds),
            cpu_seconds: self.cpu_seconds + other.cpu_seconds,
            peak_rss_bytes: self.peak_rss_bytes.max(other.peak_rss_bytes),
            machine_cpu: most(self.machine_cpu, other.machine_cpu),
            others_cpu: most(self.others_cpu, other.others_cpu),
            intervals: self.intervals + other.intervals,
            busy_intervals: self.busy_intervals + other.busy_intervals,
            steal: most(self.steal, other.steal),
            steal_seconds: self.steal_seconds + other.steal_seconds,
            throttled: most(self.throttled, other.throttled),
            memory_left: tighter.memory_left,
            memory_total: tighter.memory_total,
            open_files: self.open_files.max(other.open_files),
            open_files_limit: least(self.open_files_limit, other.open_files_limit),
            tcp_sockets: self.tcp_sockets.max(other.tcp_sockets),
            local_ports: least(self.local_ports, other.local_ports),
            segments: self.segments + other.segments,
            retransmitted: most(self.retransmitted, other.retransmitted),
            clock_error: most(self.clock_error, other.clock_error),
            clock_drift: most(self.clock_drift, other.clock_drift),
        }
    }
}

fn least(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    a.into_iter().chain(b).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_machines_use_is_added_up_and_the_worst_is_told() {
        let one = MachineFigures {
            cpu_seconds: 2.0,
            peak_rss_bytes: 10,
            machine_cpu: Some(0.5),
            memory_left: Some(100),
            memory_total: Some(1000),
            open_files: Some(5),
            open_files_limit: Some(100),
            ..MachineFigures::default()
        };
        let other = MachineFigures {
            cpu_seconds: 3.0,
            peak_rss_bytes: 30,
            machine_cpu: Some(0.25),
            memory_left: Some(50),
            memory_total: Some(2000),
            open_files: Some(7),
            open_files_limit: Some(50),
            retransmitted: Some(0.1),
            ..MachineFigures::default()
        };
        let expected = MachineFigures {
            cpu_seconds: 5.0,
            peak_rss_bytes: 30,
            machine_cpu: Some(0.5),
            memory_left: Some(50),
            memory_total: Some(2000),
            open_files: Some(7),
            open_files_limit: Some(50),
            retransmitted: Some(0.1),
            ..MachineFigures::default()
        };
        assert_eq!(MachineFigures::together([&one, &other]), expected);
        assert_eq!(MachineFigures::together([&other, &one]), expected);
        assert_eq!(MachineFigures::together([&one]), one);
    }
}
