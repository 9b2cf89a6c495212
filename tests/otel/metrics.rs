//! The last push of metrics says what the report says.

use std::{collections::BTreeMap, time::Duration};

use mite::{
    Context, Run, Scenario, journey,
    metric::{Counter, Gauge, Histogram},
    volume::Constant,
};
use opentelemetry_proto::tonic::metrics::v1::{
    ExponentialHistogramDataPoint, Metric, NumberDataPoint, metric::Data, number_data_point,
};
use serde_json::{Value, json};
use tests::collector::{Collector, attributes};

use crate::shop::{SECOND, execute, shop};

mite::metrics! {
    Counter::new("items_sold").on("basket").value("items").label("shop");
    Gauge::new("last_basket").on("basket").value("items");
    Histogram::new("server_time").on("basket").seconds("seconds");
}

#[journey]
async fn buy(ctx: &Context) -> mite::Result {
    ctx.transaction("buy", async {
        ctx.http().get("/slow").send().await?;
        ctx.http().get("/").send().await?;
        Ok(())
    })
    .await?;
    ctx.send(
        "basket",
        json!({"items": 2, "seconds": 0.25, "shop": "north"}),
    )
}

#[journey]
async fn lose(ctx: &Context) -> mite::Result {
    ctx.http()
        .get("/missing")
        .send()
        .await?
        .expect_status(200)?;
    Ok(())
}

/// The metrics of a push by their names.
struct Push(BTreeMap<String, Metric>);

impl Push {
    fn numbers(&self, name: &str) -> Vec<(BTreeMap<String, Value>, f64)> {
        let metric = self.0.get(name).unwrap_or_else(|| panic!("no {name}"));
        let points: &[NumberDataPoint] = match metric.data.as_ref().unwrap() {
            Data::Sum(sum) => {
                assert!(
                    sum.is_monotonic && sum.aggregation_temporality == 2,
                    "{name}"
                );
                &sum.data_points
            }
            Data::Gauge(gauge) => &gauge.data_points,
            other => panic!("{other:?}"),
        };
        let read = |point: &NumberDataPoint| {
            let Some(number_data_point::Value::AsDouble(number)) = point.value else {
                panic!("{point:?}");
            };
            assert!(point.time_unix_nano > point.start_time_unix_nano);
            (attributes(&point.attributes), number)
        };
        points.iter().map(read).collect()
    }

    fn sum(&self, name: &str) -> f64 {
        self.numbers(name).iter().map(|(_, number)| number).sum()
    }

    fn times(&self, name: &str) -> Vec<&ExponentialHistogramDataPoint> {
        let metric = self.0.get(name).unwrap_or_else(|| panic!("no {name}"));
        assert_eq!(metric.unit, "s");
        let Some(Data::ExponentialHistogram(histogram)) = &metric.data else {
            panic!("{metric:?}");
        };
        assert_eq!(histogram.aggregation_temporality, 2);
        for point in &histogram.data_points {
            let buckets = point.positive.as_ref().unwrap();
            let counted: u64 = buckets.bucket_counts.iter().sum();
            assert_eq!(counted + point.zero_count, point.count, "{name}");
            assert_bounds(point);
        }
        histogram.data_points.iter().collect()
    }
}

/// The extremes lie in the first and the last bucket.
fn assert_bounds(point: &ExponentialHistogramDataPoint) {
    let base = 2_f64.powf(2_f64.powi(-point.scale));
    let buckets = point.positive.as_ref().unwrap();
    let bound = |index: usize| base.powi(buckets.offset + i32::try_from(index).unwrap());
    let (min, max) = (point.min.unwrap(), point.max.unwrap());
    let last = buckets.bucket_counts.len();
    // What is counted is the lowest value of a bucket of 0.1 %.
    assert!(
        bound(0) <= min * 1.002 && min * 0.998 <= bound(1),
        "{point:?}"
    );
    assert!(
        bound(last - 1) <= max * 1.002 && max * 0.998 <= bound(last),
        "{point:?}"
    );
}

#[test]
fn the_last_push_is_what_the_report_says() {
    let (shop, collector) = (shop(), Collector::start());
    let time = 2 * SECOND;
    let scenario = Scenario::new()
        .base_url(shop.url())
        .journey::<buy>((), Constant::per_second(20, time))
        .journey::<lose>((), Constant::per_second(10, time))
        .threshold("http.p99 < 10s");
    let run = Run::new(scenario)
        .name("shop::evening")
        .otlp(collector.url())
        .trace("0");
    let report = execute(run).unwrap();
    let pushes = collector.pushes();
    let push = pushes.into_iter().next_back().unwrap();
    let push = Push(
        push.into_iter()
            .map(|metric| (metric.name.clone(), metric))
            .collect(),
    );

    let http = &report.http;
    assert_eq!(http.requests, 100);
    for (name, truth) in [
        ("mite.http.response", http.requests),
        ("mite.http.failed", http.failed),
        ("mite.http.sent", http.bytes_sent),
        ("mite.http.received", http.bytes_received),
        ("mite.http.connections_opened", http.connections.opened),
        (
            "mite.journey.started",
            report.journeys.iter().map(|row| row.started).sum(),
        ),
        (
            "mite.journey.error",
            report.errors.iter().map(|row| row.count).sum(),
        ),
        (
            "mite.transaction",
            report.transactions.iter().map(|row| row.count).sum(),
        ),
        ("items_sold", 80),
        ("last_basket", 2),
    ] {
        assert_eq!(push.sum(name), truth as f64, "{name}");
    }
    assert_eq!(push.0["mite.http.sent"].unit, "By");
    let ended = push.numbers("mite.journey.ended");
    for (row, journey) in report.journeys.iter().zip(["buy", "lose"]) {
        let of = |outcome: &str| {
            let found = ended.iter().find(|(labels, _)| {
                labels["journey"] == format!("otel::metrics::{journey}")
                    && labels["outcome"] == outcome
                    && labels["test"] == "shop::evening"
            });
            found.unwrap().1
        };
        assert_eq!(of("completed"), row.completed as f64);
        assert_eq!(of("failed"), row.failed as f64);
    }
    let times = push.times("mite.http.response_time");
    let count: u64 = times.iter().map(|point| point.count).sum();
    assert_eq!(count, http.time.count + http.failed_time.count);
    let sum: f64 = times.iter().map(|point| point.sum.unwrap()).sum();
    let truth =
        |latency: &mite::report::LatencySummary| latency.mean.unwrap_or(0.0) * latency.count as f64;
    let truth = truth(&http.time) + truth(&http.failed_time);
    assert!((sum / truth - 1.0).abs() < 1e-6, "{sum} {truth}");
    let longest = times
        .iter()
        .filter_map(|point| point.max)
        .fold(0.0, f64::max);
    assert_eq!(Some(longest), http.time.max);
    assert_eq!(push.times("server_time")[0].count, 40);
}

#[test]
fn metrics_are_pushed_while_the_run_goes_on_and_never_go_back() {
    let (shop, collector) = (shop(), Collector::start());
    let scenario = Scenario::new()
        .base_url(shop.url())
        .journey::<buy>((), Constant::per_second(5, Duration::from_secs(12)));
    let run = Run::new(scenario).otlp(collector.url()).trace("0");
    execute(run).unwrap();
    let counts: Vec<f64> = collector
        .pushes()
        .into_iter()
        .map(|push| {
            Push(
                push.into_iter()
                    .map(|one| (one.name.clone(), one))
                    .collect(),
            )
        })
        .map(|push| push.sum("mite.http.response"))
        .collect();
    // After ten seconds, and at the end.
    let [first, last] = counts.as_slice() else {
        panic!("{counts:?}");
    };
    assert!(
        *first > 50.0 && first < last && *last == 120.0,
        "{counts:?}"
    );
}
