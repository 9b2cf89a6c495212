//! Without other machines there is nobody who could take over a run: what happens is acted upon at
//! once.

use std::future::pending;

use super::{RunError, Settings, happening::Happening};
use crate::{id::RunnerId, link::Order, scenario::Scenario};

/// Keeps nothing.
#[derive(Debug, Default)]
pub(super) struct Ledger;

/// What has become of something that was to be kept, which there is nothing of.
#[derive(Clone, Copy)]
pub(super) enum Kept {}

/// A run that another controller has begun, which there is none of.
pub(super) enum Past {}

/// Begins with nothing.
#[derive(Default)]
pub(super) struct Succession;

pub(super) async fn succession(_: &Settings, _: &Scenario) -> Result<Succession, RunError> {
    Ok(Succession)
}

impl Succession {
    pub(super) fn restore(&self, _: &mut Settings) -> bool {
        false
    }

    pub(super) fn split(self) -> (Ledger, Option<Past>) {
        (Ledger, None)
    }
}

impl Ledger {
    pub(super) fn take(&mut self, happening: Happening) -> Option<Happening> {
        Some(happening)
    }

    pub(super) fn said(&mut self, _: RunnerId, _: &Order) {}

    pub(super) async fn kept(&mut self) -> Result<Kept, RunError> {
        pending().await
    }

    pub(super) async fn close(self) {}
}
