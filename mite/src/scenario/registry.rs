//! Scenarios and datapools that `#[scenario]` and `#[datapool]` marked, by name.

use std::pin::Pin;

use super::Scenario;
use crate::{
    config::Config,
    datapool::{DataPool, ErasedPool},
    error::{Error, Result},
    journey::{
        DataType, Definition,
        lookup::{self, DuplicateName, LookupError, Registered},
    },
};

/// Registers a function that returns a [`Scenario`], to be run by its name.
///
/// It takes nothing, or the config as `&mut Config` or `&Config`; it may be async, and it may return
/// a `Result` with any error that `?` takes into [`mite::Result`](crate::Result). It stays callable.
///
/// ```
/// use mite::{Config, Scenario, scenario};
///
/// /// As many users as the config says.
/// #[scenario]
/// fn evening(config: &mut Config) -> mite::Result<Scenario> {
///     let users: u32 = config.get_or("users", 10)?;
///     mite::ensure!(users > 0, "an evening without users");
///     Ok(Scenario::new())
/// }
/// ```
///
/// Names are made as those of a [`#[journey]`](macro@crate::journey), which also tells of
/// `crate = "…"`.
pub use mite_macros::scenario;

/// Registers a function that returns a [pool](crate::datapool::DataPool), to be named on the command
/// line: `journey run sign_in --datapool users`.
///
/// It takes nothing, or the config as `&mut Config` or `&Config`; it may be async, and it may return
/// a `Result` with any error that `?` takes into [`mite::Result`](crate::Result). It stays callable,
/// so that a scenario can say `users()`.
///
/// ```
/// use mite::{Config, datapool, datapool::Recyclable};
///
/// /// Who signs in.
/// #[datapool]
/// fn users(config: &Config) -> mite::Result<Recyclable<String>> {
///     let count: u32 = config.get_or("users", 10)?;
///     Ok(Recyclable::new((0..count).map(|number| format!("user {number}"))))
/// }
/// ```
///
/// Names are made as those of a [`#[journey]`](macro@crate::journey), which also tells of
/// `crate = "…"`.
pub use mite_macros::datapool;

/// Calls a marked function and makes something of what it returns.
pub(crate) type Build<T> = for<'a> fn(&'a mut Config) -> BuildFuture<'a, T>;

/// A marked function being called; it need not be `Send`.
pub type BuildFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + 'a>>;

/// A scenario function and where it is.
#[derive(Clone, Copy, Debug)]
pub struct ScenarioEntry {
    /// Where it is, and what it says of itself.
    pub definition: Definition,
    /// Calls it.
    pub build: Build<Scenario>,
}

impl ScenarioEntry {
    /// The entry of a function; the macro submits it.
    pub const fn new(definition: Definition, build: Build<Scenario>) -> Self {
        Self { definition, build }
    }
}

/// A datapool function and where it is.
#[derive(Clone, Copy, Debug)]
pub struct DataPoolEntry {
    /// Where it is, and what it says of itself.
    pub definition: Definition,
    item_type: fn() -> DataType,
    /// Calls it.
    pub build: Build<ErasedPool>,
}

impl DataPoolEntry {
    /// The entry of a function; the macro submits it.
    pub const fn new(
        definition: Definition,
        item_type: fn() -> DataType,
        build: Build<ErasedPool>,
    ) -> Self {
        Self {
            definition,
            item_type,
            build,
        }
    }

    /// What the pool hands out.
    pub fn item_type(&self) -> DataType {
        (self.item_type)()
    }
}

/// Every scenario of this program, in order of name.
pub(crate) fn scenarios() -> Vec<&'static ScenarioEntry> {
    lookup::all()
}

/// The scenario of that name, or the one whose path ends with it.
pub(crate) fn find_scenario(name: &str) -> Result<&'static ScenarioEntry, LookupError> {
    lookup::find(name)
}

/// Every datapool of this program, in order of name.
pub(crate) fn datapools() -> Vec<&'static DataPoolEntry> {
    lookup::all()
}

/// The datapool of that name, or the one whose path ends with it.
pub(crate) fn find_datapool(name: &str) -> Result<&'static DataPoolEntry, LookupError> {
    lookup::find(name)
}

/// Makes sure that no two scenarios and no two datapools have one name.
pub(crate) fn check_duplicates() -> Result<(), DuplicateName> {
    lookup::check_unique::<ScenarioEntry>()?;
    lookup::check_unique::<DataPoolEntry>()
}

impl Registered for ScenarioEntry {
    const KIND: &'static str = "scenario";

    fn definition(&self) -> Definition {
        self.definition
    }
}

impl Registered for DataPoolEntry {
    const KIND: &'static str = "datapool";

    fn definition(&self) -> Definition {
        self.definition
    }
}

inventory::collect!(ScenarioEntry);
inventory::collect!(DataPoolEntry);

/// What a scenario function may return: a scenario, or a `Result` of one.
#[diagnostic::on_unimplemented(
    message = "a scenario function returns `mite::Scenario` or a `Result` of it, not `{Self}`",
    label = "this should be `mite::Scenario`",
    note = "the error of a `Result` is anything that `?` takes into `mite::Result`"
)]
pub trait IntoScenario {
    /// The scenario.
    ///
    /// # Errors
    /// When this is an error.
    #[track_caller]
    fn into_scenario(self) -> Result<Scenario>;
}

#[diagnostic::do_not_recommend]
impl IntoScenario for Scenario {
    fn into_scenario(self) -> Result<Scenario> {
        Ok(self)
    }
}

#[diagnostic::do_not_recommend]
impl<E: Into<Error>> IntoScenario for Result<Scenario, E> {
    #[track_caller]
    fn into_scenario(self) -> Result<Scenario> {
        match self {
            Ok(scenario) => Ok(scenario),
            Err(error) => Err(error.into()),
        }
    }
}

/// What a datapool function may return: a pool, or a `Result` of one.
#[diagnostic::on_unimplemented(
    message = "a datapool function returns a pool or a `Result` of one, not `{Self}`",
    label = "this should be a `mite::datapool::DataPool`",
    note = "the error of a `Result` is anything that `?` takes into `mite::Result`"
)]
pub trait IntoPool {
    /// What the pool hands out.
    type Item: 'static;

    /// The pool, its type forgotten.
    ///
    /// # Errors
    /// When this is an error.
    #[track_caller]
    fn into_pool(self) -> Result<ErasedPool>;
}

#[diagnostic::do_not_recommend]
impl<P: DataPool> IntoPool for P {
    type Item = P::Item;

    fn into_pool(self) -> Result<ErasedPool> {
        Ok(ErasedPool::new(self))
    }
}

#[diagnostic::do_not_recommend]
impl<P: DataPool, E: Into<Error>> IntoPool for Result<P, E> {
    type Item = P::Item;

    #[track_caller]
    fn into_pool(self) -> Result<ErasedPool> {
        match self {
            Ok(pool) => Ok(ErasedPool::new(pool)),
            Err(error) => Err(error.into()),
        }
    }
}

/// The type of the items of the pool that `function` makes; it is not called.
pub fn item_type<F, M>(function: F) -> DataType
where
    F: FnOnce() -> M,
    M: Future<Output: IntoPool>,
{
    drop(function);
    DataType::of::<<M::Output as IntoPool>::Item>()
}

#[cfg(test)]
mod tests {
    use std::io;

    use async_trait::async_trait;

    use super::*;
    use crate::{
        datapool::{Checkout, DataPoolError, Policy},
        id::ItemId,
    };

    #[scenario]
    fn plain() -> Scenario {
        Scenario::new()
    }

    #[scenario]
    fn with_config(config: &mut Config) -> Scenario {
        config.set("seen", "with_config");
        Scenario::new()
    }

    #[scenario]
    async fn slow(config: &Config) -> Result<Scenario> {
        tokio::task::yield_now().await;
        crate::ensure!(config.text("seen").is_none(), "seen by another");
        Ok(Scenario::new())
    }

    /// Fails.
    #[scenario]
    async fn broken() -> std::result::Result<Scenario, io::Error> {
        Err(io::Error::other("no network"))
    }

    struct Numbers;

    #[async_trait]
    impl DataPool for Numbers {
        type Item = u16;

        fn policy(&self) -> Policy {
            Policy::Recycle
        }

        async fn checkout(
            &mut self,
            _: usize,
        ) -> std::result::Result<Checkout<u16>, DataPoolError> {
            Err(DataPoolError::new("none"))
        }

        async fn checkin(&mut self, _: &[ItemId], _: bool) {}
    }

    #[datapool]
    fn numbers() -> Numbers {
        Numbers
    }

    #[datapool]
    fn any_numbers() -> impl DataPool<Item = u16> {
        numbers()
    }

    /// As many as there are.
    #[datapool]
    async fn fetched(config: &mut Config) -> std::result::Result<Numbers, DataPoolError> {
        config.set("fetched", true);
        tokio::task::yield_now().await;
        Ok(Numbers)
    }

    #[datapool]
    fn missing(config: &Config) -> Result<impl DataPool<Item = u16> + use<>> {
        let _: u32 = config.get("how many")?;
        Ok(Numbers)
    }

    #[tokio::test]
    async fn every_form_of_scenario_function_is_called() {
        let mut config = Config::default();
        for name in ["plain", "slow", "with_config"] {
            let entry = find_scenario(name).unwrap();
            let _scenario = (entry.build)(&mut config).await.unwrap();
        }
        assert_eq!(config.text("seen"), Some("with_config"));
        let slow = find_scenario("slow").unwrap();
        let error = (slow.build)(&mut config).await.unwrap_err();
        assert_eq!(error.message(), "seen by another");
    }

    #[tokio::test]
    async fn an_error_of_any_type_is_placed_at_the_function() {
        let entry = find_scenario("tests::broken").unwrap();
        assert_eq!(entry.definition.doc, "Fails.");
        let error = (entry.build)(&mut Config::default()).await.unwrap_err();
        assert_eq!(error.message(), "Error: no network");
        assert_eq!(
            error.location(),
            format!("{}:{}", entry.definition.file, entry.definition.line)
        );
    }

    #[tokio::test]
    async fn every_form_of_datapool_function_is_called() {
        let mut config = Config::default();
        for name in ["numbers", "any_numbers", "fetched"] {
            let entry = find_datapool(name).unwrap();
            assert_eq!(entry.item_type(), DataType::of::<u16>(), "{name}");
            assert!((entry.build)(&mut config).await.is_ok(), "{name}");
        }
        assert!(config.contains("fetched"));
        let missing = find_datapool("missing").unwrap();
        assert_eq!(missing.item_type(), DataType::of::<u16>());
        let error = (missing.build)(&mut config).await.err().unwrap();
        assert!(error.message().contains("how many"), "{error}");
    }

    #[test]
    fn scenarios_and_datapools_are_listed_apart_and_in_order() {
        let here = |name: &str| name.starts_with("mite::scenario::registry::tests::");
        let listed: Vec<_> = scenarios()
            .iter()
            .filter(|entry| here(entry.definition.name))
            .map(|entry| entry.definition.name.rsplit("::").next().unwrap())
            .collect();
        assert_eq!(listed, ["broken", "plain", "slow", "with_config"]);
        let listed: Vec<_> = datapools()
            .iter()
            .filter(|entry| here(entry.definition.name))
            .map(|entry| entry.definition.doc)
            .collect();
        assert_eq!(listed, ["", "As many as there are.", "", ""]);
        assert!(check_duplicates().is_ok());
    }
}
