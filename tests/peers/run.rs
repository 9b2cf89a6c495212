//! How journeys are run here, and what is looked at afterwards.

use std::{fmt::Display, time::Duration};

use mite::{
    Config, Is, Journey, Report, Run, Scenario,
    http::{Settings, Timings},
    testing::{self, Recorded},
    volume::Constant,
};
use serde_json::Value;

/// The settings of a run against this server.
pub(crate) fn at(url: impl Display) -> Config {
    let mut config = Config::default();
    config.set("base_url", url);
    config
}

/// The settings of a run against this server, by this kind of client.
pub(crate) fn at_with(url: impl Display, client: &Settings) -> Config {
    let mut config = at(url);
    client.set_default(&mut config);
    config
}

/// Runs a journey once, which has to pass.
pub(crate) async fn passes<J: Journey>(data: impl Is<J::Data>, config: Config) -> Recorded {
    let recorded = testing::run_with::<J>(data, config).await;
    recorded.result().unwrap();
    recorded
}

/// Runs a journey so many times within half a second, all on one worker.
pub(crate) async fn repeated<J: Journey<Data = ()>>(
    times: u32,
    url: impl Display,
    client: Settings,
) -> Report {
    let half_a_second = Duration::from_millis(500);
    let scenario = Scenario::new()
        .base_url(url.to_string())
        .http(client)
        .journey::<J>((), Constant::per_second(2 * times, half_a_second));
    let report = Run::new(scenario).workers(1).execute().await.unwrap();
    let journey = &report.journeys[0];
    assert_eq!(
        (journey.started, journey.dropped),
        (times.into(), 0),
        "{:?}",
        report.reasons
    );
    report
}

/// What the server answered to the request of this number, as JSON.
pub(crate) fn told(recorded: &Recorded, index: usize) -> Value {
    let body = &recorded.exchanges()[index].response.body;
    serde_json::from_slice(body)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(body)))
}

/// What the server answered to each request, as text.
pub(crate) fn texts(recorded: &Recorded) -> Vec<String> {
    let bodies = recorded.exchanges().iter();
    bodies
        .map(|exchange| String::from_utf8(exchange.response.body.to_vec()).unwrap())
        .collect()
}

/// The status of each answer.
pub(crate) fn statuses(recorded: &Recorded) -> Vec<u16> {
    let exchanges = recorded.exchanges().iter();
    exchanges
        .map(|exchange| exchange.status.expect("an answer").as_u16())
        .collect()
}

/// What one field of the events of requests was, request by request.
pub(crate) fn fields(recorded: &Recorded, name: &str) -> Vec<Value> {
    let events = recorded.events("http");
    events
        .into_iter()
        .map(|event| event.field(name).cloned().unwrap_or_default())
        .collect()
}

/// How long each request took and what passed.
pub(crate) fn timings(recorded: &Recorded) -> Vec<&Timings> {
    let exchanges = recorded.exchanges().iter();
    exchanges.map(|exchange| &exchange.timings).collect()
}
