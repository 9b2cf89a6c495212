//! A table that fits the terminal: it gives up its less important columns, then the middle of names.

use super::{
    style::{Style, Tone},
    text,
};

/// What stands between two columns.
const GAP: usize = 2;
/// How far rows stand in from their heading.
const INDENT: usize = 2;
/// Names are cut to this before a column is given up, and to less on a narrow terminal.
const NAME_ROOM: usize = 28;
const NARROW_NAME_ROOM: usize = 12;
const NARROW: usize = 40;
/// Names are never cut below this; a table then is wider than it should be.
const LEAST_NAME_ROOM: usize = 10;

/// Rows of a name and right-aligned figures.
pub(crate) struct Table {
    title: String,
    columns: Vec<Column>,
    rows: Vec<Row>,
}

/// A column of figures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    /// What stands above it.
    pub(crate) title: &'static str,
    /// The column worth least is given up first.
    pub(crate) worth: u8,
    /// Whether it stays when it has nothing but zeros and blanks.
    pub(crate) always: bool,
    /// How wide it is at least, so that figures which change stay in their place.
    pub(crate) least: usize,
}

impl Column {
    /// The same column, kept also when there is nothing in it.
    pub(crate) fn always(mut self) -> Self {
        self.always = true;
        self
    }
}

/// A row: its name, a figure for each column, and perhaps a remark below.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) figures: Vec<String>,
    pub(crate) remark: Option<String>,
}

impl Table {
    /// A table without rows.
    pub(crate) fn new(title: impl Into<String>, columns: Vec<Column>) -> Self {
        Self {
            title: title.into(),
            columns,
            rows: Vec::new(),
        }
    }

    /// Adds a row below the others.
    pub(crate) fn push(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// The lines of the table, its title and column heads first; none without a row.
    pub(crate) fn render(&self, style: Style) -> Vec<String> {
        if self.rows.is_empty() {
            return Vec::new();
        }
        let (shown, name_room) = self.arrange(style.width);
        let titles = self.figures_line(&shown, |column| self.title_of(column));
        let title = fit(&self.title, name_room);
        let mut lines = vec![format!(
            "{}{}",
            style.paint(Tone::Heading, &title),
            style.paint(Tone::Quiet, &titles)
        )];
        for row in &self.rows {
            let name = fit(&row.name, name_room.saturating_sub(INDENT));
            let figures = self.figures_line(&shown, |column| {
                row.figures.get(column).map_or("", String::as_str)
            });
            let line = format!("{:INDENT$}{name}{figures}", "");
            lines.push(line.trim_end().to_owned());
            if let Some(remark) = &row.remark {
                let room = style.width.saturating_sub(2 * INDENT);
                lines.push(format!("    {}", text::cut_end(remark, room)));
            }
        }
        lines
    }

    /// Which columns are shown, and the room that leaves for the names.
    fn arrange(&self, width: usize) -> (Vec<usize>, usize) {
        let longest = self
            .rows
            .iter()
            .map(|row| text::width(&row.name) + INDENT)
            .chain([text::width(&self.title)])
            .max()
            .unwrap_or(0);
        let name_room = if width < NARROW {
            NARROW_NAME_ROOM
        } else {
            NAME_ROOM
        };
        let mut shown: Vec<usize> = (0..self.columns.len())
            .filter(|column| self.says_something(*column))
            .collect();
        loop {
            let taken: usize = shown.iter().map(|column| self.width(*column) + GAP).sum();
            let room = width.saturating_sub(taken);
            if room >= longest.min(name_room) {
                return (shown, longest.min(room));
            }
            let least = shown
                .iter()
                .copied()
                .filter(|column| self.worth(*column) < u8::MAX)
                .min_by_key(|column| self.worth(*column));
            match least {
                Some(least) => shown.retain(|column| *column != least),
                None => return (shown, longest.min(room.max(LEAST_NAME_ROOM))),
            }
        }
    }

    fn figures_line<'a>(&self, shown: &[usize], figure: impl Fn(usize) -> &'a str) -> String {
        let mut line = String::new();
        for column in shown {
            let figure = figure(*column);
            let blank = (GAP + self.width(*column)).saturating_sub(text::width(figure));
            line.extend(std::iter::repeat_n(' ', blank));
            line.push_str(figure);
        }
        line
    }

    fn says_something(&self, column: usize) -> bool {
        self.columns.get(column).is_some_and(|column| column.always)
            || self
                .figures(column)
                .any(|figure| !figure.is_empty() && figure != "0")
    }

    fn title_of(&self, column: usize) -> &'static str {
        self.columns.get(column).map_or("", |column| column.title)
    }

    fn worth(&self, column: usize) -> u8 {
        self.columns.get(column).map_or(0, |column| column.worth)
    }

    fn width(&self, column: usize) -> usize {
        self.figures(column)
            .chain([self.title_of(column)])
            .map(text::width)
            .chain(self.columns.get(column).map(|column| column.least))
            .max()
            .unwrap_or(0)
    }

    fn figures(&self, column: usize) -> impl Iterator<Item = &str> {
        self.rows
            .iter()
            .filter_map(move |row| row.figures.get(column).map(String::as_str))
    }
}

/// `name` in exactly `room` columns.
fn fit(name: &str, room: usize) -> String {
    let mut name = text::cut_middle(name, room);
    let blank = room.saturating_sub(text::width(&name));
    name.extend(std::iter::repeat_n(' ', blank));
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let column = |title, worth| Column {
            title,
            worth,
            always: false,
            least: 0,
        };
        let mut table = Table::new(
            "Requests",
            vec![
                column("count", u8::MAX),
                column("failed", 2),
                column("max", 1),
            ],
        );
        for (name, figures) in [
            ("GET /", ["1,000", "0", "1.00s"]),
            ("GET /a/rather/long/path/to/a/thing", ["5", "", "20ms"]),
        ] {
            table.push(Row {
                name: name.into(),
                figures: figures.map(String::from).to_vec(),
                remark: None,
            });
        }
        table
    }

    fn render(width: usize) -> String {
        let style = Style {
            width,
            colour: false,
            unicode: true,
        };
        table().render(style).join("\n")
    }

    #[test]
    fn columns_of_zeros_are_left_out() {
        insta::assert_snapshot!(render(80), @r"
        Requests                              count    max
          GET /                               1,000  1.00s
          GET /a/rather/long/path/to/a/thing      5   20ms
        ");
    }

    #[test]
    fn names_give_way_first_and_then_the_column_worth_least() {
        insta::assert_snapshot!(render(44), @r"
        Requests                        count    max
          GET /                         1,000  1.00s
          GET /a/rather/…th/to/a/thing      5   20ms
        ");
        insta::assert_snapshot!(render(37), @r"
        Requests                 count    max
          GET /                  1,000  1.00s
          GET /a/rat…to/a/thing      5   20ms
        ");
        insta::assert_snapshot!(render(20), @r"
        Requests       count
          GET /        1,000
          GET /…thing      5
        ");
    }
}
