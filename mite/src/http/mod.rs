//! HTTP/1.1: a session a journey, connections kept a worker, every request timed.
//!
//! [`Context::http`](crate::Context::http) gives the [`Session`] of the journey. Its names are those
//! of `reqwest` where `reqwest` has one. What differs, because this client measures:
//!
//! - [`send`](RequestBuilder::send) reads the whole body, since that is what the time of a request
//!   means; [`text`](Response::text), [`json`](Response::json) and [`bytes`](Response::bytes) do not
//!   await.
//! - Redirects are not followed and cookies are not kept: what the journey does not ask for is not
//!   sent.
//! - No compressed answer is asked for. A journey that sets `accept-encoding` itself gets the bytes
//!   as the server sent them.
//! - Every `send` is recorded, whatever becomes of it, under the
//!   [`name`](RequestBuilder::name) of the request.

mod connection;
mod cookies;
mod deadline;
mod digest;
mod error;
pub(crate) mod mask;
mod pool;
mod redirect;
mod request;
mod response;
mod send;
mod session;
mod status;
mod target;
#[cfg(test)]
mod tests;
mod worker;

pub use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
pub use url::Url;

pub use cookies::{Cookie, CookieJar, Cookies};
pub use error::Error;
pub use request::RequestBuilder;
pub use response::{Response, Timings};
pub use session::Session;
pub use status::StatusPattern;
