//! A worker's requests by name and status.

use std::sync::Arc;

use http::Method;
use rustc_hash::FxHashMap;

use super::{
    capped::Capped,
    http::{HttpKey, RequestStatistics, shared_method},
    names::Names,
    order::RowOrder,
};
use crate::{event::HttpRequest, id::TransactionId};

/// How many rows are remembered by what they were asked for with.
const RECENT: usize = 16;

/// One row a journey, transaction, name, method and status.
#[derive(Debug)]
pub(crate) struct RequestTable {
    names: Names,
    index: FxHashMap<RowKey, usize>,
    /// Rows asked for lately, each at the place its key falls on: what comes again and again need
    /// not be hashed.
    recent: [usize; RECENT],
    rows: Vec<Row>,
    order: RowOrder,
    /// What has no row of its own.
    overflow: FxHashMap<OverflowKey, RequestStatistics>,
    cap: usize,
}

/// By journey, shared method and status, of which there are few.
type OverflowKey = (u32, &'static str, Option<u16>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct RowKey {
    journey: u32,
    transaction: TransactionId,
    name: u32,
    status: Option<u16>,
    method: Method,
}

#[derive(Debug)]
struct Row {
    key: RowKey,
    method: Arc<str>,
    statistics: RequestStatistics,
}

impl RequestTable {
    pub(crate) fn new(cap: usize) -> Self {
        Self {
            names: Names::new(cap),
            index: FxHashMap::default(),
            recent: [0; RECENT],
            rows: Vec::new(),
            order: RowOrder::default(),
            overflow: FxHashMap::default(),
            cap,
        }
    }

    pub(crate) fn record(
        &mut self,
        journey: u32,
        transaction: TransactionId,
        request: &HttpRequest<'_>,
    ) {
        self.row(journey, transaction, request).record(request);
    }

    fn row(
        &mut self,
        journey: u32,
        transaction: TransactionId,
        request: &HttpRequest<'_>,
    ) -> &mut RequestStatistics {
        let status = usize::from(request.status.unwrap_or(0));
        let place = (transaction.0 as usize ^ request.name.len() ^ status) % RECENT;
        let index = self
            .recent(place, journey, transaction, request)
            .or_else(|| {
                let index = self.look_up(journey, transaction, request)?;
                if let Some(recent) = self.recent.get_mut(place) {
                    *recent = index;
                }
                Some(index)
            });
        match index.and_then(|index| self.rows.get_mut(index)) {
            Some(row) => &mut row.statistics,
            None => {
                let method = shared_method(request.method.as_str());
                let key = (journey, method, request.status);
                self.overflow.entry(key).or_default()
            }
        }
    }

    /// The row that was asked for last at this place, if it is the one.
    fn recent(
        &self,
        place: usize,
        journey: u32,
        transaction: TransactionId,
        request: &HttpRequest<'_>,
    ) -> Option<usize> {
        let index = *self.recent.get(place)?;
        let key = &self.rows.get(index)?.key;
        let is_it = key.journey == journey
            && key.transaction == transaction
            && key.status == request.status
            && key.method == *request.method
            && self
                .names
                .text(key.name)
                .is_some_and(|name| **name == *request.name);
        is_it.then_some(index)
    }

    fn look_up(
        &mut self,
        journey: u32,
        transaction: TransactionId,
        request: &HttpRequest<'_>,
    ) -> Option<usize> {
        let key = RowKey {
            journey,
            transaction,
            name: self.names.number(request.name)?,
            status: request.status,
            method: request.method.clone(),
        };
        self.index.get(&key).copied().or_else(|| self.add_row(key))
    }

    fn add_row(&mut self, key: RowKey) -> Option<usize> {
        if self.rows.len() >= self.cap {
            return None;
        }
        let index = self.rows.len();
        self.index.insert(key.clone(), index);
        self.rows.push(Row {
            method: key.method.as_str().into(),
            key,
            statistics: RequestStatistics::default(),
        });
        Some(index)
    }

    /// What was counted since the last time.
    pub(crate) fn take(
        &mut self,
        journeys: &[Arc<str>],
        path: impl Fn(TransactionId) -> Arc<str>,
    ) -> Capped<HttpKey, RequestStatistics> {
        let key = |row: &Row| {
            Some(HttpKey {
                journey: journeys.get(row.key.journey as usize)?.clone(),
                transaction: path(row.key.transaction),
                name: self.names.text(row.key.name)?.clone(),
                method: row.method.clone(),
                status: row.key.status,
            })
        };
        let key_of = |index: usize| self.rows.get(index).and_then(key);
        let order = self.order.of(self.rows.len(), |one, other| {
            key_of(one).cmp(&key_of(other))
        });
        let sampled = self.rows.iter().filter(|row| row.statistics.count > 0);
        let mut own = Vec::with_capacity(sampled.count());
        for &index in order {
            let Some(row) = self.rows.get_mut(index) else {
                continue;
            };
            if row.statistics.count == 0 {
                continue;
            }
            if let Some(key) = key(row) {
                own.push((key, std::mem::take(&mut row.statistics)));
            }
        }
        let mut taken = Capped::of(own);
        for ((journey, method, status), statistics) in self.overflow.drain() {
            if let Some(journey) = journeys.get(journey as usize) {
                taken.add_overflow(HttpKey::more(journey, method, status), statistics);
            }
        }
        taken
    }
}
