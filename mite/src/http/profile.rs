//! One kind of client on one worker: how it connects, its connections, the URLs it has parsed.

use std::{cell::RefCell, rc::Rc};

use rustc_hash::FxHashMap;

use super::{
    connection::Buffers,
    pool::{Endpoint, Pool},
    settings::Wiring,
    target::{Base, Target},
};
use crate::net::{Connector, Resolver};

/// How many base URLs are remembered with the URLs relative to them.
const MOST_BASES: usize = 64;

/// What sessions with the same settings share.
#[derive(Debug)]
pub(super) struct Profile {
    pub(super) wiring: Wiring,
    pub(super) pool: Rc<Pool>,
    bases: RefCell<FxHashMap<Option<Rc<str>>, Rc<Base>>>,
}

impl Profile {
    pub(super) fn new(wiring: Wiring, resolver: Rc<Resolver>, buffers: Rc<Buffers>) -> Self {
        let connector = Connector::new(&wiring.net(), resolver);
        let connections = wiring.connections.clone();
        let pool = Pool::new(connector, wiring.version, connections, buffers);
        Self {
            wiring,
            pool: Rc::new(pool),
            bases: RefCell::default(),
        }
    }

    /// The endpoint of a target among the connections of `pool`.
    pub(super) fn endpoint(&self, pool: &Rc<Pool>, target: &Target) -> Rc<Endpoint> {
        if Rc::ptr_eq(pool, &self.pool) {
            Rc::clone(&target.endpoint)
        } else {
            pool.endpoint(target.endpoint.origin())
        }
    }

    /// The base of this URL, the same one for every session that asks.
    pub(super) fn base(&self, url: Option<Rc<str>>) -> Rc<Base> {
        let mut bases = self.bases.borrow_mut();
        // A journey may make up a base of its own each time.
        if bases.len() >= MOST_BASES && !bases.contains_key(&url) {
            bases.clear();
        }
        Rc::clone(
            bases
                .entry(url)
                .or_insert_with_key(|url| Rc::new(Base::new(url.clone()))),
        )
    }
}
