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
    guard::{Guard, Refused},
    latest::{Latest, Seen},
    listener::Answers,
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

/// What there is to ask for.
enum Route {
    Page,
    Report,
    Batches,
    Events,
    Metrics,
    Volume,
    ChangeVolume,
    Stop,
}

impl Route {
    /// What is asked for.
    fn of(method: &Method, path: &str) -> Result<Self, Wrong> {
        let (reads, posts, methods) = match path {
            "/" => (Some(Self::Page), None, READ),
            "/api/report" => (Some(Self::Report), None, READ),
            "/api/batches" => (Some(Self::Batches), None, READ),
            "/api/events" => (Some(Self::Events), None, READ),
            "/metrics" => (Some(Self::Metrics), None, READ),
            "/api/volume" => (
                Some(Self::Volume),
                Some(Self::ChangeVolume),
                "GET, HEAD, POST",
            ),
            "/api/stop" => (None, Some(Self::Stop), "POST"),
            _ => return Err(Wrong::Path),
        };
        let route = match *method {
            Method::GET | Method::HEAD => reads,
            Method::POST => posts,
            _ => None,
        };
        route.ok_or(Wrong::Method(methods))
    }

    fn changes_the_run(&self) -> bool {
        matches!(self, Self::ChangeVolume | Self::Stop)
    }
}

/// Why nothing is done.
enum Wrong {
    Path,
    /// The path takes these.
    Method(&'static str),
    Refused(Refused),
}

/// The methods of what is only looked at.
const READ: &str = "GET, HEAD";

impl Answers for Desk {
    async fn answer(self: Rc<Self>, request: Request<Incoming>) -> Result<Answer, Infallible> {
        Ok(match self.route(&request) {
            Ok(Route::Page) => answer::page(page::live()),
            Ok(Route::Report) => self.report().await,
            Ok(Route::Batches) => self.batches().await,
            Ok(Route::Events) => self.events(&request),
            Ok(Route::Metrics) => self.metrics(&request).await,
            Ok(Route::Volume) => self.volume(None).await,
            Ok(Route::ChangeVolume) => self.change_volume(request).await,
            Ok(Route::Stop) => self.stop(request).await,
            Err(Wrong::Path) => nowhere(),
            Err(Wrong::Method(methods)) => answer::wrong_method(methods),
            Err(Wrong::Refused((status, why))) => refusal(status, why),
        })
    }
}

impl Desk {
    /// What is asked for by somebody who may. Nobody needs a token to be told that there is no such
    /// thing.
    fn route(&self, request: &Request<Incoming>) -> Result<Route, Wrong> {
        let headers = request.headers();
        self.guard.check_looking(headers).map_err(Wrong::Refused)?;
        let route = Route::of(request.method(), request.uri().path())?;
        if route.changes_the_run() {
            self.guard.check_changing(headers).map_err(Wrong::Refused)?;
        }
        Ok(route)
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

fn nowhere() -> Answer {
    refusal(
        StatusCode::NOT_FOUND,
        "there is /, /metrics, /api/report, /api/batches, /api/events, /api/stop and /api/volume",
    )
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
