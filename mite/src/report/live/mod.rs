//! The live display: how the run is doing, drawn anew each second on a terminal.

mod frame;
mod tables;
mod thresholds;

use super::{
    data::Report,
    lines,
    observer::{Observer, RunInfo},
    progress::Progress,
    screen::Screen,
    style::Style,
};

/// Draws progress at the bottom of the terminal and takes it away at the end.
pub(crate) struct Live {
    screen: Screen,
    style: Style,
}

impl Live {
    /// A display on this screen.
    pub(crate) fn new(screen: Screen) -> Self {
        Self {
            screen,
            style: Style::of_stderr(),
        }
    }
}

impl Observer for Live {
    fn shows_names(&self) -> bool {
        true
    }

    fn started(&mut self, run: &RunInfo) {
        let introduction = lines::introduction(run);
        self.screen.print(&introduction);
    }

    fn progress(&mut self, progress: &Progress) {
        self.screen.draw(|width, rows| {
            let style = Style {
                width,
                ..self.style
            };
            let lines = frame::frame(progress, style, rows).into_iter();
            lines.map(|line| style.finish(line)).collect()
        });
    }

    fn note(&mut self, text: &str) {
        self.screen.print(text);
    }

    fn ended(&mut self, _: &Report) {
        self.screen.clear();
    }
}

impl Drop for Live {
    /// A run that breaks off must not leave half a display above its error message.
    fn drop(&mut self) {
        self.screen.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{fixture, screen::tests::Glass};

    #[test]
    fn after_the_end_only_the_introduction_and_the_notes_are_left() {
        let glass = Glass::new(80, 24);
        let mut live = Live::new(Screen::new(glass.clone()));
        live.started(&RunInfo {
            scenario: "shop::evening".into(),
            workers: 2,
            ..RunInfo::default()
        });
        live.progress(&fixture::progress());
        live.note("users.csv has come to its end");
        glass.resize(33);
        live.progress(&fixture::progress_in_trouble());
        assert!(glass.lines().len() > 4);
        live.ended(&fixture::full());
        let left = ["shop::evening  2 workers", "users.csv has come to its end"];
        assert_eq!(glass.lines(), left);
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
