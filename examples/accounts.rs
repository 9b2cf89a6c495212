//! Accounts of the demo shop that outlive it: whoever knows the password has one.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

use crate::reply;

#[derive(Deserialize)]
struct Opening {
    name: String,
}

#[derive(Deserialize)]
struct SigningIn {
    name: String,
    password: String,
}

/// Opens an account.
pub(crate) async fn open(request: Request<Incoming>) -> Response<Full<Bytes>> {
    match body::<Opening>(request).await {
        Some(Opening { name }) if !name.is_empty() => {
            let account = json!({ "name": name, "password": password(&name) });
            reply(StatusCode::CREATED, &account)
        }
        _ => reply(
            StatusCode::BAD_REQUEST,
            &json!({ "error": "a name, please" }),
        ),
    }
}

/// Signs in with an account.
pub(crate) async fn sign_in(request: Request<Incoming>) -> Response<Full<Bytes>> {
    match body::<SigningIn>(request).await {
        Some(who) if who.password == password(&who.name) => {
            reply(StatusCode::OK, &json!({ "welcome": who.name }))
        }
        _ => reply(
            StatusCode::UNAUTHORIZED,
            &json!({ "error": "there is no such account" }),
        ),
    }
}

/// The shop forgets everything when it ends, so a password follows from the name.
fn password(name: &str) -> String {
    let mut hasher = DefaultHasher::new();
    ("demo shop", name).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

async fn body<T: DeserializeOwned>(request: Request<Incoming>) -> Option<T> {
    let body = request.into_body().collect().await.ok()?;
    serde_json::from_slice(&body.to_bytes()).ok()
}
