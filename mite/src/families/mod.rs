//! The metrics of a run, each a family of series, under the names Prometheus knows them by; whoever
//! watches a run from outside is shown the same.

mod exponential;
mod family;
mod http;
mod journeys;
mod maker;
mod run;
mod source;
mod user;

pub(crate) use exponential::{Exponential, SCHEMA, ZERO, of_time};
pub(crate) use family::{Family, Kind, Labels, Value};
pub(crate) use source::{EntryNow, Now, RunState, Source, Standing};

use maker::Maker;

/// All metrics of a run, its own ones last.
pub(crate) fn of(source: &dyn Source) -> Vec<Family> {
    let mut maker = Maker::new(source);
    maker.run();
    maker.entries();
    maker.journeys();
    maker.transactions();
    maker.requests();
    maker.exchange();
    maker.errors();
    maker.thresholds();
    maker.generator();
    maker.user()
}
