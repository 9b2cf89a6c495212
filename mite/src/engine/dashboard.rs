//! The dashboard of a run: opened before anything begins, told to whoever looks on.

use tokio::sync::oneshot;

use super::{RunError, Settings, StopHandle, onlooker::Onlooker};
#[cfg(feature = "nats")]
use crate::serve::Feed;
use crate::{
    report::RunInfo,
    serve::{self, Question, Server},
};

/// The dashboard before there is anything to see.
pub(super) struct Dashboard {
    url: Option<String>,
    /// One that was made because none was given.
    token: Option<String>,
    /// None where nothing is served.
    pub(super) server: Option<Server>,
    /// A way to look at the run, for those who show it elsewhere.
    #[cfg(feature = "nats")]
    pub(super) feed: Option<Feed>,
}

impl Dashboard {
    /// Takes the port and answers on it, as far as there is anything to say.
    pub(super) fn open(
        settings: &Settings,
        stop: StopHandle,
        served: Option<oneshot::Sender<()>>,
    ) -> Result<Self, RunError> {
        let bound = serve::bind(&settings.serve)?;
        let (server, feed) = serve::feed();
        #[cfg(feature = "nats")]
        let elsewhere = settings.bus.is_some().then(|| feed.clone());
        #[cfg(feature = "nats")]
        let is_asked = bound.is_some() || elsewhere.is_some();
        #[cfg(not(feature = "nats"))]
        let is_asked = bound.is_some();
        let mut dashboard = Self {
            url: None,
            token: None,
            server: is_asked.then_some(server),
            #[cfg(feature = "nats")]
            feed: elsewhere,
        };
        if let Some(mut bound) = bound {
            let served = served.unwrap_or_else(|| oneshot::channel().0);
            dashboard.url = Some(bound.url());
            dashboard.token = bound.make_token();
            bound.start(feed, Box::new(move || stop.stop()), served)?;
        }
        Ok(dashboard)
    }

    /// Whether the run can be looked at in a browser.
    pub(super) fn is_page(&self) -> bool {
        self.url.is_some()
    }

    /// Says that the run begins, and where it can be looked at.
    pub(super) fn introduce(&mut self, onlooker: &Onlooker, run: RunInfo) {
        let dashboard = self.url.take();
        onlooker.started(RunInfo {
            dashboard: dashboard.clone(),
            ..run
        });
        if let Some((url, token)) = dashboard.zip(self.token.take()) {
            onlooker.note(format!(
                "to stop the run or change its volume from there: {url}#token={token}"
            ));
        }
    }
}

/// What is asked from outside, if anybody can ask.
pub(super) async fn question(server: &mut Option<Server>) -> Option<Question> {
    server.as_mut()?.question().await
}
