//! What a journey is given: transactions, events, data shared and kept, time.

mod extension;
mod kept;
mod pacing;
mod scope;
mod shared;
mod traced;
mod transaction;

use std::{
    cell::{Cell, OnceCell, RefCell},
    fmt,
    future::Future,
    rc::Rc,
    sync::Arc,
};

use serde::Serialize;
use tokio::sync::Notify;

use crate::{
    config::Config,
    error::{Error, Result, catch, panicked},
    event::{Exchange, What},
    id::{EntryId, TransactionId},
    net::Lack,
    trace::Trace,
};

pub use extension::Extension;
use extension::Slots;
pub(crate) use scope::{Scope, ScopeSettings};
pub(crate) use shared::Shared;

/// What a journey works with: its transactions, its HTTP session, its settings, its clock.
///
/// Each run of a journey has one of its own. It is a cheap handle, bound to the worker thread the
/// journey runs on.
#[derive(Clone)]
pub struct Context {
    run: Rc<JourneyRun>,
}

/// One run of a journey.
struct JourneyRun {
    scope: Rc<Scope>,
    entry: EntryId,
    /// What tells it from others: what its random numbers come from.
    number: u64,
    current: Cell<TransactionId>,
    panicked_in: Cell<Option<TransactionId>>,
    rng: RefCell<fastrand::Rng>,
    extensions: Slots,
    /// Made when it is first asked for, if the run has none: in the open model.
    user: OnceCell<Rc<User>>,
    /// Where its spans are written down, if it is traced.
    trace: Option<Trace>,
}

/// What a user of the closed model keeps from one run of its journey to the next.
#[derive(Debug, Default)]
pub(crate) struct User {
    slots: Slots,
    leaving: Cell<bool>,
    left: Notify,
}

impl User {
    /// Asks the journey in flight, through `should_stop`, to be the user's last.
    pub(crate) fn leave(&self) {
        self.leaving.set(true);
        self.left.notify_waiters();
    }

    /// Waits until the user is told to leave.
    pub(crate) async fn left(&self) {
        if !self.is_leaving() {
            self.left.notified().await;
        }
    }

    /// Whether the user is to end after the journey in flight.
    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving.get()
    }
}

/// The entry and the transaction that something belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    entry: EntryId,
    transaction: TransactionId,
}

impl Context {
    /// The context of one run of the journey of `entry`; `seed` decides its random numbers. Without
    /// a `user` it is that of one who does nothing else.
    pub(crate) fn new(
        scope: Rc<Scope>,
        entry: EntryId,
        seed: u64,
        user: Option<Rc<User>>,
        trace: Option<Trace>,
    ) -> Self {
        Self {
            run: Rc::new(JourneyRun {
                scope,
                entry,
                number: seed,
                current: Cell::new(TransactionId::ROOT),
                panicked_in: Cell::new(None),
                rng: RefCell::new(fastrand::Rng::with_seed(seed)),
                extensions: Slots::default(),
                user: user.map_or_else(OnceCell::new, OnceCell::from),
                trace,
            }),
        }
    }

    /// Times `future` under `name`, and takes note of the failure that ends it.
    ///
    /// The transaction is the current one exactly while its future is polled, so transactions nest
    /// rightly under `join!`, `select!` and in streams. Inside another transaction its name becomes
    /// `outer :: inner`. A failure is reported once, at the innermost transaction it passes; every
    /// transaction it ends counts an error. A transaction dropped before its end counts nothing.
    ///
    /// # Errors
    /// Whatever the future returns.
    ///
    /// ```
    /// # use mite::{Context, journey};
    /// #[journey]
    /// async fn checkout(ctx: &Context) -> mite::Result {
    ///     let order = ctx.transaction("order", async {
    ///         ctx.transaction("pay", async { Ok(()) }).await?;
    ///         Ok(4711)
    ///     }).await?;
    ///     mite::ensure!(order == 4711);
    ///     Ok(())
    /// }
    /// # tokio::runtime::LocalRuntime::new().unwrap().block_on(async {
    /// let recorded = mite::testing::run::<checkout>(()).await;
    /// assert_eq!(recorded.transactions(), ["order :: pay", "order"]);
    /// # });
    /// ```
    pub fn transaction<T, F>(
        &self,
        name: impl AsRef<str>,
        future: F,
    ) -> impl Future<Output = Result<T>>
    where
        F: Future<Output = Result<T>>,
    {
        transaction::Transaction::new(self, name, future)
    }

    /// Tells of something that happened in this journey, for metrics and collectors to read.
    ///
    /// `kind` is what a [metric](crate::metrics!) is bound to; the fields of `value` are what it
    /// reads. When nobody listens for this kind, nothing is serialized.
    ///
    /// # Errors
    /// When somebody listens and `value` cannot be serialized.
    #[track_caller]
    pub fn send(&self, kind: &str, value: impl Serialize) -> Result {
        let scope = &self.run.scope;
        if !scope.tapped() && !scope.recorder().wants(kind) {
            return Ok(());
        }
        let value = serde_json::to_value(value)?;
        self.tell(&What::Custom {
            kind,
            value: &value,
        });
        Ok(())
    }

    /// The settings of the run.
    pub fn config(&self) -> &Config {
        self.run.scope.config()
    }

    /// Whether the journey should come to its end soon: the run is stopping, or the volume has
    /// fallen and this user is to go. A journey that loops asks this.
    pub fn should_stop(&self) -> bool {
        let user = self.run.user.get();
        self.run.scope.is_stopping() || user.is_some_and(|user| user.is_leaving())
    }

    /// A generator of random numbers that gives the same ones in every run with the same `--seed`.
    ///
    /// Each call gives a generator of its own, split off the journey's.
    ///
    /// ```
    /// # async fn journey(ctx: &mite::Context) {
    /// let article = ctx.rng().u32(1..=500);
    /// # }
    /// ```
    pub fn rng(&self) -> fastrand::Rng {
        self.run.rng.borrow_mut().fork()
    }

    /// A value made once a runner, by whichever journey asks first, and then seen by all of them.
    ///
    /// Journeys that ask while it is being made wait. When making it fails, the failure is that of
    /// the journey that tried, and the next one tries again. Values of different types may have the
    /// same key.
    ///
    /// # Errors
    /// Whatever `init` returns.
    ///
    /// ```
    /// # async fn sign_in() -> mite::Result<String> { Ok(String::new()) }
    /// # async fn journey(ctx: &mite::Context) -> mite::Result {
    /// let token = ctx.shared("token", async { sign_in().await }).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn shared<T, F>(&self, key: &str, init: F) -> Result<Arc<T>>
    where
        T: Send + Sync + 'static,
        F: Future<Output = Result<T>>,
    {
        self.run.scope.shared().get_or_init(key, init).await
    }

    /// State that a user of the closed model keeps from one run of its journey to the next, made
    /// by `T::default()` at first use: sign in once, then go on.
    ///
    /// In the open model each start is a user of its own.
    pub fn user<T: Default + 'static>(&self) -> Rc<T> {
        let user = self.run.user.get_or_init(Rc::default);
        user.slots.get_or_insert_with(T::default)
    }

    /// The extension `T` of this run of the journey, attached at first use.
    pub fn extension<T: Extension>(&self) -> Rc<T> {
        self.run.extensions.get_or_insert_with(|| T::attach(self))
    }

    /// The extension `T` of this worker thread, attached at first use: for what journeys share
    /// without locks, such as kept connections.
    pub fn per_worker<T: Extension>(&self) -> Rc<T> {
        self.run
            .scope
            .extensions()
            .get_or_insert_with(|| T::attach(self))
    }

    /// Takes note of something that happened just now, in the current transaction.
    pub(crate) fn tell(&self, what: &What<'_>) {
        self.tell_at(self.place(), what);
    }

    /// Takes note of something that belongs to a transaction that was current earlier.
    pub(crate) fn tell_at(&self, place: Place, what: &What<'_>) {
        let scope = &self.run.scope;
        scope.record(self.run.number, place.entry, place.transaction, what);
    }

    /// The transaction that is current.
    pub(crate) fn place(&self) -> Place {
        Place {
            entry: self.run.entry,
            transaction: self.run.current.get(),
        }
    }

    /// Takes note of a failure, at the transaction a panic broke or else at the current one, unless
    /// that has been done.
    pub(crate) fn report(&self, error: &mut Error) {
        if error.report_once() {
            self.trace_exception(error);
            let transaction = self
                .run
                .panicked_in
                .take()
                .unwrap_or_else(|| self.run.current.get());
            let run = &self.run;
            run.scope.report(run.number, run.entry, transaction, error);
        }
    }

    /// Takes note of a new connection to a server, of the addresses that would not do before and, if
    /// it has TLS, of whether the session of an earlier one was resumed.
    pub(crate) fn connection_opened(&self, tls_resumed: Option<bool>, passed_over: u64) {
        let mut recorder = self.run.scope.recorder();
        recorder.connection_opened(tls_resumed, passed_over);
    }

    /// Takes note of a connection that could not be made.
    pub(crate) fn connection_failed(&self) {
        self.run.scope.recorder().connection_failed();
    }

    /// Takes note that this machine itself had not what a connection takes.
    pub(crate) fn lacked(&self, lack: Lack) {
        self.run.scope.recorder().lacked(lack);
    }

    /// Whether somebody wants to see whole exchanges.
    pub(crate) fn tapped(&self) -> bool {
        self.run.scope.wants_exchanges()
    }

    /// Shows an exchange to whoever wants to see it.
    pub(crate) fn exchange(&self, mut exchange: Exchange, place: Place) {
        exchange.journey = self.run.scope.recorder().journey(place.entry).to_string();
        exchange.transaction = self
            .run
            .scope
            .recorder()
            .path(place.transaction)
            .to_string();
        self.run.scope.exchange(exchange);
    }

    /// Lets go of the extensions, which may hold on to the context in their turn.
    ///
    /// # Errors
    /// When one of them panics as it goes; that has been reported then.
    pub(crate) fn close(&self) -> Result {
        if self.run.extensions.is_empty() {
            return Ok(());
        }
        catch(|| self.run.extensions.clear()).map_err(|panic| {
            let mut error = panicked(panic);
            self.report(&mut error);
            error
        })
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Context")
            .field("entry", &self.run.entry)
            .field("transaction", &self.run.current.get())
            .finish_non_exhaustive()
    }
}
