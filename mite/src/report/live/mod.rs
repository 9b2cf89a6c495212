//! The live display: how the run is doing, drawn anew each second on a terminal.

mod frame;
mod tables;
mod thresholds;

use std::mem;

use super::{
    data::Report,
    lines,
    observer::{Observer, RunInfo},
    progress::Progress,
    screen::Screen,
    style::Style,
    text,
};

/// Draws what the run is and how it goes at the bottom of the terminal; what it is stays at the end.
pub(crate) struct Live {
    screen: Screen,
    style: Style,
    /// What the run is. It is drawn with the rest each time: a line that was written once goes out of
    /// sight where a terminal becomes narrower and moves what it breaks up.
    facts: Vec<String>,
}

impl Live {
    /// A display on this screen.
    pub(crate) fn new(screen: Screen) -> Self {
        Self {
            screen,
            style: Style::of_stderr(),
            facts: Vec::new(),
        }
    }

    fn end(&mut self) {
        self.screen.clear();
        let facts = mem::take(&mut self.facts);
        if !facts.is_empty() {
            self.screen.print(&facts.join(GAP));
        }
    }
}

/// Between two facts.
const GAP: &str = "  ";

fn introduction(facts: &[String], style: Style) -> Vec<String> {
    let lines = text::flow(facts.iter().map(String::as_str), GAP, style.width);
    let lines = lines.iter().map(|line| text::cut_end(line, style.width));
    lines.collect()
}

impl Observer for Live {
    fn shows_names(&self) -> bool {
        true
    }

    fn started(&mut self, run: &RunInfo) {
        // It stands still, to be clicked and copied.
        if let Some(dashboard) = &run.dashboard {
            self.screen.print(dashboard);
        }
        self.facts = lines::facts(run);
        self.screen.draw(|width, _| {
            let style = Style {
                width,
                ..self.style
            };
            introduction(&self.facts, style)
        });
    }

    fn progress(&mut self, progress: &Progress) {
        self.screen.draw(|width, rows| {
            let style = Style {
                width,
                ..self.style
            };
            let frame = frame::frame(progress, style, rows);
            let mut lines = introduction(&self.facts, style);
            // A terminal as low as that has room for what changes only.
            if lines.len() + frame.len() > rows {
                lines.clear();
            }
            lines.extend(frame);
            lines.into_iter().map(|line| style.finish(line)).collect()
        });
    }

    fn note(&mut self, text: &str) {
        self.screen.print(text);
    }

    fn ended(&mut self, _: &Report) {
        self.end();
    }
}

impl Drop for Live {
    /// A run that breaks off must not leave half a display above its error message.
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{fixture, screen::tests::Glass};

    fn evening() -> RunInfo {
        RunInfo {
            scenario: "shop::evening".into(),
            workers: 2,
            dashboard: Some("http://127.0.0.1:9301/".into()),
            ..RunInfo::default()
        }
    }

    #[test]
    fn after_the_end_only_the_introduction_and_the_notes_are_left() {
        let glass = Glass::new(80, 24);
        let mut live = Live::new(Screen::new(glass.clone()));
        live.started(&evening());
        live.progress(&fixture::progress());
        live.note("users.csv has come to its end");
        glass.resize(33);
        live.progress(&fixture::progress_in_trouble());
        assert!(glass.lines().len() > 5);
        live.ended(&fixture::full());
        let left = [
            "http://127.0.0.1:9301/",
            "users.csv has come to its end",
            "shop::evening  2 workers",
        ];
        assert_eq!(glass.lines(), left);
        drop(live);
        assert_eq!(glass.lines(), left);
    }

    #[test]
    fn what_the_run_is_stays_above_how_it_goes_unless_there_is_no_room() {
        for (rows, shown) in [(24, true), (5, false)] {
            let glass = Glass::new(80, rows);
            let mut live = Live::new(Screen::new(glass.clone()));
            live.started(&evening());
            let introduction = "shop::evening  2 workers";
            assert_eq!(glass.lines().last().unwrap(), introduction);
            live.progress(&fixture::progress());
            live.note("users.csv has come to its end");
            assert_eq!(
                glass.lines()[2] == introduction,
                shown,
                "{:?}",
                glass.lines()
            );
        }
    }

    #[test]
    fn a_display_that_is_dropped_leaves_nothing_either() {
        let glass = Glass::new(80, 24);
        let mut live = Live::new(Screen::new(glass.clone()));
        live.progress(&fixture::progress());
        drop(live);
        assert!(glass.lines().is_empty());
    }
}
