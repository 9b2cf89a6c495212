//! What speaks against the generator and the machine it runs on: figures in, sentences out.

use super::Machines;
use crate::{
    controller::{BusyWorkers, Outcome},
    report::{
        Cause, Suspicion,
        human::{bytes, count, percent, plural, time},
    },
    stats::{Lacks, Latency, MachineFigures},
};

/// The part of the requests that may fail for want of something of the generator's own.
const OWN_ERRORS: f64 = 0.001;
/// The loop lag at the 99th percentile beyond which times are the generator's own, in seconds.
const LOOP_LAG: f64 = 0.1;
/// So many late probes are half a second of a worker; fewer are no more than a hiccup.
const LATE_PROBES: f64 = 10.0;
/// The part of the seconds of a run that may be busy ones.
const BUSY_SECONDS: f64 = 0.1;
/// And so many of them are start-up.
const BUSY_AT_LEAST: u64 = 2;
/// The part of the processors that others may use while the machine is busy.
const OTHERS: f64 = 0.1;
/// The part of the processors' time that a host may give to others.
const STEAL: f64 = 0.05;
/// The part of its periods in which a container may be stopped.
const THROTTLED: f64 = 0.01;
/// The part of the memory that has to be left.
const MEMORY_LEFT: f64 = 0.1;
/// The part of the files that may be open that is open.
const OPEN_FILES: f64 = 0.9;
/// The part of the local ports that is in use.
const LOCAL_PORTS: f64 = 0.8;
/// The part of the TCP segments that may have to be sent again.
const RETRANSMITTED: f64 = 0.01;
/// How far the clock of a runner may be from the controller's, in seconds.
const CLOCK: f64 = 0.1;
/// A share of fewer segments says nothing.
const SEGMENTS: u64 = 1000;

/// All that the generator is judged by, but for the load it produced.
#[derive(Clone, Debug)]
pub(super) struct Evidence<'a> {
    machines: Machines<'a>,
    workers: u32,
    busy: BusyWorkers,
    loop_lag: &'a Latency,
    /// Requests of which something was written.
    requests: u64,
    /// Requests that failed for want of something of the generator's own.
    own_errors: u64,
    lacks: Lacks,
    connections: u64,
}

impl<'a> Evidence<'a> {
    pub(super) fn new(outcome: &'a Outcome, figures: &'a MachineFigures) -> Self {
        let totals = &outcome.totals;
        Self {
            machines: Machines::new(&outcome.crew, figures),
            workers: outcome.workers(),
            busy: outcome.busy,
            loop_lag: &totals.generator.loop_lag,
            requests: totals.http.requests,
            own_errors: totals.http.errors.get("local").copied().unwrap_or(0),
            lacks: totals.generator.lacks,
            connections: totals.http.connections.opened,
        }
    }
}

/// What is held against the generator, in order of weight.
pub(super) fn suspicions(evidence: &Evidence<'_>) -> Vec<Suspicion> {
    let machines = &evidence.machines;
    // What it may open on each machine if all do alike.
    let connections = evidence.connections / machines.count();
    let checks = [
        own_errors(evidence),
        loop_lag(evidence.loop_lag),
        worker_cpu(evidence),
        machines.worst(machine_cpu),
        machines.worst(steal),
        machines.worst(throttling),
        machines.worst(memory),
        machines.worst(|figures| open_files(figures, evidence.lacks)),
        machines.worst(|figures| local_ports(figures, connections, evidence.lacks)),
        machines.worst(retransmissions),
        machines.worst(clock),
    ];
    checks.into_iter().flatten().collect()
}

/// Whether it tells of workers that were held up or at their limit, so that times may be their own.
pub(super) fn is_strain(suspicion: &Suspicion) -> bool {
    ["loop_lag", "worker_cpu", "throttling"].contains(&suspicion.name.as_str())
}

fn own_errors(evidence: &Evidence<'_>) -> Option<Suspicion> {
    let failed = evidence.own_errors;
    let asked = evidence.requests + failed;
    let share = failed as f64 / asked.max(1) as f64;
    let (lacked, remedies) = lacked(evidence);
    (failed > 0).then(|| Suspicion {
        name: "own_errors".to_owned(),
        value: share,
        limit: OWN_ERRORS,
        invalid: share > OWN_ERRORS,
        cause: Cause::Generator,
        message: format!(
            "{} of {} ({}) could not be made, and the server is not to blame: this machine had \
             {lacked} left. {remedies}",
            count(failed),
            plural(asked, "request"),
            percent(share),
        ),
    })
}

/// What there was none of, most often first, and what to do about it.
fn lacked(evidence: &Evidence<'_>) -> (String, String) {
    let Lacks {
        descriptors,
        ports,
        memory,
    } = evidence.lacks;
    let limit = evidence.machines.together().open_files_limit;
    let limit = limit.map_or_else(String::new, |limit| {
        format!(" (no more than {} files may be open)", count(limit))
    });
    let mut lacks = [
        (
            descriptors,
            format!("no file descriptor{limit}"),
            "Raise the limit of open files (ulimit -n).",
        ),
        (
            ports,
            "no local port".to_owned(),
            "Keep connections open from one request to the next, use more source addresses, or \
             widen net.ipv4.ip_local_port_range.",
        ),
        (
            memory,
            "no memory for a connection".to_owned(),
            "Use fewer connections, or a machine with more memory.",
        ),
    ];
    lacks.sort_by_key(|(times, ..)| std::cmp::Reverse(*times));
    let there = || lacks.iter().filter(|(times, ..)| *times > 0);
    let what: Vec<_> = there().map(|(_, what, _)| what.as_str()).collect();
    let remedies: Vec<_> = there().map(|(.., remedy)| *remedy).collect();
    if what.is_empty() {
        // Both are counted to the second, and the warm-up may have ended between the two.
        return ("nothing".to_owned(), String::new());
    }
    (what.join(" and "), remedies.join(" "))
}

fn loop_lag(lag: &Latency) -> Option<Suspicion> {
    let probes = lag.count() as f64;
    // Of a short run, a single late probe is more than one in a hundred.
    let judged = (1.0 - LATE_PROBES / probes).min(0.99);
    let is_late = judged > 0.0 && lag.quantile(judged)?.as_secs_f64() > LOOP_LAG;
    let late = lag.quantile(0.99)?.as_secs_f64();
    is_late.then(|| Suspicion {
        name: "loop_lag".to_owned(),
        value: late,
        limit: LOOP_LAG,
        invalid: true,
        cause: Cause::Generator,
        message: format!(
            "The worker threads were held up: at p99 their loops came round {} late, more than \
             {}, and every time that was measured can be that much too long. Take code that \
             blocks or computes for long out of the journeys, use a release build, or ask for less.",
            time(late),
            time(LOOP_LAG)
        ),
    })
}

fn worker_cpu(evidence: &Evidence<'_>) -> Option<Suspicion> {
    let busy = evidence.busy;
    let share = busy.busy_seconds as f64 / busy.seconds.max(1) as f64;
    let average = busy.busiest.unwrap_or(0.0);
    let workers = plural(evidence.workers.into(), "worker");
    (share > BUSY_SECONDS && busy.busy_seconds >= BUSY_AT_LEAST).then(|| {
        warning(
            "worker_cpu",
            share,
            BUSY_SECONDS,
            format!(
                "A worker thread used more than 90 % of its core in {} of {} (the busiest {} on \
             average): part of the times is the generator's own. Use a release build, more cores \
             than these {workers} have, or ask for less.",
                count(busy.busy_seconds),
                plural(busy.seconds, "second"),
                percent(round(average)),
            ),
        )
    })
}

fn machine_cpu(figures: &MachineFigures) -> Option<Suspicion> {
    let share = figures.busy_intervals as f64 / figures.intervals.max(1) as f64;
    let others = figures.others_cpu?;
    let is_busy = share > BUSY_SECONDS && figures.busy_intervals >= BUSY_AT_LEAST;
    (is_busy && others > OTHERS).then(|| {
        warning(
            "machine_cpu",
            share,
            BUSY_SECONDS,
            format!(
                "The processors of the machine were more than 90 % busy in {} of {}, and other \
             programs used {} of them: the generator had to wait for its turn. Give it a machine \
             of its own, apart from the server it tests.",
                count(figures.busy_intervals),
                plural(figures.intervals, "second"),
                percent(round(others)),
            ),
        )
    })
}

fn steal(figures: &MachineFigures) -> Option<Suspicion> {
    let share = figures.steal.filter(|share| *share > STEAL)?;
    Some(warning(
        "steal",
        share,
        STEAL,
        format!(
            "The host of this virtual machine gave {} of its processor time to others, and what \
             was measured has the waiting in it. Use a machine whose processors are not shared, or \
             a quieter hour.",
            percent(round(share))
        ),
    ))
}

fn clock(figures: &MachineFigures) -> Option<Suspicion> {
    let error = figures.clock_error?;
    let drift = figures.clock_drift.unwrap_or_default();
    let off = error + drift;
    (off > CLOCK).then(|| {
        let message = format!(
            "The clock may have been {} from that of the controller: it was known to {} at the \
             beginning, and the two have gone {} apart since. Starts come that much too early or \
             too late, and what was counted may be in the second before or after; durations are \
             as they were measured. Look at what the machine takes its time from, and at the \
             network.",
            time(off),
            time(error),
            time(drift)
        );
        warning("clock", off, CLOCK, message)
    })
}

fn throttling(figures: &MachineFigures) -> Option<Suspicion> {
    let share = figures.throttled.filter(|share| *share > THROTTLED)?;
    Some(warning(
        "throttling",
        share,
        THROTTLED,
        format!(
            "The CPU limit of the container stopped the generator in {} of its periods, for up to \
             100ms each, and what was measured has the waiting in it. Raise the limit or remove it.",
            percent(round(share))
        ),
    ))
}

fn memory(figures: &MachineFigures) -> Option<Suspicion> {
    let (left, total) = (figures.memory_left?, figures.memory_total?);
    let share = left as f64 / total.max(1) as f64;
    (share < MEMORY_LEFT).then(|| warning(
        "memory",
        share,
        MEMORY_LEFT,
        format!(
            "Memory ran short: at one time {} of {} were left. A machine without memory is slow \
             before it kills the generator. Use fewer users, keep less in each, or use a larger \
             machine.",
            bytes(left),
            bytes(total)
        ),
    ))
}

fn open_files(figures: &MachineFigures, lacks: Lacks) -> Option<Suspicion> {
    let (open, limit) = (figures.open_files?, figures.open_files_limit?);
    let share = open as f64 / limit.max(1) as f64;
    (share > OPEN_FILES && lacks.descriptors == 0).then(|| warning(
        "open_files",
        share,
        OPEN_FILES,
        format!(
            "{} of the {} files that may be open at once were open: a few more, and connections \
             fail. Raise the limit (ulimit -n).",
            count(open),
            count(limit)
        ),
    ))
}

fn local_ports(figures: &MachineFigures, connections: u64, lacks: Lacks) -> Option<Suspicion> {
    let (sockets, ports) = (figures.tcp_sockets?, figures.local_ports?);
    let share = sockets as f64 / ports.max(1) as f64;
    // Others have sockets as well; it is about those that open many.
    let own = connections as f64 / ports.max(1) as f64;
    (share > LOCAL_PORTS && own > LOCAL_PORTS && lacks.ports == 0).then(|| warning(
        "local_ports",
        share,
        LOCAL_PORTS,
        format!(
            "The machine had {}, closed ones of the last minute included, and from one address to \
             one server there can be {}: a few more, and connections fail. Keep connections open \
             from one request to the next, use more source addresses, or widen \
             net.ipv4.ip_local_port_range.",
            plural(sockets, "TCP socket"),
            count(ports)
        ),
    ))
}

fn retransmissions(figures: &MachineFigures) -> Option<Suspicion> {
    let share = figures
        .retransmitted
        .filter(|share| *share > RETRANSMITTED)?;
    (figures.segments >= SEGMENTS).then(|| Suspicion {
        cause: Cause::Server,
        ..warning(
        "retransmissions",
        share,
        RETRANSMITTED,
        format!(
            "{} of the TCP segments this machine sent had to be sent again, which takes 200ms or \
             more each time: packets were lost on the way, or a server did not accept its \
             connections in time. Look at both before you trust the slow requests.",
            percent(round(share))
        ),
    )})
}

/// A suspicion of the generator that leaves the run valid.
fn warning(name: &str, value: f64, limit: f64, message: String) -> Suspicion {
    Suspicion {
        name: name.to_owned(),
        value,
        limit,
        invalid: false,
        cause: Cause::Generator,
        message,
    }
}

/// A share to the tenth of a percent.
fn round(share: f64) -> f64 {
    (share * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests;
