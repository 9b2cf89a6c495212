//! How a run stands, as the engine tells it.

use crate::{
    families::Source,
    report::{Batches, Report},
};

/// How a run stands at one moment, or how it ended.
pub(crate) trait Moment: Source {
    /// The report so far, or the last one. It is made here, which takes a while.
    fn report(&self) -> Report;

    /// The stretches of the run that are over, series by series.
    fn batches(&self) -> Option<Batches>;
}
