//! What the report says of requests and connections.

use std::{cmp::Reverse, collections::BTreeMap};

use crate::{
    report::{ConnectionSummary, HttpSummary, PhaseSummary, RequestRow, RequestSummary, Spread},
    stats::{HttpKey, Latency, PhaseStatistics, RequestStatistics, Statistics},
};

/// What the HTTP clients saw.
pub(super) fn summary(totals: &Statistics) -> HttpSummary {
    let http = &totals.http;
    HttpSummary {
        requests: http.requests,
        failed: http.failed,
        bytes_sent: http.bytes_sent,
        bytes_received: http.bytes_received,
        encoded_body_bytes: http.encoded_body_bytes(),
        decoded_body_bytes: http.decoded_body_bytes(),
        time: http.time.summary(),
        failed_time: http.failed_time.summary(),
        distribution: Spread::of(&http.time),
        failed_distribution: Spread::of(&http.failed_time),
        phases: phases(&http.phases()),
        errors: http
            .errors
            .iter()
            .map(|(kind, count)| (kind.to_string(), *count))
            .collect(),
        versions: http
            .versions
            .iter()
            .map(|(version, count)| (format!("{version:?}"), count))
            .collect(),
        connections: ConnectionSummary {
            opened: http.connections.opened,
            reused: http.connections.reused,
            failed: totals.generator.connections_failed,
            tls_handshakes: http.connections.tls_handshakes,
            tls_resumed: http.connections.tls_resumed,
            fallbacks: http.connections.fallbacks,
        },
        requests_by: http
            .requests_by
            .iter()
            .map(|(key, row)| request_row(key, row))
            .collect(),
        requests_by_name: requests_by_name(totals),
    }
}

fn request_row(key: &HttpKey, row: &RequestStatistics) -> RequestRow {
    let [waiting, dns, connect, tls, sent, first_byte, body] = row.phases.summaries();
    RequestRow {
        journey: key.journey.to_string(),
        transaction: key.transaction.to_string(),
        name: key.name.to_string(),
        method: key.method.to_string(),
        status: key.status,
        count: row.count,
        time: row.all_time().summary(),
        failed_time: row.failed_time.summary(),
        waiting,
        dns,
        connect,
        tls,
        sent,
        first_byte,
        body,
        encoded_body_bytes: row.encoded_body_bytes,
        decoded_body_bytes: row.decoded_body_bytes,
    }
}

fn phases(phases: &PhaseStatistics) -> PhaseSummary {
    let [waiting, dns, connect, tls, sent, first_byte, body] = phases.summaries();
    PhaseSummary {
        waiting,
        dns,
        connect,
        tls,
        sent,
        first_byte,
        body,
    }
}

fn requests_by_name(totals: &Statistics) -> Vec<RequestSummary> {
    #[derive(Default)]
    struct Row {
        count: u64,
        failures: BTreeMap<String, u64>,
        time: Latency,
        failed_time: Latency,
    }
    let mut rows: BTreeMap<(&str, &str), Row> = BTreeMap::new();
    for (key, request) in totals.http.requests_by.iter() {
        let row = rows.entry((&key.name, &key.method)).or_default();
        row.count += request.count;
        row.time.merge(&request.time);
        row.failed_time.merge(&request.failed_time);
        if request.failed > 0 {
            let status = key
                .status
                .map_or_else(|| "no answer".to_owned(), |s| s.to_string());
            *row.failures.entry(status).or_default() += request.failed;
        }
    }
    let mut rows: Vec<_> = rows
        .into_iter()
        .map(|((name, method), row)| RequestSummary {
            name: name.to_owned(),
            method: method.to_owned(),
            count: row.count,
            failures: row.failures,
            time: row.time.summary(),
            failed_time: row.failed_time.summary(),
        })
        .collect();
    rows.sort_by_key(|row| Reverse(row.count));
    rows
}
