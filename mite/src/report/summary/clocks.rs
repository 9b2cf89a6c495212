//! Where response time is far above service time, and why.

use super::Summary;
use crate::report::{
    human,
    parts::{JourneySummary, WaitSummary},
};

/// How much longer the response time is, for the difference to be worth a sentence.
const TIMES_LONGER: f64 = 1.5;
/// And by how many seconds.
const LONGER_BY: f64 = 0.010;
/// A cause of less than this part of the waiting is not named beside another.
const LEAST_CAUSE: f64 = 0.1;

/// A percentile at which the two times differ much.
#[derive(Clone, Copy)]
pub(super) struct Difference {
    name: &'static str,
    response: f64,
    service: f64,
    delay: Option<f64>,
}

/// The highest percentile at which response time is far above service time.
///
/// A cap on what is in flight keeps a stall out of all but the last percents of the service time,
/// so the highest percentile alone might show none of it.
pub(super) fn differ(row: &JourneySummary) -> Option<Difference> {
    let (response, service, delay) = (&row.response_time, &row.service_time, &row.start_delay);
    [
        ("p99", response.p99, service.p99, delay.p99),
        ("p95", response.p95, service.p95, delay.p95),
        ("p90", response.p90, service.p90, delay.p90),
        ("p50", response.p50, service.p50, delay.p50),
    ]
    .into_iter()
    .filter_map(|(name, response, service, delay)| {
        Some(Difference {
            name,
            response: response?,
            service: service?,
            delay,
        })
    })
    .find(|at| at.response >= at.service * TIMES_LONGER && at.response - at.service >= LONGER_BY)
}

impl Summary<'_> {
    /// One sentence where the service time alone would tell a rosier tale.
    pub(super) fn waited(&self, row: &JourneySummary) -> Option<String> {
        let Difference {
            name,
            response,
            service,
            delay,
        } = differ(row)?;
        let delay = delay.map_or_else(String::new, |delay| {
            format!(" {} at {name}", human::time(delay))
        });
        Some(format!(
            "{}: response time {name} {}, service time {name} {}: starts waited{delay} for {}. A \
             user would have felt the response time, which counts from when a start was due.",
            self.entry(&row.journey, row.entry),
            human::time(response),
            human::time(service),
            self.causes(row.waits),
        ))
    }

    /// What starts waited for, the main cause first.
    pub(super) fn causes(&self, waits: WaitSummary) -> String {
        let generator = &self.report.generator;
        let lag = generator.loop_lag.p99.map_or_else(String::new, |lag| {
            format!(", loop lag p99 {}", human::time(lag))
        });
        let mut causes = [
            (
                waits.room,
                match generator.max_in_flight {
                    0 => "room".to_owned(),
                    most => format!("room (--max-in-flight {most} was reached)"),
                },
            ),
            (
                waits.data,
                "data (its datapool had none to give)".to_owned(),
            ),
            (
                waits.worker,
                format!("their worker (it was busy or blocked{lag})"),
            ),
        ];
        causes.sort_by(|one, other| other.0.total_cmp(&one.0));
        let all: f64 = causes.iter().map(|(seconds, _)| seconds).sum();
        let named: Vec<&str> = causes
            .iter()
            .filter(|(seconds, _)| all > 0.0 && *seconds >= all * LEAST_CAUSE)
            .map(|(_, cause)| cause.as_str())
            .collect();
        match named.split_last() {
            None => "their turn".to_owned(),
            Some((only, [])) => (*only).to_owned(),
            Some((last, others)) => format!("{} and for {last}", others.join(", for ")),
        }
    }
}
