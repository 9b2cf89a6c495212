//! A request from `send()` to its event, and those that follow from its answer.

mod attempt;
mod follow;
mod progress;
mod record;
mod silence;

use std::{
    future::Future,
    pin::{Pin, pin},
    rc::Rc,
};

use tokio::time::Instant;

use super::{
    error::Error,
    request::{Plan, Reading},
    response::{Answer, Broken, Intake, Response, Streaming},
};

pub(super) use attempt::Arrival;
pub(super) use progress::Progress;
pub(super) use record::{Record, refuse};
pub(super) use silence::{Silent, limit as limit_silence};

use attempt::attempt;

/// Sends a request, in time or not at all, and those that follow from its answer; each is recorded.
pub(super) async fn send(plan: &Rc<Plan>) -> Result<Response, Error> {
    let began = Instant::now();
    let record = Record::begin(plan, began);
    let response = whole(&record, began).await?;
    if !follow::concerns(plan, response.head()) {
        return Ok(response);
    }
    // Kept apart, so that requests which are answered at once need no room for others.
    Box::pin(follow::on(response, began)).await
}

/// As [`send`], but leaves the body of the last answer to be read by the journey.
pub(super) async fn stream(plan: &Rc<Plan>) -> Result<Streaming, Error> {
    let began = Instant::now();
    let mut plan = Rc::clone(plan);
    let mut history = Vec::new();
    loop {
        let record = Record::begin(&plan, Instant::now());
        let arrival = match head(&record, began).await {
            Ok(arrival) => arrival,
            Err(error) => return Err(record.fail(error)),
        };
        if !follow::concerns(&plan, &arrival.head) {
            return Streaming::new(record, arrival, history);
        }
        let answer = in_time(&record, began, pin!(read(&record, arrival))).await;
        let response = record.finish(answer)?;
        match follow::next(&response, &history)? {
            Some(next) => plan = next,
            // It only looked as if something followed.
            None => return Ok(Streaming::whole(record, response.with_history(history))),
        }
        history.push(response);
    }
}

/// One request with the whole of its answer.
async fn whole(record: &Record, began: Instant) -> Result<Response, Error> {
    let answer = pin!(async { read(record, arrive(record).await?).await });
    record.finish(in_time(record, began, answer).await)
}

/// One request with the head of its answer.
async fn head(record: &Record, began: Instant) -> Result<Arrival, Error> {
    in_time(record, began, pin!(arrive(record))).await
}

/// Sends a request when it is its turn, reads the head of the answer and takes its cookies.
async fn arrive(record: &Record) -> Result<Arrival, Error> {
    record.take_turn().await;
    let arrival = attempt(record.plan()).await?;
    record.plan().remember(&arrival.head);
    Ok(arrival)
}

/// Ends what takes longer than the time there is, counted from the first of the requests that
/// follow from one another.
async fn in_time<T>(
    record: &Record,
    first: Instant,
    future: Pin<&mut impl Future<Output = Result<T, Error>>>,
) -> Result<T, Error> {
    let plan = record.plan();
    let began = plan.progress.began();
    // The deadlines of one timeout are kept in the order they were begun.
    let left = if began == first {
        plan.timeout
    } else {
        plan.timeout.saturating_sub(began - first)
    };
    let deadlines = &plan.session.state.worker.deadlines;
    deadlines
        .limit(began, left, future)
        .await
        .unwrap_or_else(|_| {
            let progress = &plan.progress;
            progress.give_up();
            Err(if progress.has_connection() {
                Error::timeout(plan.brief(), plan.timeout)
            } else if progress.is_connecting() {
                plan.session.context.connection_failed();
                Error::unconnected(plan.brief(), plan.timeout)
            } else {
                Error::crowded(plan.brief(), plan.timeout)
            })
        })
}

/// Reads the body of an answer, and keeps the connection for the next request.
async fn read(record: &Record, arrival: Arrival) -> Result<Answer, Error> {
    let plan = record.plan();
    let Arrival {
        mut connection,
        head,
    } = arrival;
    let broken = |broken: Broken| broken.into_error(plan.brief());
    let most = match plan.reading {
        // Of what is to be handed on, only answers that another follows come here.
        Reading::Keep | Reading::Stream => Some(plan.max_body_size),
        Reading::Discard => None,
    };
    let mut intake = Intake::new(&head, most).map_err(broken)?;
    let progress = &plan.progress;
    {
        let reading = intake.read(&mut connection, |intake| {
            let (encoded, decoded) = intake.sizes();
            progress.count_body(encoded, decoded);
            if plan.read_timeout.is_some() {
                progress.stir();
            }
        });
        let outcome = match plan.read_timeout {
            // The plain case goes straight, since each layer costs time.
            None => reading.await,
            Some(_) => Box::pin(limit_silence(progress, plan.read_timeout, reading))
                .await
                .map_err(|silent| plan.silent(silent))?,
        };
        outcome.map_err(broken)?;
    }
    record.complete(connection);
    Ok(Answer {
        head,
        body: intake.into_bytes(),
    })
}
