//! Load tests as ordinary Rust.
//!
//! A *journey* is an async function: what one user does. A *scenario* says how much of each journey
//! there is to be, with which data, and what has to hold. The engine runs it and gives a [`Report`]
//! with a [`Verdict`]: passed, failed, invalid or interrupted.
//!
//! ```no_run
//! use std::{process::ExitCode, time::Duration};
//! use mite::{Context, Scenario, datapool, datapool::Recyclable, journey, scenario};
//! use mite::volume::{Constant, Ramp};
//! use serde::{Deserialize, Serialize};
//!
//! const MINUTE: Duration = Duration::from_secs(60);
//!
//! #[derive(Serialize, Deserialize)]
//! struct User {
//!     name: String,
//!     password: String,
//! }
//!
//! #[derive(Deserialize)]
//! struct Basket {
//!     items: Vec<String>,
//! }
//!
//! /// Signs in and looks at an empty basket.
//! #[journey]
//! async fn sign_in(ctx: &Context, user: User) -> mite::Result {
//!     ctx.transaction("sign in", async {
//!         ctx.http().post("/login").json(&user).send().await?.expect_status(200)?;
//!         Ok(())
//!     }).await?;
//!     ctx.pause(Duration::from_secs(1)).await;
//!     ctx.transaction("basket", async {
//!         let basket: Basket = ctx.http().get("/basket").send().await?.json()?;
//!         mite::ensure!(basket.items.is_empty(), "a new user's basket is not empty");
//!         Ok(())
//!     }).await
//! }
//!
//! /// Looks at the front page.
//! #[journey]
//! async fn browse(ctx: &Context) -> mite::Result {
//!     ctx.http().get("/").send().await?.expect_status(200)?;
//!     Ok(())
//! }
//!
//! /// The customers, from a file with the columns `name` and `password`.
//! #[datapool]
//! fn users() -> Recyclable<User> {
//!     Recyclable::from_csv("users.csv")
//! }
//!
//! /// An hour like a Saturday evening.
//! #[scenario]
//! fn evening() -> Scenario {
//!     Scenario::new()
//!         .base_url("https://shop.test")
//!         .journey::<sign_in>(
//!             users(),
//!             Constant::users(10, MINUTE)
//!                 + Ramp::over(5 * MINUTE)
//!                 + Constant::users(1000, 50 * MINUTE).named("peak")
//!                 + Ramp::over(5 * MINUTE).to(0),
//!         )
//!         .journey::<browse>((), Constant::per_second(500, 61 * MINUTE))
//!         .threshold("http.p99 < 250ms")
//!         .threshold("errors.rate < 1%")
//! }
//!
//! fn main() -> ExitCode {
//!     mite::main()
//! }
//! ```
//!
//! This is a program with a command line: `list`, `journey run sign_in --datapool users`,
//! `scenario plan evening`, `scenario test evening --report evening.json`.
//!
//! # Concepts
//!
//! - A journey, marked [`#[journey]`](macro@journey), is given a [`Context`]: its
//!   [transactions](Context::transaction), its [HTTP session](Context::http), its
//!   [settings](Context::config), its [think time](Context::pause). It stays on one worker thread, so
//!   it need not be `Send`. It returns [`mite::Result`](Result) and fails through `?`, [`ensure!`],
//!   [`bail!`] or a panic; see [`Error`].
//! - A [`Scenario`], marked [`#[scenario]`](macro@scenario), joins journeys with their volume and
//!   data, and has [thresholds](Threshold), a [warm-up](Scenario::warm_up) and
//!   [set-up](Scenario::setup).
//! - A [volume model](volume) says how much: in the closed model so many users, in the open model so
//!   many starts a second, whatever the server does.
//! - A [datapool](mod@datapool) gives each run of a journey its data.
//! - A [`metric`] of your own counts events, of the engine's kinds or those a journey
//!   [sends](Context::send).
//!
//! # How to run it
//!
//! - [`main`] and [`main_with`] are the command line of a program.
//! - [`run`] and [`Run`] run a scenario from your own code, such as `cargo test`.
//! - [`testing`] runs one journey and hands back all it did.
//!
//! # How to read a report
//!
//! Look at the [verdict](Report::verdict) first, and at its [reasons](Report::reasons). When it is
//! [`Verdict::Invalid`], the load was not what was asked for: read no further, and find out why.
//! Otherwise the response time of a [journey](report::JourneySummary) is what a user would have felt,
//! counted from when the start was due; its service time is counted from when it did start. The two
//! are the same in the closed model. Times of [transactions](report::TransactionSummary) and
//! [requests](report::HttpSummary) are those of successes; those of failures are kept apart, so that
//! quick errors flatter no percentile. [Errors](report::ErrorSummary) have the line of your source.
//! The [generator](report::GeneratorSummary) itself is in the report too: it is always a suspect.
//!
//! # Modules
//!
//! - [`volume`]: how much load, and when.
//! - [`mod@datapool`]: with what data.
//! - [`http`]: the client a tester must imitate, over HTTP/1.1 and HTTP/2, each request timed by
//!   phase.
//! - [`metric`]: metrics of your own.
//! - [`event`]: what happens in a run, for metrics and tests to read.
//! - [`report`]: what a run has shown.
//! - [`testing`]: one journey on its own.
//!
//! The pages in the repository's `docs` directory tell of how to imitate a client, of the command
//! line, of how the numbers are measured, of the report and of comparing two, of what mite costs and of how it is
//! built.
//!
//! # Features
//!
//! - `brotli`, on by default: answers encoded as `br` are decompressed.
//! - `zstd`, on by default: answers encoded as `zstd` are decompressed.
//! - `otel`: traces and metrics are sent to an OpenTelemetry collector; it brings no further dependency.
//!
//! # Panics
//!
//! A panic in a journey is caught, counted and ends that run of the journey only. That needs a profile
//! that unwinds, which is the default; with `panic = "abort"` it ends the process.

// The macros say `::mite`, also in the tests of this crate.
#[cfg(test)]
extern crate self as mite;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod archive;
#[cfg(feature = "bench")]
#[doc(hidden)]
pub mod bench;
mod cli;
mod clock;
mod config;
mod context;
mod controller;
pub mod datapool;
mod engine;
mod error;
pub mod event;
mod families;
pub mod http;
mod id;
mod journey;
mod link;
mod net;
#[cfg(feature = "otel")]
mod otel;
mod outbound;
mod protobuf;
pub mod report;
mod runner;
mod scenario;
mod serve;
mod stats;
pub mod testing;
mod trace;
pub mod volume;

#[doc(hidden)]
pub use inventory;

pub use cli::{main, main_with};
pub use config::{Config, ConfigError};
pub use context::{Context, Extension};
pub use engine::{Run, RunError, StopHandle, run};
pub use error::{Class, Classifier, Error, Result};
pub use id::ItemId;
pub use journey::{Is, Journey, journey};
pub use report::{Report, Verdict};
pub use scenario::{
    Scenario, ScenarioError, datapool, scenario,
    threshold::{Threshold, ThresholdError},
};
#[doc(inline)]
pub use stats::metric;

/// The code of the README and of the pages, so that it is compiled with the tests.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../README.md")]
    struct Readme;
    #[doc = include_str!("../../docs/architecture.md")]
    struct Architecture;
    #[doc = include_str!("../../docs/collecting.md")]
    struct Collecting;
    #[doc = include_str!("../../docs/command-line.md")]
    struct CommandLine;
    #[doc = include_str!("../../docs/comparing.md")]
    struct Comparing;
    #[doc = include_str!("../../docs/dashboard.md")]
    struct Dashboard;
    #[doc = include_str!("../../docs/distributed.md")]
    struct Distributed;
    #[doc = include_str!("../../docs/imitating-a-client.md")]
    struct ImitatingAClient;
    #[doc = include_str!("../../docs/numbers.md")]
    struct Numbers;
    #[doc = include_str!("../../docs/opentelemetry.md")]
    struct OpenTelemetry;
    #[doc = include_str!("../../docs/performance.md")]
    struct Performance;
    #[doc = include_str!("../../docs/prometheus.md")]
    struct Prometheus;
    #[doc = include_str!("../../docs/report.md")]
    struct Report;
    #[doc = include_str!("../../docs/webhook.md")]
    struct Webhook;
}
