//! A few lines at the bottom of a terminal that are drawn again and again.
//!
//! Lines are kept apart by line ends and shorter than the terminal is wide. So when the terminal
//! becomes narrower and breaks them, it is known how many rows they take now, and all of them are
//! cleared, as far as they are on the screen: tmux moves as many rows into its history as breaking
//! has made, and nothing can be cleared there. (Bars that are padded to the full width and run into
//! each other lose that.)

use std::{
    fmt,
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use console::Term;

use super::text;

/// For terminals that do not tell their size.
const USUAL_SIZE: (usize, usize) = (80, 24);

/// A terminal, as far as drawing needs it.
pub(crate) trait Surface: Write + Send {
    /// Columns and rows.
    fn size(&self) -> (usize, usize);
}

impl Surface for Term {
    fn size(&self) -> (usize, usize) {
        self.size_checked().map_or(USUAL_SIZE, |(rows, columns)| {
            (usize::from(columns), usize::from(rows))
        })
    }
}

/// The lines at the bottom of a terminal; clones draw the same ones.
#[derive(Clone)]
pub(crate) struct Screen(Arc<Mutex<Drawn>>);

struct Drawn {
    surface: Box<dyn Surface>,
    lines: Vec<String>,
    /// The visible width of each line that is on the terminal.
    widths: Vec<usize>,
}

impl Screen {
    /// On the terminal that is the standard error.
    pub(crate) fn of_stderr() -> Self {
        Self::new(Term::buffered_stderr())
    }

    /// On any terminal.
    pub(crate) fn new(surface: impl Surface + 'static) -> Self {
        Self(Arc::new(Mutex::new(Drawn {
            surface: Box::new(surface),
            lines: Vec::new(),
            widths: Vec::new(),
        })))
    }

    /// Draws the lines that `frame` makes for so many columns and rows, in the place of those before.
    pub(crate) fn draw(&self, frame: impl FnOnce(usize, usize) -> Vec<String>) {
        self.change(|drawn| {
            let (columns, rows) = drawn.surface.size();
            // The last column stays free: what stands in it makes some terminals go on to the next.
            // So does the last row, where the cursor is.
            drawn.lines = frame(
                columns.saturating_sub(1).max(1),
                rows.saturating_sub(1).max(1),
            );
        });
    }

    /// Takes the lines away.
    pub(crate) fn clear(&self) {
        self.draw(|_, _| Vec::new());
    }

    /// Writes text, which stays, above the lines.
    pub(crate) fn print(&self, text: &str) {
        let mut drawn = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        drawn.redraw(text);
    }

    fn change(&self, change: impl FnOnce(&mut Drawn)) {
        let mut drawn = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut drawn);
        drawn.redraw("");
    }
}

impl Drawn {
    /// In one write, so that nothing flickers. A terminal that is gone must not end the run.
    fn redraw(&mut self, above: &str) {
        if above.is_empty() && self.lines.is_empty() && self.widths.is_empty() {
            return;
        }
        let (columns, rows) = self.surface.size();
        let mut output = String::new();
        let up: usize = self
            .widths
            .iter()
            .map(|width| width.div_ceil(columns.max(1)).max(1))
            .sum();
        // Row by row: to clear the whole screen at once makes tmux keep a copy of it.
        output.push_str("\r\u{1b}[2K");
        output.extend(std::iter::repeat_n("\u{1b}[A\u{1b}[2K", up));
        output.push_str(above);
        if !above.is_empty() && !above.ends_with('\n') {
            output.push('\n');
        }
        self.widths.clear();
        // What has scrolled out of sight cannot be cleared any more.
        for line in self.lines.iter().take(rows.saturating_sub(1)) {
            self.widths.push(visible_width(line));
            output.push_str(line);
            output.push('\n');
        }
        let _ = self.surface.write_all(output.as_bytes());
        let _ = self.surface.flush();
    }
}

/// The width of a line that may hold colours.
fn visible_width(line: &str) -> usize {
    let mut width = 0;
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        width += text::width(before);
        rest = after.split_once('m').map_or("", |(_, behind)| behind);
    }
    width + text::width(rest)
}

/// A way to the standard error that keeps what is written there above a live display.
#[derive(Clone)]
pub(crate) struct Printer {
    screen: Option<Screen>,
}

impl Printer {
    /// Straight to the standard error.
    pub(crate) fn plain() -> Self {
        Self { screen: None }
    }

    /// Above what is drawn.
    pub(crate) fn above(screen: Screen) -> Self {
        Self {
            screen: Some(screen),
        }
    }
}

impl Write for Printer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &self.screen {
            Some(screen) => {
                screen.print(&String::from_utf8_lossy(bytes));
                Ok(bytes.len())
            }
            None => io::stderr().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

impl fmt::Debug for Printer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Printer")
            .field("live", &self.screen.is_some())
            .finish()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A terminal that understands what a screen writes, and breaks its lines anew when resized.
    #[derive(Clone)]
    pub(crate) struct Glass(Arc<Mutex<GlassState>>);

    struct GlassState {
        columns: usize,
        rows: usize,
        /// Lines as they were written; the cursor is on the row behind the last one.
        lines: Vec<String>,
    }

    impl Glass {
        pub(crate) fn new(columns: usize, rows: usize) -> Self {
            Self(Arc::new(Mutex::new(GlassState {
                columns,
                rows,
                lines: Vec::new(),
            })))
        }

        pub(crate) fn resize(&self, columns: usize) {
            self.0.lock().unwrap().columns = columns;
        }

        pub(crate) fn lines(&self) -> Vec<String> {
            self.0.lock().unwrap().lines.clone()
        }
    }

    impl GlassState {
        fn up(&mut self, mut rows: usize) {
            while rows > 0 {
                let line = self.lines.pop().expect("there is a line above");
                let taken = text::width(&line).div_ceil(self.columns).max(1);
                assert!(taken <= rows, "the cursor would be in the midst of {line}");
                rows -= taken;
            }
        }
    }

    impl Write for Glass {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut state = self.0.lock().unwrap();
            let mut text = std::str::from_utf8(bytes).unwrap();
            text = text.strip_prefix("\r\u{1b}[2K").expect("it clears");
            let mut up = 0;
            while let Some(rest) = text.strip_prefix("\u{1b}[A\u{1b}[2K") {
                up += 1;
                text = rest;
            }
            state.up(up);
            assert!(text.is_empty() || text.ends_with('\n'), "{text:?}");
            for line in text.lines() {
                state.lines.push(line.to_owned());
            }
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Surface for Glass {
        fn size(&self) -> (usize, usize) {
            let state = self.0.lock().unwrap();
            (state.columns, state.rows)
        }
    }

    fn filled(width: usize, _: usize) -> Vec<String> {
        vec!["=".repeat(width), "users".into(), String::new()]
    }

    #[test]
    fn nothing_is_left_after_a_clear_even_when_the_terminal_became_narrower() {
        let glass = Glass::new(80, 24);
        let screen = Screen::new(glass.clone());
        screen.print("a note");
        screen.draw(filled);
        assert_eq!(glass.lines().len(), 4);
        glass.resize(30);
        screen.draw(filled);
        assert_eq!(glass.lines()[1], "=".repeat(29));
        glass.resize(120);
        screen.clear();
        assert_eq!(glass.lines(), ["a note"]);
    }

    #[test]
    fn what_is_printed_stays_above_the_lines() {
        let glass = Glass::new(80, 24);
        let screen = Screen::new(glass.clone());
        screen.draw(|_, _| vec!["one".into()]);
        let mut printer = Printer::above(screen.clone());
        printer.write_all(b"a log line\n").unwrap();
        screen.print("a note");
        assert_eq!(glass.lines(), ["a log line", "a note", "one"]);
        screen.draw(|_, _| vec!["two".into()]);
        assert_eq!(glass.lines(), ["a log line", "a note", "two"]);
    }

    #[test]
    fn a_low_terminal_gets_no_more_lines_than_can_be_cleared() {
        let glass = Glass::new(80, 3);
        let screen = Screen::new(glass.clone());
        screen.draw(|_, _| (0..9).map(|line| line.to_string()).collect());
        assert_eq!(glass.lines(), ["0", "1"]);
    }

    #[test]
    fn colours_take_no_room() {
        assert_eq!(visible_width("\u{1b}[1;32m✓\u{1b}[0m ok"), 4);
    }
}
