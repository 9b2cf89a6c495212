//! Who looks on while a run lasts.

use std::{
    env,
    io::{self, IsTerminal as _},
    time::Duration,
};

use super::{
    data::Report,
    lines::Lines,
    live::Live,
    progress::Progress,
    screen::{Printer, Screen},
};

/// Looks on while a run lasts; called from one thread, in the order of the methods.
pub(crate) trait Observer: Send {
    /// Whether it shows the names of requests, which are only put together for who does.
    fn shows_names(&self) -> bool {
        false
    }

    /// The run is about to begin.
    fn started(&mut self, run: &RunInfo);

    /// How it is doing, once a second.
    fn progress(&mut self, progress: &Progress);

    /// Something a person should know now.
    fn note(&mut self, text: &str);

    /// The run is over. What was drawn is gone when this returns, so the summary can follow.
    fn ended(&mut self, report: &Report);
}

/// What is known of a run before it begins.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RunInfo {
    /// The full name of the scenario.
    pub(crate) scenario: String,
    /// How long it is to last; absent when the plan does not know.
    pub(crate) planned: Option<Duration>,
    /// Entries of the scenario.
    pub(crate) entries: usize,
    /// Processes that run journeys.
    pub(crate) runners: usize,
    /// Their worker threads, all together.
    pub(crate) workers: usize,
    /// Where the run can be watched, if anywhere: `http://127.0.0.1:9300/`.
    pub(crate) dashboard: Option<String>,
}

/// The observer that suits the standard error: a live display on a terminal, a line every two
/// seconds elsewhere, nothing when it is to be quiet.
///
/// What else is written to the standard error meanwhile, such as a log, goes through the printer,
/// which keeps it above a live display.
pub(crate) fn choose(quiet: bool) -> (Box<dyn Observer>, Printer) {
    let drawable = io::stderr().is_terminal() && env::var("TERM").is_ok_and(|term| term != "dumb");
    if quiet {
        (Box::new(Quiet), Printer::plain())
    } else if drawable {
        let screen = Screen::of_stderr();
        (Box::new(Live::new(screen.clone())), Printer::above(screen))
    } else {
        (Box::new(Lines::new(io::stderr())), Printer::plain())
    }
}

/// Shows nothing; what is worth a note is among the reasons of the verdict as well.
struct Quiet;

impl Observer for Quiet {
    fn started(&mut self, _: &RunInfo) {}

    fn progress(&mut self, _: &Progress) {}

    fn note(&mut self, _: &str) {}

    fn ended(&mut self, _: &Report) {}
}
