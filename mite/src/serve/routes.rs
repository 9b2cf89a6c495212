//! Which path answers what.

use std::{convert::Infallible, rc::Rc, time::Duration};

use bytes::Bytes;
use http::{Method, Request, StatusCode, header::ACCEPT};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use serde_json::json;
use tokio::time::timeout;

use super::{
    ClassicBuckets,
    answer::{self, Answer, refusal},
    controls::{self, Controls},
    events, exposition,
    guard::Guard,
    latest::{Latest, Seen},
};
use crate::report::page;

/// No request has a longer body.
const LONGEST_BODY: usize = 4096;

/// How long a body may take to come.
const BODY_TIME: Duration = Duration::from_secs(10);

/// Everything that answers are made of.
pub(super) struct Desk {
    pub(super) guard: Guard,
    pub(super) controls: Controls,
    pub(super) latest: Latest,
    pub(super) buckets: ClassicBuckets,
}

impl Desk {
    /// Answers a request.
    pub(super) async fn answer(
        self: Rc<Self>,
        request: Request<Incoming>,
    ) -> Result<Answer, Infallible> {
        if let Err((status, why)) = self.guard.check(request.method(), request.headers()) {
            return Ok(refusal(status, why));
        }
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        let posts = request.method() == Method::POST;
        Ok(match request.uri().path() {
            "/" if reads => answer::page(page::live()),
            "/api/report" if reads => self.report().await,
            "/api/batches" if reads => self.batches().await,
            "/api/events" if reads => self.events(&request),
            "/metrics" if reads => self.metrics(&request).await,
            "/api/volume" if reads => self.volume(None).await,
            "/api/volume" if posts => self.change_volume(request).await,
            "/api/stop" if posts => self.stop(request).await,
            "/" | "/api/report" | "/api/batches" | "/api/events" | "/metrics" => {
                answer::wrong_method("GET, HEAD")
            }
            "/api/volume" => answer::wrong_method("GET, HEAD, POST"),
            "/api/stop" => answer::wrong_method("POST"),
            _ => refusal(
                StatusCode::NOT_FOUND,
                "there is /, /metrics, /api/report, /api/batches, /api/events, /api/stop and \
                 /api/volume",
            ),
        })
    }

    async fn report(&self) -> Answer {
        match self.latest.get().await {
            Some(seen) => answer::whole(answer::JSON, seen.json()),
            None => not_yet(),
        }
    }

    async fn batches(&self) -> Answer {
        match self.latest.get().await {
            Some(seen) => answer::whole(answer::JSON, seen.batches()),
            None => not_yet(),
        }
    }

    fn events(&self, request: &Request<Incoming>) -> Answer {
        // A browser that has lost its connection says which event was the last it saw.
        let header = request.headers().get("last-event-id");
        let query = request.uri().query().unwrap_or_default();
        let asked = url::form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == "since")
            .map(|(_, value)| value.into_owned());
        let last = header.and_then(|id| id.to_str().ok().map(str::to_owned));
        let Some(text) = last.or(asked) else {
            return answer::events(events::stream(self.latest.clone(), None));
        };
        match text.parse::<f64>() {
            Ok(since) if since.is_finite() => {
                answer::events(events::stream(self.latest.clone(), Some(since)))
            }
            _ => refusal(
                StatusCode::BAD_REQUEST,
                "since is the \"at\" of the last point of the series that is known, like 12.0",
            ),
        }
    }

    async fn metrics(&self, request: &Request<Incoming>) -> Answer {
        let Some(seen) = self.latest.get().await else {
            return not_yet();
        };
        let accept = request.headers().get_all(ACCEPT).iter();
        let accepted: Vec<_> = accept.filter_map(|value| value.to_str().ok()).collect();
        let format = exposition::Format::accepted(&accepted.join(","));
        let made = seen.spend(|| exposition::expose(seen.moment(), &self.buckets, format));
        answer::whole(format.content_type(), made)
    }

    async fn volume(&self, factor: Option<f64>) -> Answer {
        if let Some(volume) = self.controls.volume(factor).await {
            if factor.is_some() && !volume.adjustable {
                return unchangeable();
            }
            return answer::json(StatusCode::OK, &volume);
        }
        match self.latest.get().await {
            Some(seen) if seen.is_last() && factor.is_some() => over(),
            Some(seen) if seen.is_last() => answer::json(StatusCode::OK, &last_volume(&seen)),
            _ => not_yet(),
        }
    }

    async fn change_volume(&self, request: Request<Incoming>) -> Answer {
        let body = match body(request).await {
            Ok(body) => body,
            Err(answer) => return answer,
        };
        match controls::factor(&body) {
            Ok(factor) => self.volume(Some(factor)).await,
            Err(why) => refusal(StatusCode::BAD_REQUEST, &why),
        }
    }

    async fn stop(&self, request: Request<Incoming>) -> Answer {
        if let Err(answer) = body(request).await {
            return answer;
        }
        let seen = self.latest.get().await;
        if seen.is_some_and(|seen| seen.is_last()) {
            return over();
        }
        self.controls.stop();
        answer::json(StatusCode::ACCEPTED, &json!({"stopping": true}))
    }
}

fn last_volume(seen: &Seen) -> controls::Volume {
    controls::Volume {
        adjustable: false,
        factor: seen.moment().now().volume_factor,
    }
}

async fn body(request: Request<Incoming>) -> Result<Bytes, Answer> {
    let body = Limited::new(request.into_body(), LONGEST_BODY).collect();
    match timeout(BODY_TIME, body).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(_)) => Err(refusal(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the body is longer than 4096 bytes, or did not come whole",
        )),
        Err(_) => Err(refusal(
            StatusCode::REQUEST_TIMEOUT,
            "the body did not come within 10 seconds",
        )),
    }
}

fn not_yet() -> Answer {
    refusal(
        StatusCode::SERVICE_UNAVAILABLE,
        "nothing is known yet; the run is being set up, or its last report is being made",
    )
}

fn over() -> Answer {
    refusal(StatusCode::CONFLICT, "the run is over")
}

fn unchangeable() -> Answer {
    refusal(
        StatusCode::CONFLICT,
        "the volume cannot be changed: the run is stopping, or its volume follows the results",
    )
}
