//! How the run stands: its state, its load, its thresholds, and how the generator fares.

use std::{collections::BTreeMap, time::UNIX_EPOCH};

use super::{
    family::{Family, Kind},
    maker::Maker,
    source::RunState,
};

impl Maker<'_> {
    pub(super) fn run(&mut self) {
        let now = self.source.now();
        self.add(
            "mite_info",
            Kind::Info,
            "The program that runs the test.",
            |family, test| {
                family.number(test.with("version", env!("CARGO_PKG_VERSION")), 1.0);
            },
        );
        let help = "1 for what the run is about; nothing is counted in the warm-up.";
        self.add("mite_run_state", Kind::Gauge, help, |family, test| {
            for (state, name) in [
                (RunState::WarmUp, "warm_up"),
                (RunState::Running, "running"),
                (RunState::Stopping, "stopping"),
                (RunState::Over, "over"),
            ] {
                let is_it = f64::from(u8::from(now.state == state));
                family.number(test.with("state", name), is_it);
            }
        });
        let started = now
            .started_at
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        for (name, help, time) in [
            (
                "mite_run_start_time_seconds",
                "When the run began, in Unix time.",
                started,
            ),
            (
                "mite_run_elapsed_seconds",
                "How old the run is.",
                now.elapsed,
            ),
            (
                "mite_run_measured_seconds",
                "The part of it after the warm-up.",
                now.measured,
            ),
        ] {
            self.one(name, Kind::Gauge, help, time.as_secs_f64());
        }
        if let Some(planned) = now.planned {
            let help = "How long the run is to last.";
            self.one(
                "mite_run_planned_seconds",
                Kind::Gauge,
                help,
                planned.as_secs_f64(),
            );
        }
        let help = "Processes that run journeys.";
        self.one("mite_runner_count", Kind::Gauge, help, now.runners.into());
        let help = "Their worker threads.";
        self.one("mite_worker_count", Kind::Gauge, help, now.workers.into());
        let help = "How much of the plan as it was written is asked for.";
        self.one("mite_volume_factor", Kind::Gauge, help, now.volume_factor);
    }

    pub(super) fn entries(&mut self) {
        let mut actual = Family::new("mite_actual_count", Kind::Gauge, "Journeys in flight.");
        let mut users = Family::new(
            "mite_required_count",
            Kind::Gauge,
            "Journeys that should be in flight, in the closed model.",
        );
        let mut rate = Family::new(
            "mite_required_starts_per_second",
            Kind::Gauge,
            "Journeys that should start each second, in the open model.",
        );
        for (index, entry) in self.source.now().entries.iter().enumerate() {
            let labels = self
                .test
                .with("journey", self.source.masked(&entry.journey));
            let labels = labels.with("entry", index.to_string());
            actual.number(labels.clone(), entry.users as f64);
            if let Some(required) = entry.required_users {
                users.number(labels.clone(), required);
            }
            if let Some(required) = entry.required_rate {
                rate.number(labels, required);
            }
        }
        self.families.extend([actual, users, rate]);
    }

    pub(super) fn thresholds(&mut self) {
        let mut value = Family::new(
            "mite_threshold_value",
            Kind::Gauge,
            "What a threshold measures, times in seconds and shares between 0 and 1.",
        );
        let mut holds = Family::new(
            "mite_threshold_holds",
            Kind::Gauge,
            "1 if a threshold holds.",
        );
        for threshold in &self.source.now().thresholds {
            let labels = self
                .test
                .with("threshold", self.source.masked(&threshold.expression));
            if let Some(measured) = threshold.value {
                value.number(labels.clone(), measured);
            }
            holds.number(labels, f64::from(u8::from(threshold.passing)));
        }
        self.families.extend([value, holds]);
    }

    pub(super) fn generator(&mut self) {
        let generator = &self.source.totals().generator;
        let help = "How late the loops of the workers came to what was due.";
        self.add(
            "mite_generator_loop_lag_seconds",
            Kind::Times,
            help,
            |family, test| {
                family.samples(test.clone(), &generator.loop_lag);
            },
        );
        let help = "Processor time of the load generator since the run began, warm-up included.";
        let seconds = self.source.now().cpu_seconds;
        self.one(
            "mite_generator_cpu_seconds_total",
            Kind::Counter,
            help,
            seconds,
        );
        let help = "Connections not opened for want of something of this machine's own.";
        self.add(
            "mite_generator_lacks_total",
            Kind::Counter,
            help,
            |family, test| {
                let lacks = generator.lacks;
                for (what, count) in BTreeMap::from([
                    ("descriptors", lacks.descriptors),
                    ("ports", lacks.ports),
                    ("memory", lacks.memory),
                ]) {
                    family.number(test.with("what", what), count as f64);
                }
            },
        );
    }
}
