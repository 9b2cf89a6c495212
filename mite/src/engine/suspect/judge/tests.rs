//! Each suspicion to the letter, from figures that are given.

use std::time::Duration;

use super::*;

/// A generator about which there is nothing to say.
fn innocent() -> MachineFigures {
    MachineFigures {
        seconds: 60.0,
        cpu_seconds: 30.0,
        peak_rss_bytes: 100 << 20,
        machine_cpu: Some(0.5),
        others_cpu: Some(0.25),
        intervals: 60,
        busy_intervals: 5,
        steal: Some(0.05),
        steal_seconds: 6.0,
        throttled: Some(0.01),
        memory_left: Some(1 << 30),
        memory_total: Some(8 << 30),
        open_files: Some(900),
        open_files_limit: Some(1000),
        tcp_sockets: Some(22_000),
        local_ports: Some(28_232),
        segments: 1_000_000,
        retransmitted: Some(0.01),
        clock_error: None,
        clock_drift: None,
    }
}

fn lag(late: u64, probes: u64) -> Latency {
    let mut lag = Latency::default();
    for probe in 0..probes {
        lag.record(Duration::from_millis(if probe < late { 340 } else { 1 }));
    }
    lag
}

struct Case {
    figures: MachineFigures,
    busy: BusyWorkers,
    lag: Latency,
    requests: u64,
    own_errors: u64,
    lacks: Lacks,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            figures: innocent(),
            busy: BusyWorkers {
                busiest: Some(0.83),
                seconds: 60,
                busy_seconds: 6,
            },
            lag: lag(12, 1200),
            requests: 50_000,
            own_errors: 0,
            lacks: Lacks::default(),
        }
    }
}

impl Case {
    fn suspicions(&self) -> Vec<Suspicion> {
        suspicions(&Evidence {
            machines: Machines::alone(&self.figures),
            workers: 2,
            busy: self.busy,
            loop_lag: &self.lag,
            requests: self.requests,
            own_errors: self.own_errors,
            lacks: self.lacks,
            connections: 100_000,
        })
    }

    /// The one suspicion there is.
    #[track_caller]
    fn only(&self) -> Suspicion {
        let mut suspicions = self.suspicions();
        assert_eq!(suspicions.len(), 1, "{suspicions:#?}");
        suspicions.remove(0)
    }
}

#[track_caller]
fn warns(figures: MachineFigures, name: &str, value: f64, message: &str) {
    let case = Case {
        figures,
        ..Case::default()
    };
    let found = case.only();
    assert_eq!(
        (found.name.as_str(), found.message.as_str()),
        (name, message)
    );
    assert!((found.value - value).abs() < 1e-9, "{found:?}");
    assert!(!found.invalid);
}

#[test]
fn figures_at_their_limits_say_nothing() {
    assert_eq!(Case::default().suspicions(), []);
    let nothing = Case {
        figures: MachineFigures::default(),
        busy: BusyWorkers::default(),
        lag: Latency::default(),
        requests: 0,
        ..Case::default()
    };
    assert_eq!(nothing.suspicions(), [], "a system that tells nothing");
}

#[test]
fn requests_that_this_machine_could_not_make_are_named_with_what_it_lacked() {
    let mut case = Case {
        requests: 4000,
        own_errors: 1000,
        lacks: Lacks {
            descriptors: 1000,
            ..Lacks::default()
        },
        ..Case::default()
    };
    let found = case.only();
    assert_eq!((found.name.as_str(), found.value), ("own_errors", 0.2));
    assert!(found.invalid);
    assert_eq!(
        found.message,
        "1,000 of 5,000 requests (20 %) could not be made, and the server is not to blame: this \
         machine had no file descriptor (no more than 1,000 files may be open) left. Raise the \
         limit of open files (ulimit -n)."
    );

    case.lacks = Lacks {
        ports: 900,
        memory: 100,
        ..Lacks::default()
    };
    assert_eq!(
        case.only().message,
        "1,000 of 5,000 requests (20 %) could not be made, and the server is not to blame: this \
         machine had no local port and no memory for a connection left. Keep connections open from \
         one request to the next, use more source addresses, or widen \
         net.ipv4.ip_local_port_range. Use fewer connections, or a machine with more memory."
    );
}

#[test]
fn a_few_requests_that_could_not_be_made_are_a_warning() {
    let case = |own_errors| Case {
        requests: 10_000 - own_errors,
        own_errors,
        lacks: Lacks {
            ports: own_errors,
            ..Lacks::default()
        },
        ..Case::default()
    };
    assert!(!case(1).only().invalid);
    assert!(!case(10).only().invalid);
    assert!(case(11).only().invalid);
}

#[test]
fn a_loop_that_came_round_late_makes_every_time_doubtful() {
    let case = |late, probes| Case {
        lag: lag(late, probes),
        ..Case::default()
    };
    let found = case(13, 1200).only();
    assert_eq!((found.name.as_str(), found.invalid), ("loop_lag", true));
    assert_eq!(
        found.message,
        "The worker threads were held up: at p99 their loops came round 340ms late, more than \
         100ms, and every time that was measured can be that much too long. Take code that blocks \
         or computes for long out of the journeys, use a release build, or ask for less."
    );
    assert_eq!(
        case(10, 40).suspicions(),
        [],
        "half a second of a short run"
    );
    assert!(case(11, 40).only().invalid);
    assert_eq!(case(8, 8).suspicions(), []);
}

#[test]
fn one_worker_at_its_limit_warns_however_idle_the_others_are() {
    let case = |busy_seconds, seconds| Case {
        busy: BusyWorkers {
            busiest: Some(0.9712),
            seconds,
            busy_seconds,
        },
        ..Case::default()
    };
    let found = case(12, 14).only();
    assert_eq!((found.name.as_str(), found.invalid), ("worker_cpu", false));
    assert_eq!(
        found.message,
        "A worker thread used more than 90 % of its core in 12 of 14 seconds (the busiest 97.1 % on \
         average): part of the times is the generator's own. Use a release build, more cores than \
         these 2 workers have, or ask for less."
    );
    assert_eq!(case(1, 2).suspicions(), [], "one second may be start-up");
}

#[test]
fn a_machine_that_others_keep_busy_is_told() {
    let busy = MachineFigures {
        busy_intervals: 30,
        others_cpu: Some(0.6123),
        ..innocent()
    };
    warns(
        busy.clone(),
        "machine_cpu",
        0.5,
        "The processors of the machine were more than 90 % busy in 30 of 60 seconds, and other \
         programs used 61.2 % of them: the generator had to wait for its turn. Give it a machine \
         of its own, apart from the server it tests.",
    );
    let own = Case {
        figures: MachineFigures {
            others_cpu: Some(0.05),
            ..busy
        },
        ..Case::default()
    };
    assert_eq!(own.suspicions(), [], "it is alone on its machine");
}

#[test]
fn a_host_that_takes_processor_time_away_is_told() {
    let stolen = MachineFigures {
        steal: Some(0.124),
        ..innocent()
    };
    warns(
        stolen,
        "steal",
        0.124,
        "The host of this virtual machine gave 12.4 % of its processor time to others, and what was \
         measured has the waiting in it. Use a machine whose processors are not shared, or a \
         quieter hour.",
    );
}

#[test]
fn a_container_that_is_stopped_is_told() {
    let throttled = MachineFigures {
        throttled: Some(0.5),
        ..innocent()
    };
    warns(
        throttled,
        "throttling",
        0.5,
        "The CPU limit of the container stopped the generator in 50 % of its periods, for up to \
         100ms each, and what was measured has the waiting in it. Raise the limit or remove it.",
    );
}

#[test]
fn memory_that_runs_short_is_told() {
    let short = MachineFigures {
        memory_left: Some(100 << 20),
        memory_total: Some(2 << 30),
        ..innocent()
    };
    warns(
        short,
        "memory",
        100.0 / 2048.0,
        "Memory ran short: at one time 100 MiB of 2.00 GiB were left. A machine without memory is \
         slow before it kills the generator. Use fewer users, keep less in each, or use a larger \
         machine.",
    );
}

#[test]
fn files_and_ports_are_told_before_they_run_out() {
    let files = MachineFigures {
        open_files: Some(950),
        ..innocent()
    };
    warns(
        files,
        "open_files",
        0.95,
        "950 of the 1,000 files that may be open at once were open: a few more, and connections \
         fail. Raise the limit (ulimit -n).",
    );
    let ports = MachineFigures {
        tcp_sockets: Some(25_000),
        ..innocent()
    };
    warns(
        ports,
        "local_ports",
        25_000.0 / 28_232.0,
        "The machine had 25,000 TCP sockets, closed ones of the last minute included, and from one \
         address to one server there can be 28,232: a few more, and connections fail. Keep \
         connections open from one request to the next, use more source addresses, or widen \
         net.ipv4.ip_local_port_range.",
    );
}

#[test]
fn what_has_run_out_is_not_told_a_second_time() {
    let case = Case {
        figures: MachineFigures {
            open_files: Some(1000),
            tcp_sockets: Some(28_232),
            ..innocent()
        },
        own_errors: 10,
        lacks: Lacks {
            descriptors: 5,
            ports: 5,
            memory: 0,
        },
        ..Case::default()
    };
    assert_eq!(case.only().name, "own_errors");
}

#[test]
fn segments_that_were_sent_again_are_told() {
    let again = MachineFigures {
        retransmitted: Some(0.0234),
        ..innocent()
    };
    warns(
        again.clone(),
        "retransmissions",
        0.0234,
        "2.3 % of the TCP segments this machine sent had to be sent again, which takes 200ms or \
         more each time: packets were lost on the way, or a server did not accept its connections \
         in time. Look at both before you trust the slow requests.",
    );
    let few = Case {
        figures: MachineFigures {
            segments: 999,
            ..again
        },
        ..Case::default()
    };
    assert_eq!(few.suspicions(), []);
}
