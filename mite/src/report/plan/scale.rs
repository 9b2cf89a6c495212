//! What the rows of a chart stand for.

use super::PlanEntry;
use crate::{
    report::{human, text},
    volume::Unit,
};

/// The most rows a chart has.
const ROWS: f64 = 6.0;

/// What one row of a chart stands for.
pub(super) struct Scale {
    /// What one row stands for.
    pub(super) step: f64,
    pub(super) rows: usize,
}

impl Scale {
    /// The roundest step with which the peak fits into the rows.
    pub(super) fn of(entry: &PlanEntry) -> Self {
        let least = entry.outline.peak / ROWS;
        if !least.is_normal() || least < 0.0 {
            return Self { step: 1.0, rows: 1 };
        }
        let power = 10_f64.powf(least.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|factor| factor * power)
            .find(|step| *step * (1.0 + 1e-9) >= least)
            .unwrap_or(least);
        let step = match entry.outline.unit {
            Unit::Users => step.max(1.0),
            Unit::PerSecond => step,
        };
        let rows = (entry.outline.peak / step - 1e-9).ceil().max(1.0) as usize;
        Self { step, rows }
    }

    /// What stands beside row `row`, counted from below: the level at its upper edge.
    pub(super) fn label(&self, row: usize) -> String {
        human::number(self.step * (row + 1) as f64)
    }

    /// How much room the labels take.
    pub(super) fn label_width(&self) -> usize {
        (0..self.rows)
            .map(|row| text::width(&self.label(row)))
            .max()
            .unwrap_or(1)
    }
}
