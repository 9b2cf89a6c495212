//! What a run shows and takes over HTTP while it goes on: dashboard, report, Prometheus, controls.
//!
//! The server has a thread of its own and looks at what the controller has added up, when somebody
//! asks for it and once a second at most. Workers know nothing of it.

mod address;
mod answer;
mod controls;
mod error;
mod events;
#[cfg(feature = "nats")]
mod exporter;
mod exposition;
mod guard;
mod latest;
mod listener;
mod moment;
mod patience;
mod routes;
#[cfg(feature = "nats")]
mod scrapes;
mod token;

use std::{
    fmt,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    thread,
    time::Duration,
};

use tokio::sync::{
    mpsc::{Receiver, Sender, channel},
    oneshot, watch,
};

pub(crate) use address::Address;
pub(crate) use controls::{Stop, Volume};
pub(crate) use error::ServeError;
#[cfg(feature = "nats")]
pub(crate) use exporter::{Ask, export};
pub(crate) use exposition::ClassicBuckets;
pub(crate) use moment::Moment;
#[cfg(feature = "nats")]
pub(crate) use scrapes::Scrapes;

use latest::Latest;
use token::Token;

/// How many questions may wait for the engine; what comes beyond that is told to come again.
const WAITING: usize = 64;

/// What to serve, and where.
#[derive(Clone, Default)]
pub(crate) struct Options {
    /// Where; nothing is served without one.
    pub(crate) address: Option<String>,
    /// What whoever stops the run or changes its volume has to know.
    pub(crate) token: Option<String>,
    /// Whether somebody is shown a token that is made because none was given.
    pub(crate) announced: bool,
    /// How long to go on after the end of the run.
    pub(crate) linger: Duration,
    /// Up to where the classic buckets of histograms reach, as they were written.
    pub(crate) buckets: Option<String>,
}

impl fmt::Debug for Options {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Options")
            .field("address", &self.address)
            .field("token", &self.token.as_ref().map(|_| "***"))
            .field("announced", &self.announced)
            .field("linger", &self.linger)
            .field("buckets", &self.buckets)
            .finish()
    }
}

/// A port that is taken, on which nobody answers yet.
pub(crate) struct Bound {
    listener: TcpListener,
    at: SocketAddr,
    token: Option<Token>,
    announced: bool,
    linger: Duration,
    buckets: ClassicBuckets,
}

/// A server that answers, as the engine sees it.
pub(crate) struct Server {
    /// What is asked of the engine.
    questions: Receiver<Question>,
    stage: watch::Sender<Stage>,
}

/// A way to look at the run, for whoever shows it.
#[derive(Clone)]
pub(crate) struct Feed {
    questions: Sender<Question>,
    stages: watch::Receiver<Stage>,
}

/// What the server wants of the engine.
pub(crate) enum Question {
    /// How the run stands.
    Look(oneshot::Sender<Box<dyn Moment>>),
    /// How much of the plan is asked for, after it has been changed to this factor, if it is to be.
    Volume(Option<f64>, oneshot::Sender<Volume>),
}

/// How far the run is.
enum Stage {
    /// It has not begun.
    Before,
    /// So many seconds of it are known.
    During(u64),
    /// It is over, and this is what it came to.
    Over(Arc<dyn Moment>),
}

/// What the engine hears of those who look at the run, and their way to it.
pub(crate) fn feed() -> (Server, Feed) {
    let (questions, asked) = channel(WAITING);
    let (stage, stages) = watch::channel(Stage::Before);
    let server = Server {
        questions: asked,
        stage,
    };
    (server, Feed { questions, stages })
}

/// Takes the port, so that what is wrong with it is known before the run begins.
///
/// # Errors
/// When an option makes no sense, or the port cannot be had.
pub(crate) fn bind(options: &Options) -> Result<Option<Bound>, ServeError> {
    let token = options.token.as_deref().map(Token::given).transpose()?;
    let buckets = match &options.buckets {
        Some(text) => text.parse().map_err(ServeError::Buckets)?,
        None => ClassicBuckets::default(),
    };
    let Some(text) = &options.address else {
        return Ok(None);
    };
    let address: Address = text.parse()?;
    let taken = |source| ServeError::Taken {
        address: address.0,
        source,
    };
    let listener = TcpListener::bind(address.0).map_err(taken)?;
    listener.set_nonblocking(true).map_err(taken)?;
    Ok(Some(Bound {
        at: listener.local_addr().map_err(taken)?,
        listener,
        token,
        announced: options.announced,
        linger: options.linger,
        buckets,
    }))
}

impl Bound {
    /// The page to look at.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/", address::to_open(&self.listener, self.at))
    }

    /// Makes a token where one is needed and none was given, and gives it, to be shown once.
    pub(crate) fn make_token(&mut self) -> Option<String> {
        if self.token.is_some() || !self.announced || self.at.ip().is_loopback() {
            return None;
        }
        let token = Token::random()?;
        let shown = token.shown();
        self.token = Some(token);
        Some(shown)
    }

    /// Answers from now on, until the run is over and the time after it as well. `stop` ends the run;
    /// `served` is dropped when nobody is answered any more.
    ///
    /// # Errors
    /// When there can be no thread.
    pub(crate) fn start(
        self,
        feed: Feed,
        stop: Stop,
        served: oneshot::Sender<()>,
    ) -> Result<(), ServeError> {
        let listener = listener::Listener {
            socket: self.listener,
            stages: feed.stages.clone(),
            linger: self.linger,
        };
        let serve = move || {
            listener.serve(routes::Desk {
                guard: guard::Guard::new(self.at, self.token),
                controls: controls::Controls::new(stop, feed.questions.clone()),
                latest: Latest::new(feed),
                buckets: self.buckets,
            })
        };
        thread::Builder::new()
            .name("mite-serve".to_owned())
            .spawn(move || {
                let _served = served;
                if let Err(error) = serve() {
                    tracing::warn!("the dashboard is not served: {error}");
                }
            })
            .map_err(ServeError::Thread)?;
        Ok(())
    }
}

impl Server {
    /// What is asked next; dropping the answer's sender says that there is none.
    pub(crate) async fn question(&mut self) -> Option<Question> {
        self.questions.recv().await
    }

    /// So many seconds of the run are known.
    pub(crate) fn second(&self, known: u64) {
        self.stage.send_replace(Stage::During(known));
    }

    /// The run is over.
    pub(crate) fn over(self, last: Box<dyn Moment>) {
        self.stage.send_replace(Stage::Over(last.into()));
    }
}
