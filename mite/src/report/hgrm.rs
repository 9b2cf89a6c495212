//! The distribution of times in the text form of HdrHistogram.

use std::fmt::Write as _;

use crate::stats::{Latency, Statistics};

/// Points for each halving of the distance to 100 %, as HdrHistogram's own tools have it.
const TICKS: u32 = 5;

/// The percentile distribution of successful requests over the whole run, in milliseconds; of a run
/// without requests, that of the response times of its journeys.
///
/// The form is that of `AbstractHistogram.outputPercentileDistribution`, which wrk2 and many plotters
/// share.
pub(crate) fn render(totals: &Statistics) -> String {
    let mut times = totals.http.time.clone();
    if totals.http.requests == 0 {
        for journey in totals.journeys.values() {
            times.merge(&journey.response_time);
        }
    }
    distribution(&times)
}

fn distribution(times: &Latency) -> String {
    let mut text = format!(
        "{:>12} {:>14} {:>10} {:>14}\n\n",
        "Value", "Percentile", "TotalCount", "1/(1-Percentile)"
    );
    let histogram = times.histogram();
    let mut passed = 0;
    for step in histogram.iter().flat_map(|all| all.iter_quantiles(TICKS)) {
        passed += step.count_since_last_iteration();
        let value = step.value_iterated_to() as f64 / 1e3;
        let quantile = step.quantile_iterated_to();
        let _ = write!(text, "{value:12.3} {quantile:2.12} {passed:10}");
        if quantile < 1.0 {
            let _ = write!(text, " {:14.2}", 1.0 / (1.0 - quantile));
        }
        text.push('\n');
    }
    let milliseconds = |seconds: Option<f64>| seconds.unwrap_or(0.0) * 1e3;
    let (buckets, sub_buckets) = histogram.map_or((0, 0), |all| (all.buckets(), sub_buckets(&all)));
    let _ = write!(
        text,
        "#[Mean    = {:12.3}, StdDeviation   = {:12.3}]\n\
         #[Max     = {:12.3}, Total count    = {:12}]\n\
         #[Buckets = {buckets:12}, SubBuckets     = {sub_buckets:12}]\n",
        milliseconds(times.mean_seconds()),
        milliseconds(times.stddev_seconds()),
        milliseconds(times.max().map(|time| time.as_secs_f64())),
        times.count(),
    );
    text
}

/// Values that have a bucket of their own at the start: the least power of two that tells twice
/// 10^digits of them apart.
fn sub_buckets(histogram: &hdrhistogram::Histogram<u32>) -> u64 {
    (2 * 10_u64.pow(u32::from(histogram.sigfig()))).next_power_of_two()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_distribution_has_the_columns_that_plotters_read() {
        let mut times = Latency::default();
        for number in 1..=1000 {
            times.record(Duration::from_millis(number));
        }
        let text = distribution(&times);
        let mut lines = text.lines();
        let head: Vec<_> = lines.next().unwrap().split_whitespace().collect();
        assert_eq!(
            head,
            ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"]
        );
        assert_eq!(lines.next(), Some(""));
        let rows: Vec<Vec<f64>> = lines
            .take_while(|line| !line.starts_with('#'))
            .map(|line| {
                line.split_whitespace()
                    .map(|word| word.parse().unwrap())
                    .collect()
            })
            .collect();
        let median = rows.iter().find(|row| row[1] >= 0.5).unwrap();
        assert!((median[0] - 500.0).abs() < 1.0, "{median:?}");
        assert_eq!((median[2], median[3]), (500.0, 2.0));
        let last = rows.last().unwrap();
        assert_eq!(last[1..], [1.0, 1000.0], "no column without a value");
        assert!(rows.windows(2).all(|pair| pair[0][2] <= pair[1][2]));
        assert!(
            text.contains("#[Mean    =      500.500, StdDeviation   ="),
            "{text}"
        );
        assert!(
            text.contains("#[Max     =     1000.000, Total count    =         1000]"),
            "{text}"
        );
        assert!(text.contains("SubBuckets     =         2048]"), "{text}");
    }

    #[test]
    fn a_run_in_which_nothing_was_timed_has_a_distribution_of_nothing() {
        let text = render(&Statistics::default());
        assert!(text.contains("Total count    =            0]"), "{text}");
    }
}
