//! What the code written by the macros needs: no part of the interface.

pub use inventory;

pub use crate::{
    config::Config,
    context::Context,
    datapool::ErasedPool,
    error::Result,
    journey::{
        DataType, Definition, IsContext, Journey, JourneyOutput, Outcome, outcome,
        registry::JourneyEntry,
    },
    scenario::{
        Scenario,
        registry::{BuildFuture, DataPoolEntry, IntoPool, IntoScenario, ScenarioEntry, item_type},
    },
};
