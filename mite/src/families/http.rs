//! What the HTTP clients saw.

use super::{
    family::{Family, Kind},
    maker::{Maker, by_outcome},
};
use crate::event::PHASES;

impl Maker<'_> {
    pub(super) fn requests(&mut self) {
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
        for (key, row) in self.source.totals().http.requests_by.iter() {
            let labels = self.place(&key.journey, &key.transaction);
            let labels = labels.with("name", self.source.masked(&key.name));
            let labels = labels.with("method", self.source.masked(&key.method));
            let status = key.status.map(|status| status.to_string());
            let of_status = labels.with("response_code", status.unwrap_or_default());
            count.number(of_status, row.count as f64);
            by_outcome(&mut times, &labels, &row.time, &row.failed_time);
        }
        self.families.extend([count, times]);
    }

    /// What there is of all requests together.
    pub(super) fn exchange(&mut self) {
        let totals = self.source.totals();
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
}
