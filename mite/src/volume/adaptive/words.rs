//! Criteria and what was measured, in words.

use std::{fmt, time::Duration};

use super::criterion::{Criteria, Criterion, Subject};

impl fmt::Display for Criteria {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = match self.subject {
            Subject::Http => "http",
            Subject::Journeys => "journey",
        };
        // What is to be held is no limit.
        let sign = if formatter.alternate() { '=' } else { '<' };
        for (index, criterion) in self.all.iter().enumerate() {
            if index > 0 {
                formatter.write_str(", ")?;
            }
            match criterion {
                Criterion::Latency { quantile, limit } => {
                    let name = percentile(*quantile);
                    write!(formatter, "{subject}.{name} {sign} {}", time(*limit))?;
                }
                Criterion::Errors { limit } => {
                    let limit = percent(*limit).replace(' ', "");
                    write!(formatter, "errors.rate {sign} {limit}")?;
                }
                Criterion::KeepsUp => formatter.write_str("throughput keeps up")?,
            }
        }
        Ok(())
    }
}

/// `p99`, `p99.9`.
pub(super) fn percentile(quantile: f64) -> String {
    format!("p{}", three_digits(quantile * 100.0))
}

/// A time to three digits: `261ms`, `1s 230ms`.
pub(super) fn time(time: Duration) -> String {
    let micros = three_digits(time.as_micros() as f64) as u64;
    humantime::format_duration(Duration::from_micros(micros)).to_string()
}

/// A share to three digits: `0.42 %`.
pub(super) fn percent(share: f64) -> String {
    format!("{} %", three_digits(share * 100.0))
}

fn three_digits(number: f64) -> f64 {
    if number <= 0.0 || !number.is_finite() {
        return 0.0;
    }
    let scale = 10_f64.powf(2.0 - number.log10().floor());
    // The product of both may miss a short decimal by a hair, which the quotient does not.
    if scale >= 1.0 {
        (number * scale).round() / scale
    } else {
        (number * scale).round() * (1.0 / scale).round()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        assert_eq!(percentile(0.999), "p99.9");
        assert_eq!(percent(0.012_345), "1.23 %");
        assert_eq!(time(Duration::from_micros(1_234_567)), "1s 230ms");
    }
}
