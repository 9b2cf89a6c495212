//! An HTTP server of nothing but metrics, which are asked for elsewhere.

use std::{
    convert::Infallible, future::Future, pin::Pin, rc::Rc, sync::Arc, thread, time::Duration,
};

use http::{Method, Request, StatusCode, header::ACCEPT};
use hyper::body::Incoming;
use tokio::sync::{oneshot, watch};

use super::{
    Options, ServeError, Stage,
    answer::{self, Answer, refusal},
    bind,
    exposition::Format,
    guard::Guard,
    listener::{Answers, Listener},
};

/// Asks for metrics in a form that the text accepts; or says why there are none.
pub(crate) type Ask =
    Arc<dyn Fn(String) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, String>>>> + Send + Sync>;

/// Whether what is asked can be reached.
pub(crate) type IsReachable = Arc<dyn Fn() -> bool + Send + Sync>;

/// A server that runs until it is dropped.
pub(crate) struct Exporter {
    /// Where it is.
    pub(crate) url: String,
    /// Ends it.
    _stage: watch::Sender<Stage>,
}

/// Serves what is asked for elsewhere, on a thread of its own; `served` is dropped when it ends.
///
/// # Errors
/// When the port cannot be had, or there can be no thread.
pub(crate) fn export(
    address: String,
    ask: Ask,
    is_reachable: IsReachable,
    served: oneshot::Sender<()>,
) -> Result<Exporter, ServeError> {
    let options = Options {
        address: Some(address),
        ..Options::default()
    };
    let Some(bound) = bind(&options)? else {
        return Err(ServeError::Thread(std::io::Error::other("no address")));
    };
    let url = bound.url();
    let (stage, stages) = watch::channel(Stage::Before);
    let guard = Guard::new(bound.at, None);
    let listener = Listener {
        socket: bound.listener,
        stages,
        linger: Duration::ZERO,
    };
    thread::Builder::new()
        .name("mite-serve".to_owned())
        .spawn(move || {
            let _served = served;
            let desk = Desk {
                guard,
                ask,
                is_reachable,
            };
            if let Err(error) = listener.serve(desk) {
                tracing::error!("metrics are not served: {error}");
            }
        })
        .map_err(ServeError::Thread)?;
    Ok(Exporter { url, _stage: stage })
}

struct Desk {
    guard: Guard,
    ask: Ask,
    is_reachable: IsReachable,
}

impl Answers for Desk {
    async fn answer(self: Rc<Self>, request: Request<Incoming>) -> Result<Answer, Infallible> {
        if let Err((status, why)) = self.guard.check_looking(request.headers()) {
            return Ok(refusal(status, why));
        }
        let path = request.uri().path();
        if !["/metrics", "/health"].contains(&path) {
            return Ok(refusal(
                StatusCode::NOT_FOUND,
                "there is /metrics and /health",
            ));
        }
        if ![Method::GET, Method::HEAD].contains(request.method()) {
            return Ok(answer::wrong_method("GET, HEAD"));
        }
        Ok(match path {
            "/metrics" => self.metrics(&request).await,
            _ => self.health(),
        })
    }
}

impl Desk {
    async fn metrics(&self, request: &Request<Incoming>) -> Answer {
        let accept = request.headers().get_all(ACCEPT).iter();
        let accepted: Vec<_> = accept.filter_map(|value| value.to_str().ok()).collect();
        let accepted = accepted.join(",");
        let content_type = Format::accepted(&accepted).content_type();
        match (self.ask)(accepted).await {
            Ok(made) => answer::whole(content_type, made),
            Err(why) => refusal(StatusCode::SERVICE_UNAVAILABLE, &why),
        }
    }

    fn health(&self) -> Answer {
        if (self.is_reachable)() {
            return answer::whole("text/plain; charset=utf-8", "ok\n");
        }
        refusal(StatusCode::SERVICE_UNAVAILABLE, "NATS cannot be reached")
    }
}
