//! One journey on its own, and everything it did: for tests of journeys.
//!
//! ```
//! use mite::{Context, journey, testing};
//!
//! #[journey]
//! async fn greet(ctx: &Context, name: String) -> mite::Result {
//!     ctx.transaction("greet", async {
//!         ctx.send("greeting", serde_json::json!({ "to": name }))?;
//!         Ok(())
//!     }).await
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let recorded = testing::run::<greet>("Ada".to_owned()).await;
//! recorded.result().unwrap();
//! assert_eq!(recorded.transactions(), ["greet"]);
//! assert_eq!(recorded.events("greeting")[0].field("to").unwrap(), "Ada");
//! # }
//! ```

mod recorded;

use std::{
    rc::Rc,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use tokio::{task::LocalSet, time::Instant};

pub use recorded::{Recorded, RecordedEvent};

use crate::{
    clock::RunClock,
    config::Config,
    context::{Scope, ScopeSettings, Shared},
    datapool,
    error::Error,
    event::{Keep, Tap},
    id::EntryId,
    journey::{Is, Journey, Runnable, Start, run_once},
};

/// Runs a journey once with `data` and an empty config, and gives what it did.
///
/// It runs on the current thread, in whatever tokio runtime the test has, also a paused one.
pub async fn run<J: Journey>(data: impl Is<J::Data>) -> Recorded {
    run_with::<J>(data, Config::default()).await
}

/// As [`run`], with settings, such as the `base_url` of the server the test has started.
///
/// ```no_run
/// # use mite::{Config, Context, journey, testing};
/// # #[journey]
/// # async fn browse(ctx: &Context) -> mite::Result { Ok(()) }
/// # async fn test() {
/// let mut config = Config::default();
/// config.set("base_url", "http://127.0.0.1:8080");
/// let recorded = testing::run_with::<browse>((), config).await;
/// assert_eq!(recorded.exchanges()[0].status.unwrap(), 200);
/// # }
/// ```
pub async fn run_with<J: Journey>(data: impl Is<J::Data>, config: Config) -> Recorded {
    let shared = Arc::new(Mutex::new(Recorded::default()));
    let runnable = Runnable::of::<J>();
    let result = match datapool::encode::<(), _>(0, &data.into_data()) {
        Ok(data) => {
            let recording = recorded::Recording::new(Arc::clone(&shared));
            let keep: Arc<dyn Keep> = Arc::new(recording.clone());
            run_tapped(&runnable, data, config, 0, Box::new(recording), Some(keep)).await
        }
        Err(error) => Err(error.into()),
    };
    recorded::finish(&shared, result)
}

/// Runs one journey once, with somebody looking at all it does and keeping what it records.
pub(crate) async fn run_tapped(
    journey: &Runnable,
    data: Bytes,
    config: Config,
    seed: u64,
    tap: Box<dyn Tap>,
    keep: Option<Arc<dyn Keep>>,
) -> Result<(), Error> {
    let local = LocalSet::new();
    let scope = Rc::new(Scope::new(ScopeSettings {
        clock: RunClock::start(),
        journeys: vec![Arc::from(journey.name())],
        metrics: Vec::new(),
        series_cap: crate::stats::DEFAULT_CAP,
        config,
        shared: Arc::new(Shared::default()),
        tap: Some(tap),
        keep,
        tracer: None,
    }));
    let start = Start {
        entry: EntryId(0),
        seed,
        user: None,
        intended: None,
        at: Instant::now(),
    };
    local
        .run_until(run_once(&scope, journey, &data, start))
        .await
        .result
}
