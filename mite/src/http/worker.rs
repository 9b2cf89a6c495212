//! What the sessions of one worker have in common.

use std::{cell::RefCell, rc::Rc};

use rustc_hash::FxHashMap;

use super::{deadline::Deadlines, pool::Pool, target::Base};
use crate::{
    context::{Context, Extension},
    net::Tls,
};

/// By base URL, and by whether invalid certificates are accepted.
type Bases = FxHashMap<(Option<String>, bool), Rc<Base>>;

/// The connections, deadlines and parsed URLs of one worker.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) pool: Pool,
    pub(super) deadlines: Deadlines,
    /// `base_url` of the config.
    pub(super) base_url: Option<String>,
    /// `mite.insecure` of the config.
    pub(super) accept_invalid_certs: bool,
    bases: RefCell<Bases>,
}

impl Extension for Worker {
    fn attach(ctx: &Context) -> Self {
        Self::with_tls(ctx, &Tls::default())
    }
}

impl Worker {
    pub(super) fn with_tls(ctx: &Context, tls: &Tls) -> Self {
        let config = ctx.config();
        Self {
            pool: Pool::new(tls),
            deadlines: Deadlines::default(),
            base_url: config.text("base_url").map(str::to_owned),
            accept_invalid_certs: config.text("mite.insecure") == Some("true"),
            bases: RefCell::default(),
        }
    }

    /// The base of this URL, the same one for every session that asks.
    pub(super) fn base(&self, url: Option<String>, accept_invalid_certs: bool) -> Rc<Base> {
        let mut bases = self.bases.borrow_mut();
        // A journey may make up a base of its own each time.
        if bases.len() >= MOST_BASES {
            bases.clear();
        }
        Rc::clone(
            bases
                .entry((url, accept_invalid_certs))
                .or_insert_with_key(|(url, accept)| Rc::new(Base::new(url.clone(), *accept))),
        )
    }
}

/// How many base URLs a worker remembers the URLs of.
const MOST_BASES: usize = 64;
