//! What the sessions of one worker have in common.

use std::{cell::RefCell, fmt, rc::Rc};

use http::HeaderMap;
use rustc_hash::FxHashMap;

use super::{
    connection::Buffers,
    connections::Reuse,
    deadline::Deadlines,
    profile::Profile,
    settings::{Settings, Wiring},
    target::Base,
};
use crate::{
    config::BASE_URL,
    context::{Context, Extension},
    net::Resolver,
};

/// How many kinds of client are remembered with their connections.
const MOST_PROFILES: usize = 256;

/// The connections, deadlines and settings of one worker.
pub(super) struct Worker {
    pub(super) deadlines: Deadlines,
    /// `base_url` of the config.
    pub(super) base_url: Option<Rc<str>>,
    pub(super) settings: Rc<Settings>,
    pub(super) headers: Rc<HeaderMap>,
    pub(super) profile: Rc<Profile>,
    pub(super) base: Rc<Base>,
    /// Why the settings of the run are none, for requests to tell.
    pub(super) mistake: Option<String>,
    resolver: Rc<Resolver>,
    buffers: Rc<Buffers>,
    profiles: RefCell<FxHashMap<Wiring, Rc<Profile>>>,
}

impl Extension for Worker {
    fn attach(ctx: &Context) -> Self {
        let config = ctx.config();
        let (settings, headers, mistake) = match read(config) {
            Ok((settings, headers)) => (settings, headers, None),
            Err(mistake) => (Settings::default(), HeaderMap::new(), Some(mistake)),
        };
        let resolver = Rc::new(Resolver::new());
        let buffers = Rc::new(Buffers::default());
        let profile = Profile::new(
            settings.wiring.clone(),
            Rc::clone(&resolver),
            Rc::clone(&buffers),
        );
        let base_url: Option<Rc<str>> = config.text(BASE_URL).map(Rc::from);
        Self {
            base: profile.base(base_url.clone()),
            base_url,
            profile: Rc::new(profile),
            deadlines: Deadlines::default(),
            settings: Rc::new(settings),
            headers: Rc::new(headers),
            mistake,
            resolver,
            buffers,
            profiles: RefCell::default(),
        }
    }
}

fn read(config: &crate::Config) -> Result<(Settings, HeaderMap), String> {
    let settings = Settings::of(config)?;
    let headers = settings.default_headers()?;
    Ok((settings, headers))
}

impl Worker {
    /// Whether a session has something of its own from the beginning.
    pub(super) fn sessions_differ(&self) -> bool {
        self.mistake.is_some()
            || self.settings.max_requests_per_host.is_some()
            || self.settings.wiring.connections.reuse == Reuse::Journey
    }

    /// What sessions with this wiring share.
    pub(super) fn profile(&self, wiring: &Wiring) -> Rc<Profile> {
        if *wiring == self.profile.wiring {
            return Rc::clone(&self.profile);
        }
        let mut profiles = self.profiles.borrow_mut();
        if let Some(profile) = profiles.get(wiring) {
            return Rc::clone(profile);
        }
        // A journey may make up settings of its own each time.
        if profiles.len() >= MOST_PROFILES {
            profiles.clear();
        }
        let profile = Rc::new(Profile::new(
            wiring.clone(),
            Rc::clone(&self.resolver),
            Rc::clone(&self.buffers),
        ));
        profiles.insert(wiring.clone(), Rc::clone(&profile));
        profile
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Worker")
            .field("base_url", &self.base_url)
            .finish_non_exhaustive()
    }
}
