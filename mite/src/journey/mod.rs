//! The journey: what one user does, and how a marked function becomes one.

mod capture;
mod data;
pub(crate) mod lookup;
mod output;
pub(crate) mod registry;
mod run;
mod runnable;

use serde::{Serialize, de::DeserializeOwned};

use crate::{context::Context, error::Result};

pub use data::{DataType, Is};
pub use lookup::Definition;
pub use output::{IsContext, JourneyOutput, Outcome, outcome};
pub(crate) use run::{Run, Start, run_once};
pub(crate) use runnable::Runnable;

/// Makes a journey of an async function.
///
/// The function stays as it is and can be called. Beside it comes a type of the same name that
/// stands for it: `Scenario::new().journey::<sign_in>(users(), volume)`. The function takes the
/// context first, then its data: nothing, one argument of any type that serde can write and read,
/// or several, that then come from the pool as a tuple.
///
/// ```
/// use mite::{Context, journey};
///
/// /// Reads an article, for a while.
/// #[journey]
/// async fn read(ctx: &Context, article: String, pages: u32) -> mite::Result {
///     for page in 0..pages {
///         ctx.transaction("page", async {
///             mite::ensure!(page < 100, "{article} is too long");
///             Ok(())
///         })
///         .await?;
///     }
///     Ok(())
/// }
/// ```
///
/// The first line of the documentation is what `list` shows. The full name is the path of the
/// module and the name of the function, `shop::read`; on the command line the end of it will do
/// where only one ends so. A journey in a library is found only when the program uses that library:
/// where nothing else does, `use that_library as _;` says so.
///
/// The data is owned (a `String`, not a `&str`), since it may come from another machine. Generic,
/// `unsafe` and `extern` functions and methods with a `self` cannot be journeys.
///
/// Where `mite` is only reached through another crate, `#[journey(crate = "that_crate::mite")]` says
/// how. A renamed dependency is found without that.
pub use mite_macros::journey;

/// What one user does, from start to end.
///
/// [`#[journey]`](macro@crate::journey) makes one of an async function: a type of the same name as
/// the function, that stands for it in a scenario. There is rarely a reason to write one by hand;
/// one that is not registered by the macro cannot be found by name, so it does not run.
///
/// A journey stays on the thread that it was started on, so its future need not be `Send`.
///
/// ```
/// use mite::{Context, Journey, journey};
///
/// #[journey]
/// async fn look_up(ctx: &Context, word: String, pages: u32) -> mite::Result {
///     # let _ = (ctx, word, pages);
///     Ok(())
/// }
///
/// fn name_and_data<J: Journey<Data = (String, u32)>>() -> &'static str {
///     J::NAME
/// }
/// assert!(name_and_data::<look_up>().ends_with("::look_up"));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a journey",
    label = "this is not a journey",
    note = "a journey is an async function with `#[mite::journey]` above it"
)]
pub trait Journey: 'static {
    /// What each run of it is given: `()` for nothing, a tuple for several things.
    ///
    /// It may come from another machine, hence the bounds.
    type Data: Serialize + DeserializeOwned + 'static;

    /// The path of the function's module and its name: `shop::sign_in`.
    const NAME: &'static str;

    /// Runs it one time.
    fn run(ctx: &Context, data: Self::Data) -> impl Future<Output = Result>;
}

#[cfg(test)]
mod tests;
