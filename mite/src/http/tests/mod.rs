//! The client against servers on real sockets.

mod failures;
mod framing;
mod kept;
mod messages;
mod secrets;
mod server;
mod tls;
mod together;

use std::{cell::RefCell, rc::Rc, sync::Arc, time::Duration};

use self::server::{Act, HI, Seen, TestServer};
use super::{Error, Session};
use crate::{
    clock::RunClock,
    config::Config,
    context::{Context, Scope, ScopeSettings},
    event::{Event, Exchange, Tap, What},
    id::EntryId,
};

/// What one request was recorded as.
#[derive(Clone, Debug)]
struct Recorded {
    transaction: String,
    name: String,
    status: Option<u16>,
    failed: bool,
    sent: bool,
    error: Option<String>,
    reused: bool,
    bytes_sent: u64,
    bytes_received: u64,
    phases: [bool; 4],
    first_byte: Option<Duration>,
    body: Option<Duration>,
    total: Duration,
}

#[derive(Clone, Default)]
struct Log {
    requests: Rc<RefCell<Vec<Recorded>>>,
    exchanges: Rc<RefCell<Vec<Exchange>>>,
}

impl Tap for Log {
    fn event(&mut self, event: &Event<'_>, _run: u64) {
        let What::Http(request) = event.what else {
            return;
        };
        self.requests.borrow_mut().push(Recorded {
            transaction: event.transaction.to_owned(),
            name: request.name.to_owned(),
            status: request.status,
            failed: request.failed,
            sent: request.sent,
            error: request.error.map(str::to_owned),
            reused: request.timings.reused,
            bytes_sent: request.timings.bytes_sent,
            bytes_received: request.timings.bytes_received,
            phases: [
                request.timings.dns.is_some(),
                request.timings.connect.is_some(),
                request.timings.tls.is_some(),
                request.timings.first_byte.is_some(),
            ],
            first_byte: request.timings.first_byte,
            body: request.timings.body,
            total: request.timings.total,
        });
    }

    fn exchange(&mut self, exchange: Exchange) {
        self.exchanges.borrow_mut().push(exchange);
    }
}

impl Log {
    fn all(&self) -> Vec<Recorded> {
        self.requests.borrow().clone()
    }

    fn last(&self) -> Recorded {
        self.requests.borrow().last().cloned().unwrap()
    }
}

fn context(config: Config) -> (Context, Log) {
    let log = Log::default();
    let scope = Scope::new(ScopeSettings {
        clock: RunClock::start(),
        journeys: vec![Arc::from("shop::browse")],
        metrics: Vec::new(),
        series_cap: 1000,
        config,
        shared: Arc::default(),
        tap: Some(Box::new(log.clone())),
        keep: None,
        tracer: None,
    });
    let context = Context::new(Rc::new(scope), EntryId(0), 0, None, None);
    (context, log)
}

/// Runs a test as a worker runs a journey, with a session on `server`.
fn with(server: &TestServer, test: impl AsyncFnOnce(Session, Log)) {
    let mut config = Config::default();
    config.set("base_url", server.url());
    with_config(config, async |context, log| test(context.http(), log).await);
}

fn with_config(config: Config, test: impl AsyncFnOnce(Context, Log)) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(Default::default())
        .unwrap();
    runtime.block_on(async {
        let (context, log) = context(config);
        test(context, log).await;
    });
}

fn always(answer: impl Into<Vec<u8>>) -> TestServer {
    let answer = answer.into();
    TestServer::start(move |_: &Seen| Act::answer(answer.clone()))
}

async fn failure(session: &Session, path: &str) -> Error {
    session.get(path).send().await.unwrap_err()
}

const REUSED: [bool; 4] = [false, false, false, true];
const NEW: [bool; 4] = [false, true, false, true];
