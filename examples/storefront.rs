//! What browsers find in the demo shop: a page with its resources, a form to sign in, a session.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    hash::{BuildHasher, RandomState},
    io::Write,
    sync::LazyLock,
    time::Duration,
};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{
    HeaderMap, HeaderValue, Request, Response, StatusCode,
    header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE},
};
use http_body_util::{BodyExt, Collected, Full};
use hyper::body::Incoming;
use tokio::time::sleep;

use crate::{SignIn, with_type};

/// How many articles the page shows.
const SHOWN: u32 = 8;

static PAGE: LazyLock<Text> = LazyLock::new(|| Text::new("text/html", page()));
static STYLE: LazyLock<Text> = LazyLock::new(|| {
    let rule = |n| format!(".article:nth-child({n}) {{ order: {n}; color: #444 }}\n");
    Text::new("text/css", (1..=100).map(rule).collect())
});
static SCRIPT: LazyLock<Text> = LazyLock::new(|| {
    let line = "document.querySelectorAll('.article').forEach(it => it.tabIndex = 0);\n";
    Text::new("text/javascript", line.repeat(50))
});

/// What signs the sessions, another one each time the shop starts.
static SECRET: LazyLock<RandomState> = LazyLock::new(RandomState::new);

thread_local! {
    /// The pictures that have been drawn.
    static PICTURES: RefCell<BTreeMap<u32, Bytes>> = const { RefCell::new(BTreeMap::new()) };
}

/// A text with its compressed form, which is made once.
struct Text {
    kind: &'static str,
    plain: Bytes,
    compressed: Option<Bytes>,
}

impl Text {
    fn new(kind: &'static str, plain: String) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        let compressed = encoder
            .write_all(plain.as_bytes())
            .and_then(|()| encoder.finish());
        Self {
            kind,
            plain: plain.into(),
            compressed: compressed.ok().map(Bytes::from),
        }
    }

    /// Compressed for those who say that they can read it.
    fn answer(&self, asked: &HeaderMap) -> Response<Full<Bytes>> {
        let reads_gzip = header(asked, &ACCEPT_ENCODING).contains("gzip");
        let Some(compressed) = self.compressed.as_ref().filter(|_| reads_gzip) else {
            return with_type(StatusCode::OK, self.kind, self.plain.clone());
        };
        let mut response = with_type(StatusCode::OK, self.kind, compressed.clone());
        let encoding = HeaderValue::from_static("gzip");
        response.headers_mut().insert(CONTENT_ENCODING, encoding);
        response
    }
}

/// The page with the articles.
pub(crate) fn shop(asked: &HeaderMap) -> Response<Full<Bytes>> {
    PAGE.answer(asked)
}

/// What belongs to the page; `None` if there is nothing of this name.
pub(crate) async fn resource(name: &str, asked: &HeaderMap) -> Option<Response<Full<Bytes>>> {
    match name {
        "style.css" => Some(STYLE.answer(asked)),
        "shop.js" => Some(SCRIPT.answer(asked)),
        _ => {
            let number = name.strip_prefix("picture/")?.strip_suffix(".svg")?;
            let number = number.parse().ok()?;
            if (1..=SHOWN).contains(&number) {
                Some(picture(number).await)
            } else {
                None
            }
        }
    }
}

/// A picture, and whether it had been drawn before (`x-cache`).
async fn picture(number: u32) -> Response<Full<Bytes>> {
    let kept = PICTURES.with_borrow(|pictures| pictures.get(&number).cloned());
    let cache = if kept.is_some() { "hit" } else { "miss" };
    let drawn = match kept {
        Some(drawn) => drawn,
        None => {
            // Drawing is work.
            sleep(Duration::from_millis(15)).await;
            let circle = format!("<circle cx=\"50\" cy=\"50\" r=\"{}\"/>", 10 + number);
            let drawn = format!("<svg xmlns=\"http://www.w3.org/2000/svg\">{circle}</svg>");
            let drawn = Bytes::from(drawn);
            PICTURES.with_borrow_mut(|pictures| pictures.insert(number, drawn.clone()));
            drawn
        }
    };
    let mut response = with_type(StatusCode::OK, "image/svg+xml", drawn);
    let cache = HeaderValue::from_static(cache);
    response.headers_mut().insert("x-cache", cache);
    response
}

/// Takes the form, begins a session and sends the browser on to the account.
pub(crate) async fn sign_in(request: Request<Incoming>) -> Response<Full<Bytes>> {
    let body = request.into_body().collect().await;
    let body = body.map(Collected::to_bytes).unwrap_or_default();
    let who = serde_urlencoded::from_bytes::<SignIn>(&body);
    let Some(who) = who.ok().filter(SignIn::is_complete) else {
        let words = "A name and a password, please.";
        return with_type(StatusCode::BAD_REQUEST, "text/plain", words.into());
    };
    let session = signed(&who.name);
    let Ok(cookie) = HeaderValue::try_from(format!("session={session}; Path=/; HttpOnly")) else {
        let words = "This name cannot be in a cookie.";
        return with_type(StatusCode::BAD_REQUEST, "text/plain", words.into());
    };
    let mut response = sent_to("/account");
    response.headers_mut().insert(SET_COOKIE, cookie);
    response
}

/// The page of a customer who has signed in; anybody else is sent to the shop.
pub(crate) fn account(asked: &HeaderMap) -> Response<Full<Bytes>> {
    let cookies = header(asked, &COOKIE);
    let sessions = cookies
        .split("; ")
        .filter_map(|cookie| cookie.strip_prefix("session="));
    let mut names = sessions.filter_map(|session| {
        let (name, _) = session.rsplit_once('.')?;
        (session == signed(name)).then_some(name)
    });
    match names.next() {
        Some(name) => {
            let html = format!("<!doctype html><title>Account</title><h1>Hello, {name}</h1>");
            with_type(StatusCode::OK, "text/html", html.into())
        }
        None => sent_to("/shop"),
    }
}

/// A session that only this shop can have given out.
fn signed(name: &str) -> String {
    format!("{name}.{:016x}", SECRET.hash_one(name))
}

/// After a form or for another page: a redirect that makes a GET of any request.
fn sent_to(path: &'static str) -> Response<Full<Bytes>> {
    let mut response = with_type(StatusCode::SEE_OTHER, "text/plain", Bytes::new());
    response.headers_mut().remove(CONTENT_TYPE);
    let location = HeaderValue::from_static(path);
    response.headers_mut().insert(LOCATION, location);
    response
}

fn page() -> String {
    let article = |n| {
        format!("<li class=\"article\"><img src=\"/static/picture/{n}.svg\">Article {n}</li>\n")
    };
    let articles: String = (1..=SHOWN).map(article).collect();
    format!(
        "<!doctype html><title>A small shop</title>\n\
         <link rel=\"stylesheet\" href=\"/static/style.css\">\n\
         <script src=\"/static/shop.js\"></script>\n<ul>\n{articles}</ul>\n"
    )
}

fn header<'a>(headers: &'a HeaderMap, name: &http::HeaderName) -> &'a str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}
