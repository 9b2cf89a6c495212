//! One request and the next in the same session, looked at from both ends.

use std::time::{Duration, Instant};

use mite::{
    Config, Context,
    http::{Error, HttpVersion},
    journey,
    testing::{self, Recorded},
};
use serde::{Deserialize, Serialize};

/// Longer than any answer that comes takes, on a machine with a lot else to do.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// For answers that do not come.
pub(crate) const SHORT: Duration = Duration::from_millis(300);

/// What to ask for, and how.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Ask {
    path: String,
    timeout: Duration,
    version: Speaking,
    reading: Reading,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Speaking {
    Whatever,
    Http2,
}

/// What is done with a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Reading {
    Kept,
    Discarded,
    Streamed,
}

/// What came of it.
pub(crate) struct Asked {
    /// The kind of error it ended with; `fine` when with none.
    pub(crate) kind: String,
    /// What the message says.
    pub(crate) message: String,
    /// Whether the next request went over the same connection.
    pub(crate) kept: bool,
    /// Bytes of the body, as they came and decoded, as they were recorded.
    pub(crate) body: (u64, u64),
}

/// Asks for a path, and for `/ok` after that, whatever came of it.
#[journey]
async fn ask(ctx: &Context, ask: Ask) -> mite::Result {
    let http = ctx.http();
    if ask.version == Speaking::Http2 {
        http.configure(|settings| settings.version(HttpVersion::Http2));
    }
    let asked = read(ctx, &ask).await;
    // What ends a connection after its answer arrives.
    ctx.pause(Duration::from_millis(60)).await;
    let next = http.get("/ok").timeout(LONG).send().await?;
    mite::ensure!(next.expect_status(200)?.text()? == "fine\n");
    Ok(asked?)
}

async fn read(ctx: &Context, ask: &Ask) -> Result<(), Error> {
    let request = ctx.http().get(&ask.path).timeout(ask.timeout);
    match ask.reading {
        Reading::Kept => drop(request.send().await?),
        Reading::Discarded => drop(request.discard_body().send().await?),
        Reading::Streamed => {
            let mut answer = request.stream().await?;
            while answer.chunk().await?.is_some() {}
        }
    }
    Ok(())
}

impl Ask {
    pub(crate) fn new(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            timeout: LONG,
            version: Speaking::Whatever,
            reading: Reading::Kept,
        }
    }

    pub(crate) fn http2(mut self) -> Self {
        self.version = Speaking::Http2;
        self
    }

    pub(crate) fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    pub(crate) fn reading(mut self, reading: Reading) -> Self {
        self.reading = reading;
        self
    }

    /// Asks a server at this URL. Whatever comes of it, each request is recorded once, in time, and
    /// the session goes on.
    pub(crate) async fn at(self, url: String) -> Asked {
        let path = self.path.clone();
        let most = self.timeout + LONG;
        let began = Instant::now();
        let recorded = testing::run_with::<ask>(self, config(url)).await;
        assert!(began.elapsed() < most, "{path}: {:?}", began.elapsed());
        let (kind, message) = match recorded.result() {
            Ok(()) => ("fine".to_owned(), String::new()),
            Err(error) => (error.kind().to_owned(), error.to_string()),
        };
        let requests = kinds(&recorded);
        let wanted = if kind == "fine" { None } else { Some(&*kind) };
        assert_eq!(requests, [wanted, None], "{path}: {message}");
        let [first, next] = &recorded.events("http")[..] else {
            panic!("{path}: two requests");
        };
        let bytes = |name| first.field(name).unwrap().as_u64().unwrap();
        Asked {
            kind,
            message,
            kept: next.field("reused").unwrap().as_bool().unwrap(),
            body: (bytes("encoded_body_bytes"), bytes("decoded_body_bytes")),
        }
    }
}

/// The settings of a client of this server, whose certificate nobody needs to know.
pub(crate) fn config(url: String) -> Config {
    let mut config = Config::default();
    config.set("base_url", url);
    config.set("mite.insecure", true);
    config
}

/// The kinds of error that the requests were recorded with.
pub(crate) fn kinds(recorded: &Recorded) -> Vec<Option<&str>> {
    let requests = recorded.events("http");
    let kinds = requests.into_iter().map(|request| {
        let kind = request.field("error");
        kind.map(|kind| kind.as_str().unwrap())
    });
    kinds.collect()
}
