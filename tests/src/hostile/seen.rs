//! What a hostile server has been asked for.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::peer::Head;

/// Counts by path, without queries.
#[derive(Debug, Default)]
pub(super) struct Seen {
    handshakes: AtomicU64,
    resets: AtomicU64,
    paths: Mutex<BTreeMap<String, Path>>,
}

#[derive(Debug, Default)]
struct Path {
    hits: u64,
    body_bytes: u64,
    last_head: String,
}

impl Seen {
    pub(super) fn handshake(&self) {
        self.handshakes.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn reset(&self) {
        self.resets.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn hit(&self, head: &Head) {
        let mut paths = self.paths();
        let path = paths.entry(head.path().to_owned()).or_default();
        path.hits += 1;
        head.text().clone_into(&mut path.last_head);
    }

    /// Counts a request of which there is no head.
    pub(super) fn hit_path(&self, path: &str) {
        self.paths().entry(path.to_owned()).or_default().hits += 1;
    }

    pub(super) fn body(&self, path: &str, bytes: usize) {
        self.paths().entry(path.to_owned()).or_default().body_bytes += bytes as u64;
    }

    pub(super) fn handshakes(&self) -> u64 {
        self.handshakes.load(Ordering::SeqCst)
    }

    pub(super) fn resets(&self) -> u64 {
        self.resets.load(Ordering::SeqCst)
    }

    pub(super) fn requests(&self) -> u64 {
        self.paths().values().map(|path| path.hits).sum()
    }

    pub(super) fn hits(&self, path: &str) -> u64 {
        self.paths().get(path).map_or(0, |path| path.hits)
    }

    pub(super) fn body_bytes(&self, path: &str) -> u64 {
        self.paths().get(path).map_or(0, |path| path.body_bytes)
    }

    pub(super) fn last_head(&self, path: &str) -> Option<String> {
        self.paths().get(path).map(|path| path.last_head.clone())
    }

    fn paths(&self) -> MutexGuard<'_, BTreeMap<String, Path>> {
        self.paths.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
