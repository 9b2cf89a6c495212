//! What a journey records for a later run to use.

use serde::Serialize;

use super::Context;
use crate::{
    error::{Error, Result},
    event::{Keep, check_name},
};

impl Context {
    /// Keeps `item` under `name` for a later run, whose pool reads it: create the data in one run,
    /// use it in the next.
    ///
    /// `--record DIR`, or [`Run::record`](crate::Run::record), says where: items of the name `users`
    /// are appended to `DIR/users.msgpack`, which
    /// [`Recyclable::from_msgpack`](crate::datapool::Recyclable::from_msgpack) and
    /// [`Once::from_msgpack`](crate::datapool::Once::from_msgpack) read. A name is made of letters,
    /// digits, `-`, `_` and `.`. An item is recorded as it is, secrets included, since the later run
    /// needs them.
    ///
    /// It waits for no disk. What could not be written in the end is told by the run, which ends
    /// with exit code 2 then.
    ///
    /// # Errors
    /// When nothing says where to record, the name is not one, `item` cannot be serialized, or the
    /// disk takes nothing any more or is 64 MiB behind.
    ///
    /// ```
    /// use mite::{Context, journey, testing};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Serialize, Deserialize)]
    /// struct User { name: String }
    ///
    /// #[journey]
    /// async fn sign_up(ctx: &Context) -> mite::Result {
    ///     let user = User { name: format!("visitor-{}", ctx.rng().u32(..)) };
    ///     // ... the user is made known to the system ...
    ///     ctx.record("users", &user)
    /// }
    ///
    /// # tokio::runtime::LocalRuntime::new().unwrap().block_on(async {
    /// let recorded = testing::run::<sign_up>(()).await;
    /// assert_eq!(recorded.items::<User>("users").unwrap().len(), 1);
    /// # });
    /// ```
    #[track_caller]
    pub fn record(&self, name: &str, item: &(impl Serialize + ?Sized)) -> Result {
        let keep = self.kept(name)?;
        let item = rmp_serde::to_vec_named(item)?;
        told(keep.keep(name, item))
    }

    /// Deletes what was [recorded](Context::record) under `name` before, by this run and by earlier
    /// ones.
    ///
    /// A run that begins anew does this once, in a journey of its own or behind
    /// [`shared`](Context::shared), before it records.
    ///
    /// # Errors
    /// When nothing says where to record, or the name is not one.
    #[track_caller]
    pub fn purge(&self, name: &str) -> Result {
        told(self.kept(name)?.purge(name))
    }

    #[track_caller]
    fn kept(&self, name: &str) -> Result<&dyn Keep> {
        told(check_name(name))?;
        match self.run.scope.keep() {
            Some(keep) => Ok(keep),
            None => Err(Error::error(format!(
                "nothing says where {name:?} is recorded: give a directory with --record DIR, or \
                 with Run::record in a program"
            ))),
        }
    }
}

/// The failure at the line of the journey, which a closure would not know.
#[track_caller]
fn told(result: Result<(), String>) -> Result {
    match result {
        Ok(()) => Ok(()),
        Err(message) => Err(Error::error(message)),
    }
}
