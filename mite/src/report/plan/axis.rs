//! The time below the charts.

use std::{fmt::Write as _, time::Duration};

use super::duration;

/// How far two labels of the axis are apart at least.
const TICK_ROOM: f64 = 10.0;

/// The scale of time that all charts share.
pub(super) struct Axis {
    /// How wide it is.
    pub(super) columns: usize,
    /// How much time it shows; more than nothing.
    pub(super) span: Duration,
}

impl Axis {
    /// When a column begins.
    pub(super) fn time(&self, column: usize) -> Duration {
        self.span.mul_f64(column as f64 / self.columns as f64)
    }

    /// The columns that get a label, and the time each stands for.
    pub(super) fn ticks(&self) -> Vec<(usize, Duration)> {
        let least = self.span.mul_f64(TICK_ROOM / self.columns as f64);
        let step = round_step(least);
        let mut ticks = Vec::new();
        let mut at = Duration::ZERO;
        while at < self.span {
            ticks.push((self.column(at), at));
            at += step;
        }
        ticks
    }

    /// Where a time is.
    pub(super) fn column(&self, at: Duration) -> usize {
        let share = at.as_secs_f64() / self.span.as_secs_f64();
        ((share * self.columns as f64).round() as usize).min(self.columns)
    }

    /// The line, with `mark` at each tick.
    pub(super) fn line(&self, ticks: &[(usize, Duration)], mark: char, rule: char) -> String {
        (0..self.columns)
            .map(|column| {
                let marked = ticks.iter().any(|&(tick, _)| tick == column);
                if marked { mark } else { rule }
            })
            .collect()
    }

    /// What stands below it.
    pub(super) fn labels(&self, ticks: &[(usize, Duration)]) -> String {
        let mut line = String::new();
        for &(column, at) in ticks {
            let label = duration(at);
            if column + label.len() <= self.columns {
                let blank = column.saturating_sub(line.len());
                let _ = write!(line, "{:blank$}{label}", "");
            }
        }
        line
    }
}

/// The shortest round time that is not shorter than `least`.
pub(super) fn round_step(least: Duration) -> Duration {
    const MILLISECOND: Duration = Duration::from_millis(1);
    const ROUND_SECONDS: [u64; 16] = [
        1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200,
    ];
    const DAY: u32 = 86_400;
    if least < Duration::from_secs(1) {
        return [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]
            .into_iter()
            .map(|factor| MILLISECOND * factor)
            .find(|step| *step >= least)
            .unwrap_or(Duration::from_secs(1));
    }
    let round = ROUND_SECONDS
        .into_iter()
        .map(Duration::from_secs)
        .find(|step| *step >= least);
    round.unwrap_or_else(|| {
        let days = least.as_secs_f64() / f64::from(DAY);
        Duration::from_secs(u64::from(DAY)).saturating_mul(days.ceil() as u32)
    })
}
