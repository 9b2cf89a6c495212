//! How long each part of connecting took.

use std::{cell::Cell, time::Duration};

use tokio::time::Instant;

/// How long each phase of a new connection took; `None` for one that was not needed or did not
/// come to its end.
///
/// Each begins where the one before it ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Phases {
    /// Looking up the name, or waiting for another connection's lookup of it.
    pub(crate) dns: Option<Duration>,
    /// Opening the TCP connection, over all addresses tried, and what the proxy is asked.
    pub(crate) connect: Option<Duration>,
    /// The TLS handshake.
    pub(crate) tls: Option<Duration>,
    /// Addresses that failed, or did not answer in their time, before one would do.
    pub(crate) passed_over: u64,
    /// When the first phase began.
    pub(crate) began: Option<Instant>,
    /// When the last of the phases that came to their end did; when there is none, as `began`.
    pub(crate) ended: Option<Instant>,
}

/// Writes the phases down as they end, so that a connection cut short still tells of those before.
pub(super) struct Progress<'a> {
    phases: &'a Cell<Phases>,
    ended: Cell<Instant>,
    stage: Cell<Stage>,
}

/// What is going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Dns,
    Connect,
    Proxy,
    Tls,
}

impl<'a> Progress<'a> {
    pub(super) fn begin(phases: &'a Cell<Phases>) -> Self {
        let now = Instant::now();
        phases.set(Phases {
            began: Some(now),
            ended: Some(now),
            ..Phases::default()
        });
        Self {
            phases,
            ended: Cell::new(now),
            stage: Cell::new(Stage::Dns),
        }
    }

    /// What is going on.
    pub(super) fn stage(&self) -> Stage {
        self.stage.get()
    }

    pub(super) fn enter(&self, stage: Stage) {
        self.stage.set(stage);
    }

    /// When the first phase began.
    pub(super) fn began(&self) -> Option<Instant> {
        self.phases.get().began
    }

    /// So many more addresses would not do.
    pub(super) fn passed_over(&self, addresses: u64) {
        let mut phases = self.phases.get();
        phases.passed_over += addresses;
        self.phases.set(phases);
    }

    pub(super) fn looked_up(&self) {
        self.end(|phases, took| phases.dns = Some(took));
    }

    pub(super) fn connected(&self) {
        self.end(|phases, took| phases.connect = Some(took));
    }

    pub(super) fn encrypted(&self) {
        self.end(|phases, took| phases.tls = Some(took));
    }

    fn end(&self, set: impl FnOnce(&mut Phases, Duration)) {
        let now = Instant::now();
        let mut phases = self.phases.get();
        set(&mut phases, now - self.ended.replace(now));
        phases.ended = Some(now);
        self.phases.set(phases);
    }
}
