//! HTTP: a session for each run of a journey, connections kept, every request timed.
//!
//! [`Context::http`](crate::Context::http) gives the [`Session`] of the journey. Its names are those
//! of `reqwest` where `reqwest` has one. What differs, because this client measures:
//!
//! - [`send`](RequestBuilder::send) reads the whole body, since that is what the time of a request
//!   means; [`text`](Response::text), [`json`](Response::json) and [`bytes`](Response::bytes) do not
//!   await. [`stream`](RequestBuilder::stream) reads it bit by bit.
//! - Every request is recorded, whatever becomes of it, under its
//!   [`name`](RequestBuilder::name); a redirect that is followed is a request of its own.
//! - What kind of client it is, [`Settings`] say: who shares [`Connections`], which version of HTTP,
//!   [`Tls`], [`Network`] and [`Proxy`], and what is done without being asked.
//! - No compressed answer is asked for unless the settings say so; one that comes is decompressed.
//!
//! ```
//! use mite::{Context, Scenario, http::{Connections, Settings}};
//!
//! /// Visitors whose browsers were just started.
//! fn visitors() -> Scenario {
//!     let browser = Settings::new()
//!         .connections(Connections::per_journey().max_per_host(6))
//!         .compressed(true);
//!     Scenario::new().base_url("https://shop.test").http(browser)
//! }
//!
//! async fn sign_in(ctx: &Context) -> mite::Result {
//!     let account = ctx.http().post("/sign-in").form(&[("name", "ada")]).send().await?;
//!     account.expect_status(200)?.expect_body_contains("ada")?;
//!     mite::ensure!(account.url().path() == "/account", "signing in led to {}", account.url());
//!     Ok(())
//! }
//! ```
//!
//! The page *Imitating a client*, `docs/imitating-a-client.md` in the repository, has the settings
//! for browsers, apps, services, health checkers and curl, and the defaults beside those of other
//! tools.

mod body;
mod connection;
mod connections;
mod cookies;
mod curl;
mod deadline;
mod decode;
mod digest;
mod error;
mod events;
mod head;
mod hook;
pub(crate) mod mask;
pub mod multipart;
mod pool;
mod profile;
mod redirect;
mod request;
mod response;
mod send;
mod session;
mod settings;
mod status;
mod target;
#[cfg(test)]
mod tests;
mod worker;

pub use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
pub use url::Url;

pub use crate::event::Timings;
pub use crate::net::{AddressFamily, Network, Proxy, Tls, TlsVersion};
pub use body::Body;
pub use connections::Connections;
pub use cookies::{Cookie, CookieJar, Cookies};
pub use error::Error;
pub use events::ServerSentEvent;
pub use hook::Labels;
pub use request::RequestBuilder;
pub use response::{Events, Response, Streaming};
pub use session::Session;
pub use settings::{HttpVersion, Settings};
pub use status::StatusPattern;
