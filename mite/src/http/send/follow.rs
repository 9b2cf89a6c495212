//! Requests that follow from an answer: redirects, and credentials the server asks for.

use std::rc::Rc;

use http::{StatusCode, header::LOCATION};
use tokio::time::Instant;

use super::{Record, whole};
use crate::http::{
    error::{Error, Kind},
    head::Head,
    redirect,
    request::Plan,
    response::Response,
};

/// Whether something may follow from an answer with this head.
pub(super) fn concerns(plan: &Plan, head: &Head) -> bool {
    match head.status {
        StatusCode::UNAUTHORIZED => plan.digest.is_some(),
        status => {
            plan.redirects.is_some()
                && status.is_redirection()
                && head.headers().contains_key(LOCATION)
        }
    }
}

/// Sends what follows from an answer, and what follows from that.
///
/// The time counts from `began`, the beginning of the first request.
pub(super) async fn on(first: Response, began: Instant) -> Result<Response, Error> {
    let mut history = Vec::new();
    let mut last = first;
    loop {
        let Some(next) = next(&last, &history)? else {
            return Ok(last.with_history(history));
        };
        history.push(last);
        let record = Record::begin(&next, Instant::now());
        last = whole(&record, began).await?;
    }
}

/// The request that follows from an answer, if there is one.
pub(super) fn next(response: &Response, history: &[Response]) -> Result<Option<Rc<Plan>>, Error> {
    let plan = response.plan();
    if response.status() == StatusCode::UNAUTHORIZED {
        return Ok(plan.with_answer_to(response.headers()));
    }
    let Some(limit) = plan.redirects else {
        return Ok(None);
    };
    let refused = |cause: String| Error::new(Kind::Redirect, plan.brief(), cause);
    let next = redirect::follow(
        &plan.method,
        &plan.target.url,
        response.status(),
        response.headers(),
    );
    let Some(next) = next.transpose().map_err(refused)? else {
        return Ok(None);
    };
    let followed = history
        .iter()
        .filter(|earlier| earlier.status().is_redirection())
        .count();
    if followed >= limit as usize {
        let chain = history
            .iter()
            .chain([response])
            .map(|response| response.url().clone())
            .chain([next.url]);
        let chain: Vec<_> = chain.collect();
        return Err(refused(redirect::too_many(limit as usize, &chain)));
    }
    if next.keep_body && !plan.body().is_repeatable() {
        let cause = format!(
            "redirected to {}, which would need the body once more, and that is a stream, which \
             can be sent only once",
            next.url
        );
        return Err(refused(cause));
    }
    plan.redirected(&next).map(Some)
}
