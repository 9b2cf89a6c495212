//! Seeing to it that every request is recorded once.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use http::Version;
use tokio::time::Instant;

use super::progress::Progress;
use crate::{
    context::Place,
    event::{Exchange, Head, HttpRequest, Timings, What},
    http::{
        connection::Connection,
        curl::{self, Secrets},
        error::{Error, Kind},
        hook::Labels,
        request::{Plan, Refused},
        response::{Answer, Response},
        session::Turn,
    },
    trace,
};

/// The record of a request, made once whatever becomes of it, also when it is dropped midway.
pub(in crate::http) struct Record {
    plan: Rc<Plan>,
    place: Place,
    /// Its place among the requests under way, where these are limited.
    turn: RefCell<Option<Turn>>,
    done: Cell<bool>,
}

/// What is told of how a request ended.
struct Ending<'a> {
    error: Option<(&'static str, &'a str)>,
    answer: Option<&'a Response>,
    labels: &'a Labels,
}

impl Record {
    pub(super) fn begin(plan: &Rc<Plan>, began: Instant) -> Self {
        let context = &plan.session.context;
        plan.progress
            .begin(began, context.begin_request_span(began));
        Self {
            plan: Rc::clone(plan),
            place: context.place(),
            turn: RefCell::new(None),
            done: Cell::new(false),
        }
    }

    /// Waits until the session may have another request under way to this server.
    pub(super) async fn take_turn(&self) {
        let limit = self.plan.session.state.limit(self.plan.endpoint.origin());
        if let Some(limit) = limit {
            let turn = limit.turn(|| self.plan.progress.waited()).await;
            self.turn.replace(Some(turn));
        }
    }

    pub(in crate::http) fn plan(&self) -> &Rc<Plan> {
        &self.plan
    }

    pub(in crate::http) fn progress(&self) -> &Progress {
        &self.plan.progress
    }

    /// How long it has taken so far, by phase.
    pub(in crate::http) fn timings(&self) -> Timings {
        self.plan.progress.timings()
    }

    /// The answer as it is known before its body.
    pub(in crate::http) fn head(&self, answer: Answer) -> Response {
        Response::new(Rc::clone(&self.plan), answer, Timings::default())
    }

    /// The answer has been read to its end: the connection it came over is kept for the next
    /// request.
    pub(in crate::http) fn complete(&self, connection: Connection) {
        let now = self.plan.progress.end();
        self.plan.pool.keep(&self.plan.endpoint, connection, now);
    }

    /// Records how it ended; an answer is shown to the callbacks first.
    pub(super) fn finish(&self, outcome: Result<Answer, Error>) -> Result<Response, Error> {
        match outcome {
            Ok(answer) => {
                let timings = self.timings();
                let response = Response::new(Rc::clone(&self.plan), answer, timings);
                self.answered(&response, &timings);
                Ok(response)
            }
            Err(error) => Err(self.fail(error)),
        }
    }

    /// Records an answer whose body the journey has read, or does not want.
    pub(in crate::http) fn succeed(&self, response: &Response) {
        let timings = self.timings();
        if self.plan.hooks.is_empty() {
            self.answered(response, &timings);
        } else {
            self.answered(&response.with_timings(timings), &timings);
        }
    }

    /// Records that there was no answer, or not all of it.
    pub(in crate::http) fn fail(&self, error: Error) -> Error {
        let timings = self.timings();
        self.failed(&timings, error.kind(), &error.to_string());
        error
    }

    fn answered(&self, response: &Response, timings: &Timings) {
        let mut labels = Labels::default();
        // A callback that panics while a panic goes by would end the process.
        if !self.plan.hooks.is_empty() && !std::thread::panicking() {
            for hook in &self.plan.hooks {
                hook.call(response, &mut labels);
            }
        }
        let ending = Ending {
            error: None,
            answer: Some(response),
            labels: &labels,
        };
        self.tell(timings, &ending);
    }

    fn failed(&self, timings: &Timings, kind: &'static str, message: &str) {
        let ending = Ending {
            error: Some((kind, message)),
            answer: None,
            labels: &Labels::default(),
        };
        self.tell(timings, &ending);
    }

    fn tell(&self, timings: &Timings, ending: &Ending<'_>) {
        self.done.set(true);
        // What follows from this answer needs a turn of its own.
        drop(self.turn.take());
        let plan = &self.plan;
        let context = &plan.session.context;
        let request = HttpRequest {
            name: &plan.name,
            method: &plan.method,
            status: ending.answer.map(|answer| answer.status().as_u16()),
            failed: ending.answer.is_none_or(|answer| plan.is_failure(answer)),
            sent: plan.progress.was_sent(timings),
            error: ending.error.map(|(kind, _)| kind),
            timings,
            labels: ending.labels.all(),
        };
        context.tell_at(self.place, &What::Http(&request));
        let span = plan.progress.span();
        context.end_request_span(span, || traced(plan, &request, ending));
        if context.tapped() {
            let exchange = exchange(plan, timings, ending);
            context.exchange(exchange, self.place);
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if !self.done.get() {
            let timings = self.timings();
            let message = "given up before it was answered";
            self.failed(&timings, Kind::Interrupted.as_str(), message);
        }
    }
}

/// Records a request that could not be built.
#[cold]
pub(in crate::http) fn refuse(refused: &Refused) -> Error {
    let name = match &*refused.name {
        "" => refused.method.as_str(),
        name => name,
    };
    let error = Error::new(Kind::Request, name.to_owned(), &*refused.mistake);
    refused.session.context.tell(&What::Http(&HttpRequest {
        name,
        method: &refused.method,
        status: None,
        failed: true,
        sent: false,
        error: Some(error.kind()),
        timings: &Timings::default(),
        labels: &[],
    }));
    error
}

/// The request as its span tells it.
#[cold]
fn traced(plan: &Plan, request: &HttpRequest<'_>, ending: &Ending<'_>) -> trace::Request {
    let origin = plan.endpoint.origin();
    let error = ending.error;
    trace::Request {
        name: plan.name.to_string(),
        method: plan.method.to_string(),
        url: plan.target.url.to_string(),
        host: origin.host.clone(),
        port: origin.port,
        status: request.status,
        failed: request.failed,
        error: error.map(|(kind, message)| (kind, message.to_owned())),
        resends: plan.follows,
        timings: *request.timings,
    }
}

/// The request and its answer, for whoever wants to look at them.
#[cold]
fn exchange(plan: &Plan, timings: &Timings, ending: &Ending<'_>) -> Exchange {
    let request = Head {
        headers: plan.all_headers(timings.version.unwrap_or(Version::HTTP_11)),
        body: plan.body().bytes().cloned().unwrap_or_default(),
    };
    let mut exchange = Exchange::new(
        plan.name.to_string(),
        plan.method.clone(),
        plan.target.url.to_string(),
        request,
    );
    if let Some(answer) = ending.answer {
        exchange.status = Some(answer.status());
        exchange.response = Head {
            headers: answer.headers().clone(),
            body: answer.bytes(),
        };
    }
    exchange.error = ending.error.map(|(_, message)| message.to_owned());
    exchange.curl = curl::line(plan, Secrets::Masked);
    exchange.timings = *timings;
    exchange.labels = ending.labels.all().to_vec();
    exchange
}
