//! How the run is doing, put together once a second for whoever looks on.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    config::Config,
    controller::{Controller, Second},
    report::{NameNow, Progress, Speed, State, ThresholdNow, request_label},
    scenario::threshold::ThresholdResult,
    stats::{HttpStatistics, Latency, Statistics},
};

/// Names of requests that anybody could want to see at once.
const MOST_NAMES: usize = 20;

const SECOND: Duration = Duration::from_secs(1);

/// What is kept from one second to the next.
#[derive(Debug)]
pub(super) struct Telling {
    /// Whether somebody looks at the names of requests.
    names: bool,
    /// The stage that goes on, and when it is over.
    stage: Option<(String, Option<Duration>)>,
}

impl Telling {
    pub(super) fn new(names: bool) -> Self {
        Self { names, stage: None }
    }

    /// How the run is doing after `second`; nothing starts any more since `stopping`.
    pub(super) fn progress(
        &mut self,
        controller: &Controller,
        second: &Second,
        stopping: Option<Duration>,
        config: &Config,
    ) -> Progress {
        let point = &second.point;
        let statistics = &second.statistics;
        let (totals, measured) = controller.measured();
        let names = if self.names {
            names(statistics, totals, config)
        } else {
            Vec::new()
        };
        Progress {
            elapsed: point.at + SECOND,
            planned_end: controller.planned_duration(),
            stage: point.stage.clone(),
            stage_end: self.stage_end(controller, second),
            warming_up: second.warming_up,
            state: stopping.map_or(State::Running, |since| State::Stopping { since }),
            users: point.users,
            target_users: second.point.target_users,
            starts_per_second: point.starts as f64,
            planned_starts_per_second: second.planned_starts.map(|starts| starts as f64),
            now: speed(&statistics.http, SECOND),
            overall: speed(&totals.http, measured),
            names,
            start_delay_p99: second.start_delay.map(|times| times.p99),
            waiting_for_room: second.waiting_for_room.as_secs_f64(),
            errors: second.errors,
            errors_last_second: point.errors,
            dropped: second.dropped,
            workers_busy: statistics.generator.cpu.share(),
            loop_lag_p99: statistics.generator.loop_lag.quantile(0.99),
            starved: second.starved.clone(),
            thresholds: (second.thresholds.iter())
                .map(|result| standing(result, result.now, config))
                .collect(),
        }
    }

    /// When the stage of this second is over, which is looked for when it begins.
    fn stage_end(&mut self, controller: &Controller, second: &Second) -> Option<Duration> {
        let name = second.point.stage.as_ref()?;
        if self.stage.as_ref().is_none_or(|(known, _)| known != name) {
            let end = controller.stage_end(second.point.at);
            self.stage = Some((name.clone(), end));
        }
        let (_, end) = self.stage.as_ref()?;
        *end
    }
}

/// How a threshold stands, by the value that is looked at.
fn standing(result: &ThresholdResult, value: Option<f64>, config: &Config) -> ThresholdNow {
    ThresholdNow {
        expression: config.mask(&result.expression),
        value,
        passing: result.passed,
        broke_at: result.broke_at,
    }
}

fn speed(http: &HttpStatistics, over: Duration) -> Speed {
    let seconds = over.as_secs_f64();
    let rate = |count: u64| {
        if seconds > 0.0 {
            count as f64 / seconds
        } else {
            0.0
        }
    };
    Speed {
        per_second: rate(http.requests),
        failed_per_second: rate(http.failed),
        p50: http.time.quantile(0.5),
        p95: http.time.quantile(0.95),
        p99: http.time.quantile(0.99),
        max: http.time.max(),
    }
}

/// What is known of a name, whatever came of its requests.
#[derive(Default)]
struct Name {
    count: u64,
    failed: u64,
    time: Latency,
}

/// The requests by method and name.
fn by_name(statistics: &Statistics) -> BTreeMap<(&str, &str), Name> {
    let mut names: BTreeMap<_, Name> = BTreeMap::new();
    for (key, request) in statistics.http.requests_by.iter() {
        let name = names.entry((&*key.name, &*key.method)).or_default();
        name.count += request.count;
        name.failed += request.failed;
        name.time.merge(&request.time);
    }
    names
}

/// The names that failed most often, and then the slowest.
fn names(second: &Statistics, totals: &Statistics, config: &Config) -> Vec<NameNow> {
    let overall = by_name(totals).into_iter();
    let mut rows: Vec<_> = overall
        .map(|(key, name)| (name.failed, name.time.quantile(0.95), key))
        .collect();
    rows.sort_by(|one, other| other.cmp(one));
    rows.truncate(MOST_NAMES);
    let now = by_name(second);
    rows.into_iter()
        .map(|(failed, p95, key)| {
            let now = now.get(&key);
            let (name, method) = key;
            NameNow {
                name: config.mask(&request_label(method, name)),
                per_second: now.map_or(0.0, |now| now.count as f64),
                failed,
                p95_now: now.and_then(|now| now.time.quantile(0.95)),
                p95,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{HttpKey, RequestStatistics};

    fn statistics(rows: &[(&str, u16, u64, u64)]) -> Statistics {
        let mut statistics = Statistics::default();
        for &(name, status, count, milliseconds) in rows {
            let mut row = RequestStatistics {
                count,
                failed: if status >= 400 { count } else { 0 },
                ..RequestStatistics::default()
            };
            for _ in row.failed..count {
                row.time.record(Duration::from_millis(milliseconds));
            }
            let key = HttpKey {
                journey: "shop::browse".into(),
                transaction: "".into(),
                name: name.into(),
                method: "GET".into(),
                status: Some(status),
            };
            statistics.http.requests_by.add(key, row);
        }
        statistics
    }

    #[test]
    fn names_that_fail_come_first_and_then_the_slowest_without_secrets() {
        let totals = statistics(&[
            ("GET /quick", 200, 90, 1),
            ("GET /slow/hunter2", 200, 5, 300),
            ("GET /broken", 200, 5, 2),
            ("GET /broken", 500, 7, 0),
        ]);
        let second = statistics(&[("GET /quick", 200, 9, 2), ("GET /broken", 500, 1, 0)]);
        let mut config = Config::default();
        config.set("password", "hunter2");
        let names = names(&second, &totals, &config);
        let shown: Vec<_> = names
            .iter()
            .map(|row| (row.name.as_str(), row.per_second, row.failed))
            .collect();
        let expected = [
            ("GET /broken", 1.0, 7),
            ("GET /slow/***", 0.0, 0),
            ("GET /quick", 9.0, 0),
        ];
        assert_eq!(shown, expected);
        let rounded = |time: Option<Duration>| time.map(|time| time.as_millis());
        assert_eq!(rounded(names[1].p95), Some(300));
        assert_eq!(rounded(names[1].p95_now), None);
        assert_eq!(rounded(names[2].p95_now), Some(2));
    }

    #[test]
    fn a_second_and_a_run_are_told_by_the_second() {
        let mut http = HttpStatistics::default();
        assert_eq!(speed(&http, Duration::ZERO), Speed::default());
        http.requests = 500;
        http.failed = 5;
        let speed = speed(&http, 10 * SECOND);
        assert_eq!((speed.per_second, speed.failed_per_second), (50.0, 0.5));
    }
}
