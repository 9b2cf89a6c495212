//! What the report says of the load generator itself.

use crate::{
    controller::{MemberOutcome, Outcome, Takeover},
    engine::suspect::Machines,
    report::{GeneratorSummary, OwnErrors, RunnerSummary, Suspicion, TakeoverSummary},
    stats::{Lacks, MachineFigures},
};

/// What was seen of the generator, and what is held against it.
pub(super) fn summary(
    outcome: &Outcome,
    figures: &MachineFigures,
    suspicions: Vec<Suspicion>,
) -> GeneratorSummary {
    let statistics = &outcome.totals.generator;
    let Lacks {
        descriptors,
        ports,
        memory,
    } = statistics.lacks;
    let machines = Machines::new(&outcome.crew, figures);
    let figures = machines.together();
    let starved = outcome.entries.iter().filter(|entry| entry.starved);
    GeneratorSummary {
        runners: u32::try_from(outcome.crew.len()).unwrap_or(u32::MAX),
        workers: outcome.workers(),
        max_in_flight: outcome.max_in_flight(),
        loop_lag: statistics.loop_lag.summary(),
        cpu_seconds: figures.cpu_seconds,
        peak_rss_bytes: figures.peak_rss_bytes,
        saturated: suspicions.iter().any(|one| one.name == "worker_cpu"),
        busiest_worker_cpu: outcome.busy.busiest,
        machine_cpu: figures.machine_cpu,
        steal_seconds: figures.steal_seconds,
        throttled: figures.throttled,
        memory_left_bytes: figures.memory_left,
        open_files: figures.open_files,
        open_files_limit: figures.open_files_limit,
        tcp_sockets: figures.tcp_sockets,
        local_ports: figures.local_ports,
        retransmitted: figures.retransmitted,
        own_errors: OwnErrors {
            descriptors,
            ports,
            memory,
        },
        suspicions,
        starved: starved.map(|entry| entry.journey.clone()).collect(),
        takeovers: outcome.takeovers.iter().map(takeover).collect(),
        notes: Vec::new(),
        by_runner: outcome.crew.iter().filter_map(runner).collect(),
    }
}

fn takeover(takeover: &Takeover) -> TakeoverSummary {
    TakeoverSummary {
        at_seconds: takeover.at.as_secs_f64(),
        gap_seconds: takeover.gap.as_secs_f64(),
    }
}

/// What a runner on a machine of its own did; that of this process needs no row.
fn runner(member: &MemberOutcome) -> Option<RunnerSummary> {
    let figures = member.machine.as_deref();
    (!member.recruit.host.is_empty()).then(|| RunnerSummary {
        host: member.recruit.host.clone(),
        workers: member.recruit.workers,
        weight: member.recruit.weight,
        joined_seconds: member.joined.as_secs_f64(),
        left_seconds: member.left.map(|left| left.as_secs_f64()),
        lost: member.lost,
        cpu_seconds: figures.map(|figures| figures.cpu_seconds),
        peak_rss_bytes: figures.map(|figures| figures.peak_rss_bytes),
        machine_cpu: figures.and_then(|figures| figures.machine_cpu),
        steal_seconds: figures.map(|figures| figures.steal_seconds),
        clock_error_seconds: figures.and_then(|figures| figures.clock_error),
        clock_drift_seconds: figures.and_then(|figures| figures.clock_drift),
    })
}
