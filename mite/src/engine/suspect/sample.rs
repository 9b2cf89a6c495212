//! What can be seen of process and machine at a moment: cheap to ask once a second.
//!
//! All of it is Linux's `/proc` (proc(5)); what a system does not tell is absent.

use std::{
    fs::{self, File},
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    sys::resource::{Resource, getrlimit},
};

use super::{
    cgroup::{ControlGroup, Throttling},
    files::{number_after, text},
};
use crate::engine::system::cpu_time;

/// Where the numbers come from, each opened once.
#[derive(Debug)]
pub(super) struct Sources {
    stat: Option<File>,
    memory: Option<File>,
    sockets: Option<File>,
    network: Option<File>,
    group: ControlGroup,
}

/// A moment.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub(super) at: Instant,
    /// Processor time of this process so far.
    pub(super) process: Duration,
    pub(super) machine: Option<Ticks>,
    pub(super) throttling: Option<Throttling>,
    pub(super) memory: Option<Room>,
    pub(super) open_files: Option<u64>,
    /// TCP sockets of the machine, those that wait for the last packets of a closed connection
    /// (`TIME_WAIT`) too.
    pub(super) tcp_sockets: Option<u64>,
    pub(super) segments: Option<Segments>,
}

/// Processor time of the whole machine so far, in the unit of the system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ticks {
    pub(super) total: u64,
    pub(super) idle: u64,
    pub(super) steal: u64,
}

/// Memory that is left, of how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) available: u64,
    pub(super) total: u64,
}

/// TCP segments so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Segments {
    pub(super) sent: u64,
    pub(super) again: u64,
}

impl Sources {
    pub(super) fn open() -> Self {
        let open = |path| File::open(path).ok();
        Self {
            stat: open("/proc/stat"),
            memory: open("/proc/meminfo"),
            sockets: open("/proc/self/net/sockstat"),
            network: open("/proc/self/net/snmp"),
            group: ControlGroup::of_this_process(),
        }
    }

    pub(super) fn sample(&self) -> Sample {
        let read = |file: &Option<File>| text(file.as_ref()?);
        Sample {
            at: Instant::now(),
            process: cpu_time(),
            machine: read(&self.stat).and_then(|text| ticks(&text)),
            throttling: self.group.throttling(),
            memory: self.room(read(&self.memory).as_deref()),
            open_files: open_files(),
            tcp_sockets: read(&self.sockets).and_then(|text| tcp_sockets(&text)),
            segments: read(&self.network).and_then(|text| segments(&text)),
        }
    }

    /// The tighter of the machine and the control group.
    fn room(&self, machine: Option<&str>) -> Option<Room> {
        let machine = machine.and_then(room);
        let group = (self.group.memory_left()).zip(self.group.memory_limit());
        let group = group.map(|(available, total)| Room { available, total });
        machine
            .into_iter()
            .chain(group)
            .min_by_key(|room| room.available)
    }
}

/// How many ports there are to connect from.
pub(super) fn local_ports() -> Option<u64> {
    let text = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    let (low, high) = text.trim().split_once(char::is_whitespace)?;
    let (low, high) = (low.parse::<u64>().ok()?, high.trim().parse::<u64>().ok()?);
    (high + 1).checked_sub(low)
}

/// How many files this process may have open.
pub(super) fn open_files_limit() -> Option<u64> {
    getrlimit(Resource::RLIMIT_NOFILE)
        .ok()
        .map(|(soft, _)| soft)
}

/// How many it has open.
fn open_files() -> Option<u64> {
    let directory = "/proc/self/fd";
    // Since Linux 6.2 its size is their number. Before they have to be counted, for which it has to
    // be opened.
    match fs::metadata(directory).ok()?.len() {
        0 => match fs::read_dir(directory) {
            // Less the one that reads.
            Ok(entries) => Some((entries.count() as u64).saturating_sub(1)),
            Err(error) if error.raw_os_error() == Some(Errno::EMFILE as i32) => open_files_limit(),
            Err(_) => None,
        },
        count => Some(count),
    }
}

/// The first line of `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal, and two
/// that are in user and nice already.
fn ticks(text: &str) -> Option<Ticks> {
    let line = text.lines().next()?.strip_prefix("cpu ")?;
    let fields: Vec<u64> = line
        .split_whitespace()
        .take(8)
        .map_while(|field| field.parse().ok())
        .collect();
    let &[_, _, _, idle, waiting, _, _, steal] = fields.as_slice() else {
        return None;
    };
    Some(Ticks {
        total: fields.iter().sum(),
        idle: idle + waiting,
        steal,
    })
}

fn room(text: &str) -> Option<Room> {
    Some(Room {
        available: number_after(text, "MemAvailable:")? * 1024,
        total: number_after(text, "MemTotal:")? * 1024,
    })
}

fn tcp_sockets(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("TCP:"))?;
    let number = |name| {
        let mut fields = line.split_whitespace().skip_while(|field| *field != name);
        fields.nth(1)?.parse::<u64>().ok()
    };
    Some(number("inuse")? + number("tw")?)
}

/// Two lines that begin with `Tcp:`, names above numbers.
fn segments(text: &str) -> Option<Segments> {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix("Tcp:"));
    let (names, numbers) = (lines.next()?, lines.next()?);
    let number = |wanted| {
        let mut pairs = names.split_whitespace().zip(numbers.split_whitespace());
        let (_, number) = pairs.find(|(name, _)| *name == wanted)?;
        number.parse().ok()
    };
    Some(Segments {
        sent: number("OutSegs")?,
        again: number("RetransSegs")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_told_from_idling_and_stealing() {
        let text = "cpu  100 20 30 400 50 1 2 77 9 9\ncpu0 1 2 3 4 5 6 7 8 9 9\n";
        let expected = Ticks {
            total: 680,
            idle: 450,
            steal: 77,
        };
        assert_eq!(ticks(text), Some(expected));
        assert_eq!(ticks("cpu  100 20\n"), None);
        assert_eq!(ticks(""), None);
    }

    #[test]
    fn memory_sockets_and_segments_are_found_by_their_names() {
        let memory = "MemTotal:   2048 kB\nMemFree:    1 kB\nMemAvailable:   512 kB\n";
        let expected = Room {
            available: 512 << 10,
            total: 2 << 20,
        };
        assert_eq!(room(memory), Some(expected));
        let sockets = "sockets: used 20\nTCP: inuse 4 orphan 1 tw 38 alloc 4 mem 44\n";
        assert_eq!(tcp_sockets(sockets), Some(42));
        let network = "Ip: Forwarding\nIp: 1\nTcp: InSegs OutSegs RetransSegs InErrs\n\
                       Tcp: 5 1000 17 0\n";
        let expected = Segments {
            sent: 1000,
            again: 17,
        };
        assert_eq!(segments(network), Some(expected));
        for read in ["", "Tcp: OutSegs\n", "TCP: inuse\n"] {
            assert_eq!((tcp_sockets(read), segments(read)), (None, None), "{read}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn files_that_are_opened_are_counted() {
        let before = open_files().unwrap();
        let files: Vec<File> = (0..500).map(|_| File::open("/dev/null").unwrap()).collect();
        let after = open_files().unwrap();
        // Other tests open and close some as well.
        assert!(
            (before + 300..before + 700).contains(&after),
            "{before} {after}"
        );
        drop(files);
        assert!(open_files_limit().unwrap() > 500);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn linux_tells_everything() {
        let sample = Sources::open().sample();
        assert!(sample.process > Duration::ZERO);
        let machine = sample.machine.unwrap();
        assert!(machine.total > machine.idle);
        let memory = sample.memory.unwrap();
        assert!(memory.total > memory.available && memory.available > 0);
        assert!(sample.tcp_sockets.is_some() && sample.segments.is_some());
        assert!(local_ports().unwrap() > 1000);
    }
}
