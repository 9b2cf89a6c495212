//! What a session is: as its worker, until the journey changes something.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use http::{HeaderMap, HeaderValue};
use rustc_hash::FxHashMap;
use url::Url;

use crate::{
    context::{Context, Extension},
    http::{
        connections::Reuse,
        cookies::CookieJar,
        digest::Digest,
        hook::Hook,
        pool::{Origin, Pool, queue::Queue},
        profile::Profile,
        request::replace,
        settings::Settings,
        target::Base,
        worker::Worker,
    },
};

/// The session without its context, so that the context can own it.
pub(in crate::http) struct State {
    pub(in crate::http) worker: Rc<Worker>,
    /// What is not as it is for all of the worker; most sessions have nothing of that, and one is
    /// made for each run of a journey.
    own: RefCell<Option<Box<Own>>>,
}

/// What a session has of its own.
pub(super) struct Own {
    settings: Rc<Settings>,
    profile: Rc<Profile>,
    pool: Rc<Pool>,
    base: Rc<Base>,
    pub(super) base_url: Option<Rc<str>>,
    headers: Rc<HeaderMap>,
    jar: Option<Rc<RefCell<CookieJar>>>,
    pub(super) auth: Option<Auth>,
    pub(super) hooks: Vec<Hook>,
    limits: Option<Rc<Limits>>,
    /// What cannot be as it was set; told when a request is sent, where errors can be returned.
    mistake: Option<String>,
}

/// Who the session says it is.
#[derive(Clone)]
pub(in crate::http) enum Auth {
    Header(HeaderValue),
    Digest(Rc<Digest>),
}

/// How many requests may be under way to one server at once.
#[derive(Debug)]
struct Limits {
    most: usize,
    by_origin: RefCell<FxHashMap<Rc<Origin>, Rc<Limit>>>,
}

/// The places for requests to one server.
#[derive(Debug)]
pub(in crate::http) struct Limit {
    left: Cell<usize>,
    queue: Queue,
}

/// The place of a request among those under way, free again when it is dropped.
#[derive(Debug)]
pub(in crate::http) struct Turn(Rc<Limit>);

impl Extension for State {
    fn attach(ctx: &Context) -> Self {
        let worker = ctx.per_worker::<Worker>();
        let own = worker
            .sessions_differ()
            .then(|| Box::new(Own::new(&worker)));
        Self {
            worker,
            own: RefCell::new(own),
        }
    }
}

impl Own {
    fn new(worker: &Worker) -> Self {
        Self {
            settings: Rc::clone(&worker.settings),
            profile: Rc::clone(&worker.profile),
            pool: pool(&worker.profile),
            base: Rc::clone(&worker.base),
            base_url: worker.base_url.clone(),
            headers: Rc::clone(&worker.headers),
            jar: None,
            auth: None,
            hooks: Vec::new(),
            limits: limits(&worker.settings),
            mistake: worker.mistake.clone(),
        }
    }

    pub(super) fn change(&mut self, settings: Settings, worker: &Worker) {
        let profile = worker.profile(&settings.wiring);
        if !Rc::ptr_eq(&profile, &self.profile) {
            self.pool = pool(&profile);
            self.profile = profile;
            self.rebase();
        }
        if settings.max_requests_per_host != self.settings.max_requests_per_host {
            self.limits = limits(&settings);
        }
        match settings.headers_beyond(&self.settings) {
            Ok(headers) => self.add_headers(&headers),
            Err(mistake) => self.mistake = Some(mistake),
        }
        if let Err(mistake) = settings.check_limits() {
            self.mistake = Some(mistake);
        }
        self.settings = Rc::new(settings);
    }

    pub(super) fn add_headers(&mut self, headers: &HeaderMap) {
        if !headers.is_empty() {
            replace(Rc::make_mut(&mut self.headers), headers);
        }
    }

    pub(super) fn rebase(&mut self) {
        self.base = self.profile.base(self.base_url.clone());
    }
}

/// Whose connections a session with this profile uses.
fn pool(profile: &Profile) -> Rc<Pool> {
    match profile.wiring.connections.reuse {
        Reuse::Journey => Rc::new(profile.pool.fresh()),
        Reuse::Worker | Reuse::Nobody => Rc::clone(&profile.pool),
    }
}

fn limits(settings: &Settings) -> Option<Rc<Limits>> {
    let most = settings.max_requests_per_host?;
    Some(Rc::new(Limits {
        most,
        by_origin: RefCell::default(),
    }))
}

impl State {
    pub(in crate::http) fn settings(&self) -> Rc<Settings> {
        Rc::clone(match &*self.own.borrow() {
            Some(own) => &own.settings,
            None => &self.worker.settings,
        })
    }

    pub(in crate::http) fn profile(&self) -> Rc<Profile> {
        Rc::clone(match &*self.own.borrow() {
            Some(own) => &own.profile,
            None => &self.worker.profile,
        })
    }

    /// Whose connections requests use.
    pub(in crate::http) fn pool(&self) -> Rc<Pool> {
        Rc::clone(match &*self.own.borrow() {
            Some(own) => &own.pool,
            None => &self.worker.profile.pool,
        })
    }

    pub(in crate::http) fn base(&self) -> Rc<Base> {
        Rc::clone(match &*self.own.borrow() {
            Some(own) => &own.base,
            None => &self.worker.base,
        })
    }

    pub(in crate::http) fn headers(&self) -> Rc<HeaderMap> {
        Rc::clone(match &*self.own.borrow() {
            Some(own) => &own.headers,
            None => &self.worker.headers,
        })
    }

    pub(in crate::http) fn hooks(&self) -> Vec<Hook> {
        match &*self.own.borrow() {
            Some(own) => own.hooks.clone(),
            None => Vec::new(),
        }
    }

    /// What cannot be as it was set.
    pub(in crate::http) fn mistake(&self) -> Option<String> {
        self.own.borrow().as_ref()?.mistake.clone()
    }

    /// The limit for requests under way to a server, if there is any.
    pub(in crate::http) fn limit(&self, origin: &Rc<Origin>) -> Option<Rc<Limit>> {
        let limits = Rc::clone(self.own.borrow().as_ref()?.limits.as_ref()?);
        let mut by_origin = limits.by_origin.borrow_mut();
        let limit = by_origin.entry(Rc::clone(origin)).or_insert_with(|| {
            Rc::new(Limit {
                left: Cell::new(limits.most),
                queue: Queue::default(),
            })
        });
        Some(Rc::clone(limit))
    }

    /// The credentials that go to a server: the one of the base URL or, where there is none, any but
    /// one that a redirect has led `away` to.
    pub(in crate::http) fn auth_for(&self, origin: &Rc<Origin>, away: bool) -> Option<Auth> {
        let own = self.own.borrow();
        let own = own.as_ref()?;
        let auth = own.auth.as_ref()?;
        let home = own.base.origin();
        home.map_or(!away, |home| home == **origin)
            .then(|| auth.clone())
    }

    /// The Digest credentials that go to a server, by the same rule.
    pub(in crate::http) fn digest_for(
        &self,
        origin: &Rc<Origin>,
        away: bool,
    ) -> Option<Rc<Digest>> {
        match self.auth_for(origin, away)? {
            Auth::Digest(digest) => Some(digest),
            Auth::Header(_) => None,
        }
    }

    /// The cookies that go to this URL.
    pub(in crate::http) fn cookies_for(&self, url: &Url) -> Option<HeaderValue> {
        let jar = Rc::clone(self.own.borrow().as_ref()?.jar.as_ref()?);
        jar.borrow_mut().header(url)
    }

    /// Takes the cookies an answer of this URL sets, if any are wanted.
    pub(in crate::http) fn store_cookies(&self, url: &Url, headers: &HeaderMap) {
        if self.settings().cookies {
            self.jar().borrow_mut().store(url, headers);
        }
    }

    /// The session's cookies.
    pub(in crate::http) fn jar(&self) -> Rc<RefCell<CookieJar>> {
        self.own(|own| Rc::clone(own.jar.get_or_insert_default()))
    }

    /// Looks at or changes what the session has of its own.
    pub(super) fn own<T>(&self, change: impl FnOnce(&mut Own) -> T) -> T {
        let mut own = self.own.borrow_mut();
        change(own.get_or_insert_with(|| Box::new(Own::new(&self.worker))))
    }

    pub(super) fn refuse(&self, mistake: String) {
        self.own(|own| own.mistake = Some(mistake));
    }
}

impl Limit {
    /// Waits for a place; `waited` is called if that takes any time.
    pub(in crate::http) async fn turn(self: &Rc<Self>, waited: impl FnOnce()) -> Turn {
        let take = || {
            self.left.set(self.left.get().checked_sub(1)?);
            Some(())
        };
        if !self.queue.is_empty() || take().is_none() {
            self.queue.turn(take).await;
            waited();
        }
        Turn(Rc::clone(self))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let limit = &self.0;
        limit.left.set(limit.left.get() + 1);
        limit.queue.wake_first();
    }
}
