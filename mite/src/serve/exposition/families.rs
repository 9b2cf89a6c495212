//! Which metrics every run has: what was counted, under the names Prometheus knows them by.

use std::{collections::BTreeMap, time::UNIX_EPOCH};

use super::{
    family::{Family, Kind, Labels},
    user,
};
use crate::{
    event::PHASES,
    serve::{Moment, RunState},
    stats::{JourneyKey, Latency},
};

/// All metrics of a run, its own ones last.
pub(crate) fn of(moment: &dyn Moment) -> Vec<Family> {
    let test = Labels::default().with("test", moment.masked(&moment.now().scenario));
    let maker = Maker {
        moment,
        test,
        families: Vec::new(),
    };
    let mut maker = maker;
    maker.run();
    maker.entries();
    maker.journeys();
    maker.transactions();
    maker.requests();
    maker.exchange();
    maker.errors();
    maker.thresholds();
    maker.generator();
    let metrics = &moment.totals().metrics;
    maker
        .families
        .extend(user::families(metrics, &maker.test, moment));
    maker.families
}

struct Maker<'a> {
    moment: &'a dyn Moment,
    test: Labels,
    families: Vec<Family>,
}

impl Maker<'_> {
    fn add(&mut self, name: &str, kind: Kind, help: &str, fill: impl FnOnce(&mut Family, &Labels)) {
        let mut family = Family::new(name, kind, help);
        fill(&mut family, &self.test);
        self.families.push(family);
    }

    /// A number that every run has one of.
    fn one(&mut self, name: &str, kind: Kind, help: &str, number: f64) {
        self.add(name, kind, help, |family, test| {
            family.number(test.clone(), number);
        });
    }

    fn run(&mut self) {
        let now = self.moment.now();
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

    fn entries(&mut self) {
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
        for (index, entry) in self.moment.now().entries.iter().enumerate() {
            let labels = self
                .test
                .with("journey", self.moment.masked(&entry.journey));
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

    fn journeys(&mut self) {
        let rows = &self.moment.totals().journeys;
        let labels = |key: &JourneyKey| {
            let labels = self.test.with("journey", self.moment.masked(&key.journey));
            labels.with("entry", key.entry.0.to_string())
        };
        let counter = |name, help| Family::new(name, Kind::Counter, help);
        let times = |name, help| Family::new(name, Kind::Times, help);
        let mut started = counter("mite_journey_started_total", "Journeys that began.");
        let mut ended = counter("mite_journey_ended_total", "Journeys that ended, by how.");
        let mut dropped = counter(
            "mite_journey_dropped_total",
            "Planned journeys that were given up before they began.",
        );
        let mut response = times(
            "mite_journey_response_time_seconds",
            "From the intended start of a journey to its end.",
        );
        let mut service = times(
            "mite_journey_service_time_seconds",
            "From the actual start of a completed journey to its end.",
        );
        let mut delay = times(
            "mite_journey_start_delay_seconds",
            "From the intended start of a journey to the actual one, in the open model.",
        );
        for (key, row) in rows {
            let labels = labels(key);
            started.number(labels.clone(), row.started as f64);
            dropped.number(labels.clone(), row.dropped as f64);
            for (outcome, count) in [
                ("completed", row.completed),
                ("failed", row.failed),
                ("interrupted", row.interrupted),
            ] {
                ended.number(labels.with("outcome", outcome), count as f64);
            }
            by_outcome(&mut response, &labels, &row.response_time, &row.failed_time);
            service.samples(labels.clone(), &row.service_time);
            delay.samples(labels, &row.start_delay);
        }
        self.families
            .extend([started, ended, dropped, response, service, delay]);
    }

    fn transactions(&mut self) {
        let mut count = Family::new(
            "mite_transaction_total",
            Kind::Counter,
            "Transactions that came to an end.",
        );
        let mut times = Family::new(
            "mite_transaction_time_seconds",
            Kind::Times,
            "How long transactions took.",
        );
        for (key, row) in self.moment.totals().transactions.iter() {
            let labels = self.place(&key.journey, &key.transaction);
            for (had_error, number, time) in [
                ("false", row.count - row.errors, &row.time),
                ("true", row.errors, &row.failed_time),
            ] {
                let labels = labels.with("had_error", had_error);
                count.number(labels.clone(), number as f64);
                if !time.is_empty() {
                    times.samples(labels, time);
                }
            }
        }
        self.families.extend([count, times]);
    }

    fn requests(&mut self) {
        let mut count = Family::new(
            "mite_http_response_total",
            Kind::Counter,
            "Requests of which at least a byte was sent, by the status of the answer; it is empty \
             where there was none.",
        );
        let mut times = Family::new(
            "mite_http_response_time_seconds",
            Kind::Times,
            "From the beginning of a request to the end of its answer.",
        );
        for (key, row) in self.moment.totals().http.requests_by.iter() {
            let labels = self.place(&key.journey, &key.transaction);
            let labels = labels.with("name", self.moment.masked(&key.name));
            let labels = labels.with("method", self.moment.masked(&key.method));
            let status = key.status.map(|status| status.to_string());
            let of_status = labels.with("response_code", status.unwrap_or_default());
            count.number(of_status, row.count as f64);
            by_outcome(&mut times, &labels, &row.time, &row.failed_time);
        }
        self.families.extend([count, times]);
    }

    /// What there is of all requests together.
    fn exchange(&mut self) {
        let totals = self.moment.totals();
        let http = &totals.http;
        for (name, help, count) in [
            (
                "mite_http_failed_total",
                "Requests that failed.",
                http.failed,
            ),
            ("mite_http_sent_bytes_total", "Bytes sent.", http.bytes_sent),
            (
                "mite_http_received_bytes_total",
                "Bytes received.",
                http.bytes_received,
            ),
            (
                "mite_http_connections_opened_total",
                "Connections opened.",
                http.connections.opened,
            ),
            (
                "mite_http_connections_reused_total",
                "Requests on a connection that had carried another.",
                http.connections.reused,
            ),
            (
                "mite_http_connections_failed_total",
                "Connections that could not be opened.",
                totals.generator.connections_failed,
            ),
            (
                "mite_http_tls_handshakes_total",
                "Connections opened with TLS.",
                http.connections.tls_handshakes,
            ),
            (
                "mite_http_tls_resumed_total",
                "Of these, those that resumed an earlier session.",
                http.connections.tls_resumed,
            ),
        ] {
            self.one(name, Kind::Counter, help, count as f64);
        }
        let help = "Requests without an answer, by what went wrong.";
        self.add(
            "mite_http_error_total",
            Kind::Counter,
            help,
            |family, test| {
                for (kind, count) in &http.errors {
                    family.number(test.with("kind", &**kind), *count as f64);
                }
            },
        );
        let phases = http.phases();
        let help = "How long the phases of requests took.";
        self.add(
            "mite_http_phase_seconds",
            Kind::Times,
            help,
            |family, test| {
                for phase in PHASES {
                    if let Some(times) = phases.get(phase).filter(|times| !times.is_empty()) {
                        family.samples(test.with("phase", phase), times);
                    }
                }
            },
        );
        let help = "How long it took to look up a host, in seconds.";
        self.add("mite_dns_time", Kind::Times, help, |family, test| {
            if let Some(times) = phases.get("dns") {
                family.samples(test.clone(), times);
            }
        });
    }

    fn errors(&mut self) {
        let mut family = Family::new(
            "mite_journey_error_total",
            Kind::Counter,
            "Failures of journeys, by their kind and their place in the source.",
        );
        for (key, count) in self.moment.totals().errors.iter() {
            let labels = self.place(&key.journey, &key.transaction);
            let labels = labels.with("location", self.moment.masked(&key.location));
            family.number(
                labels.with("ex_type", self.moment.masked(&key.kind)),
                *count as f64,
            );
        }
        self.families.push(family);
    }

    fn thresholds(&mut self) {
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
        for threshold in &self.moment.now().thresholds {
            let labels = self
                .test
                .with("threshold", self.moment.masked(&threshold.expression));
            if let Some(measured) = threshold.value {
                value.number(labels.clone(), measured);
            }
            holds.number(labels, f64::from(u8::from(threshold.passing)));
        }
        self.families.extend([value, holds]);
    }

    fn generator(&mut self) {
        let generator = &self.moment.totals().generator;
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
        let seconds = self.moment.now().cpu_seconds;
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

    /// A transaction of a journey.
    fn place(&self, journey: &str, transaction: &str) -> Labels {
        let labels = self.test.with("journey", self.moment.masked(journey));
        labels.with("transaction", self.moment.masked(transaction))
    }
}

/// Times of successes and of failures, which are kept apart.
fn by_outcome(family: &mut Family, labels: &Labels, good: &Latency, bad: &Latency) {
    for (outcome, times) in [("success", good), ("failure", bad)] {
        if !times.is_empty() {
            family.samples(labels.with("outcome", outcome), times);
        }
    }
}
