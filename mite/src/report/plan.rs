//! x
use crate::volume::Unit;
use std::time::Duration;
pub(crate) struct PlanEntry {
    pub(crate) journey: String,
    pub(crate) unit: Unit,
    pub(crate) points: Vec<(Duration, f64)>,
    pub(crate) stages: Vec<(Duration, String)>,
    pub(crate) duration: Option<Duration>,
    pub(crate) starts: Option<u64>,
    pub(crate) peak: f64,
}
pub(crate) fn draw(_e: &[PlanEntry], _w: usize) -> String {
    String::new()
}
