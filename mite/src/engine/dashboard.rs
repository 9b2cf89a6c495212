//! The dashboard of a run: opened before anything begins, told to whoever looks on.

use tokio::sync::oneshot;

use super::{RunError, StopHandle, onlooker::Onlooker};
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
}

impl Dashboard {
    /// Takes the port and answers on it, as far as there is anything to say.
    pub(super) fn open(
        options: &serve::Options,
        stop: StopHandle,
        served: Option<oneshot::Sender<()>>,
    ) -> Result<Self, RunError> {
        let Some(mut bound) = serve::bind(options)? else {
            return Ok(Self {
                url: None,
                token: None,
                server: None,
            });
        };
        let served = served.unwrap_or_else(|| oneshot::channel().0);
        Ok(Self {
            url: Some(bound.url()),
            token: bound.make_token(),
            server: Some(bound.start(Box::new(move || stop.stop()), served)?),
        })
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
