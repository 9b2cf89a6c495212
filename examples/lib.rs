//! A small shop on loopback for the examples to test: it starts with the example and ends with it.

mod accounts;
mod storefront;

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::OnceLock,
    thread,
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{net::TcpListener, runtime::Builder, time::sleep};

/// Where a file of the examples is.
#[must_use]
pub fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The URL of the shop, which is started by the first call.
///
/// # Panics
/// When no port can be had on loopback.
pub fn shop_url() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(|| match start() {
        Ok(address) => format!("http://{address}"),
        #[allow(clippy::panic)]
        Err(error) => panic!("the demo shop cannot start on 127.0.0.1: {error}"),
    })
}

fn start() -> io::Result<SocketAddr> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    thread::Builder::new()
        .name("demo-shop".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                match TcpListener::from_std(listener) {
                    Ok(listener) => serve(listener).await,
                    Err(error) => eprintln!("the demo shop cannot listen: {error}"),
                }
            });
        })?;
    Ok(address)
}

async fn serve(listener: TcpListener) {
    loop {
        // One that went away before it was accepted is nothing to a server.
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let _ = stream.set_nodelay(true);
        tokio::spawn(async move {
            let connection =
                http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
            let _ = connection.await;
        });
    }
}

#[derive(Deserialize)]
struct SignIn {
    name: String,
    password: String,
}

impl SignIn {
    fn is_complete(&self) -> bool {
        !self.name.is_empty() && !self.password.is_empty()
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let response = match (request.method(), path.as_str()) {
        (&Method::GET, "/") => page("A small shop"),
        (&Method::GET, "/basket") => reply(StatusCode::OK, &json!({ "items": [] })),
        (&Method::POST, "/login") => sign_in(request).await,
        (&Method::POST, "/accounts") => accounts::open(request).await,
        (&Method::POST, "/accounts/session") => accounts::sign_in(request).await,
        (&Method::POST, "/orders") => {
            // Taking an order is work.
            sleep(Duration::from_millis(20)).await;
            reply(StatusCode::CREATED, &json!({ "order": 4711 }))
        }
        (&Method::GET, "/shop") => storefront::shop(request.headers()),
        (&Method::GET, "/account") => storefront::account(request.headers()),
        (&Method::POST, "/sign-in") => storefront::sign_in(request).await,
        (&Method::GET, path) => match found(path, request.headers()).await {
            Some(found) => found,
            None => reply(
                StatusCode::NOT_FOUND,
                &json!({ "error": "there is no such page" }),
            ),
        },
        _ => reply(
            StatusCode::METHOD_NOT_ALLOWED,
            &json!({ "error": "not like this" }),
        ),
    };
    Ok(response)
}

/// What is one of many: an article, or what belongs to a page.
async fn found(path: &str, asked: &HeaderMap) -> Option<Response<Full<Bytes>>> {
    if let Some(name) = path.strip_prefix("/static/") {
        return storefront::resource(name, asked).await;
    }
    let number: u32 = path.strip_prefix("/item/")?.parse().ok()?;
    sleep(Duration::from_millis(2)).await;
    let article = json!({ "item": number, "price": number % 100 + 1 });
    Some(reply(StatusCode::OK, &article))
}

async fn sign_in(request: Request<Incoming>) -> Response<Full<Bytes>> {
    let body = request
        .into_body()
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes);
    let who = body
        .ok()
        .and_then(|body| serde_json::from_slice::<SignIn>(&body).ok());
    match who {
        Some(who) if who.is_complete() => reply(
            StatusCode::OK,
            &json!({ "token": format!("token-of-{}", who.name) }),
        ),
        Some(_) => reply(
            StatusCode::UNAUTHORIZED,
            &json!({ "error": "name or password is wrong" }),
        ),
        None => reply(
            StatusCode::BAD_REQUEST,
            &json!({ "error": "a name and a password, please" }),
        ),
    }
}

fn page(title: &str) -> Response<Full<Bytes>> {
    let html = format!("<!doctype html><title>{title}</title><h1>{title}</h1>");
    with_type(StatusCode::OK, "text/html", Bytes::from(html))
}

fn reply(status: StatusCode, value: &Value) -> Response<Full<Bytes>> {
    with_type(status, "application/json", Bytes::from(value.to_string()))
}

fn with_type(status: StatusCode, kind: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, http::HeaderValue::from_static(kind));
    response
}
