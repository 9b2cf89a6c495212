//! What the report says of the load generator itself.

use super::Settings;
use crate::{
    controller::Outcome,
    engine::{suspect::Figures, system::peak_rss_bytes},
    report::{GeneratorSummary, OwnErrors, Suspicion},
    stats::Lacks,
};

/// What was seen of the generator, and what is held against it.
pub(super) fn summary(
    settings: &Settings,
    outcome: &Outcome,
    figures: &Figures,
    suspicions: Vec<Suspicion>,
) -> GeneratorSummary {
    let statistics = &outcome.totals.generator;
    let Lacks {
        descriptors,
        ports,
        memory,
    } = statistics.lacks;
    let starved = outcome.entries.iter().filter(|entry| entry.starved);
    GeneratorSummary {
        runners: u32::try_from(outcome.crew.len()).unwrap_or(u32::MAX),
        workers: outcome.workers(),
        max_in_flight: settings.max_in_flight as u64,
        loop_lag: statistics.loop_lag.summary(),
        cpu_seconds: figures.cpu_seconds,
        peak_rss_bytes: peak_rss_bytes(),
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
        notes: Vec::new(),
    }
}
