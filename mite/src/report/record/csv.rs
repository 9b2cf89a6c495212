//! The run as a table: a row for each second and series.

use std::{fs::File, io};

use csv::{Terminator, Writer, WriterBuilder};

use super::{Beginning, RecordedSecond, Recording, row::Row};
use crate::{config::Config, stats::Latency};

/// The columns, in their order.
const COLUMNS: [&str; 31] = [
    "time",
    "stage",
    "warm_up",
    "kind",
    "journey",
    "entry",
    "transaction",
    "name",
    "method",
    "status",
    "users",
    "planned_starts",
    "starts",
    "dropped",
    "count",
    "errors",
    "min",
    "mean",
    "p50",
    "p75",
    "p90",
    "p95",
    "p99",
    "p99_9",
    "max",
    "failed_p50",
    "failed_p95",
    "failed_p99",
    "failed_max",
    "labels",
    "value",
];

/// Comma-separated values as RFC 4180 has them: lines end in CR LF, and what holds a comma, a quote
/// or a line end is in quotes.
pub(crate) struct Csv<W: io::Write> {
    writer: Writer<W>,
    config: Config,
    /// Seconds in which nothing happened; the last ones of a run are left out, as in the report.
    idle: Vec<RecordedSecond>,
}

impl Csv<File> {
    pub(crate) fn begin(file: File, beginning: &Beginning<'_>) -> io::Result<Box<dyn Recording>> {
        Ok(Box::new(Csv::new(file, beginning.config)?))
    }
}

impl<W: io::Write> Csv<W> {
    fn new(out: W, config: &Config) -> io::Result<Self> {
        let mut writer = WriterBuilder::new()
            .terminator(Terminator::CRLF)
            .from_writer(out);
        writer.write_record(COLUMNS)?;
        writer.flush()?;
        Ok(Self {
            writer,
            config: config.clone(),
            idle: Vec::new(),
        })
    }

    fn rows(&mut self, second: &RecordedSecond) -> io::Result<()> {
        let statistics = &second.statistics;
        self.run(second)?;
        let http = &statistics.http;
        if http.requests > 0 {
            let mut row = Row::new("http");
            (row.count, row.errors) = (Some(http.requests), Some(http.failed));
            row.times(&http.time, &http.failed_time);
            self.row(second, &row)?;
        }
        for (key, journey) in &statistics.journeys {
            let row = Row::of_journey(key, journey);
            if row.is_worth_a_line() {
                self.row(second, &row)?;
            }
        }
        for (key, transaction) in statistics.transactions.iter() {
            self.row(second, &Row::of_transaction(key, transaction))?;
        }
        for (key, request) in http.requests_by.iter() {
            self.row(second, &Row::of_request(key, request))?;
        }
        for (name, metric) in &statistics.metrics {
            for (labels, value) in metric.series.iter() {
                let row = Row::of_metric(name, labels, value, &self.config);
                self.row(second, &row)?;
            }
        }
        self.writer.flush()
    }

    /// All journeys together.
    fn run(&mut self, second: &RecordedSecond) -> io::Result<()> {
        let mut row = Row::new("run");
        (row.count, row.errors) = (Some(0), Some(0));
        let (mut response, mut failed) = (Latency::default(), Latency::default());
        for journey in second.statistics.journeys.values() {
            row.add(journey);
            response.merge(&journey.response_time);
            failed.merge(&journey.failed_time);
        }
        row.planned_starts = Some(second.point.planned_starts);
        row.times(&response, &failed);
        self.row(second, &row)
    }

    fn row(&mut self, second: &RecordedSecond, row: &Row<'_>) -> io::Result<()> {
        let point = &second.point;
        let writer = &mut self.writer;
        let texts = [
            point.at.to_string(),
            self.config.mask(point.stage.as_deref().unwrap_or_default()),
            second.warming_up.to_string(),
            row.kind.to_owned(),
            row.journey.to_owned(),
            row.entry.map(|entry| entry.to_string()).unwrap_or_default(),
            self.config.mask(row.transaction),
            self.config.mask(row.name),
            row.method.to_owned(),
            row.status
                .map(|status| status.to_string())
                .unwrap_or_default(),
        ];
        for text in texts {
            writer.write_field(harmless(text))?;
        }
        let amounts = [
            row.users,
            row.planned_starts,
            row.starts,
            row.dropped,
            row.count,
            row.errors,
        ];
        for amount in amounts {
            writer.write_field(amount.map(|amount| amount.to_string()).unwrap_or_default())?;
        }
        let (ok, failed) = (&row.ok, &row.failed);
        let times = [
            ok.min, ok.mean, ok.p50, ok.p75, ok.p90, ok.p95, ok.p99, ok.p99_9, ok.max, failed.p50,
            failed.p95, failed.p99, failed.max,
        ];
        for time in times {
            writer.write_field(time.map(|time| time.to_string()).unwrap_or_default())?;
        }
        writer.write_field(harmless(row.labels.clone()))?;
        writer.write_field(row.value.map(|value| value.to_string()).unwrap_or_default())?;
        Ok(writer.write_record(None::<&[u8]>)?)
    }
}

impl<W: io::Write + Send> Recording for Csv<W> {
    fn second(&mut self, second: &RecordedSecond) -> io::Result<()> {
        if is_idle(second) {
            self.idle.push(second.clone());
            return Ok(());
        }
        for idle in std::mem::take(&mut self.idle) {
            self.rows(&idle)?;
        }
        self.rows(second)
    }
}

/// Whether nothing happened in a second: nothing began, and nothing that began before has ended.
fn is_idle(second: &RecordedSecond) -> bool {
    let (point, statistics) = (&second.point, &second.statistics);
    let begun = point.users + point.planned_starts + point.starts;
    begun + point.requests + point.errors + point.dropped == 0
        && statistics.metrics.is_empty()
        && statistics.transactions.is_empty()
        && statistics
            .journeys
            .values()
            .all(|journey| journey.finished() == 0)
}

/// What a spreadsheet would take for a formula, it is to take for a text.
fn harmless(mut text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        text.insert(0, '\'');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::record::tests::{counted, idle, second};

    /// The rows by column, as a reader of RFC 4180 sees them.
    fn read(bytes: &[u8]) -> Vec<Vec<(String, String)>> {
        let mut reader = csv::Reader::from_reader(bytes);
        let head = reader.headers().unwrap().clone();
        let rows = reader.records().map(|row| {
            let row = row.unwrap();
            let cells = head.iter().zip(row.iter());
            cells
                .map(|(name, cell)| (name.to_owned(), cell.to_owned()))
                .collect()
        });
        rows.collect()
    }

    fn cell<'a>(row: &'a [(String, String)], name: &str) -> &'a str {
        let (_, cell) = row.iter().find(|(column, _)| column == name).unwrap();
        cell
    }

    fn written(seconds: &[RecordedSecond], config: &Config) -> String {
        let mut bytes = Vec::new();
        let mut csv = Csv::new(&mut bytes, config).unwrap();
        for second in seconds {
            Recording::second(&mut csv, second).unwrap();
        }
        drop(csv);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_second_has_a_row_for_each_series_and_their_counts_agree() {
        let text = written(&[second(0), second(1)], &Config::default());
        let rows = read(text.as_bytes());
        assert_eq!(rows.len(), 2 * 6, "{text}");
        let kinds: Vec<_> = rows.iter().take(6).map(|row| cell(row, "kind")).collect();
        assert_eq!(
            kinds,
            [
                "run",
                "http",
                "journey",
                "transaction",
                "request",
                "request"
            ]
        );
        let run = &rows[6];
        assert_eq!(cell(run, "time"), "2");
        for (column, value) in [
            ("stage", "peak"),
            ("warm_up", "false"),
            ("users", "3"),
            ("planned_starts", "10"),
            ("starts", "9"),
            ("dropped", "1"),
            ("count", "8"),
            ("errors", "1"),
        ] {
            assert_eq!(cell(run, column), value, "{column}");
        }
        let http = &rows[1];
        assert_eq!((cell(http, "count"), cell(http, "errors")), ("8", "1"));
        let median: f64 = cell(http, "p50").parse().unwrap();
        assert!((median - 0.004).abs() < 0.0001, "{median}");
        assert_eq!(cell(http, "failed_max"), "0.5");
        let failed = rows
            .iter()
            .find(|row| cell(row, "status") == "500")
            .unwrap();
        assert_eq!((cell(failed, "count"), cell(failed, "p50")), ("1", ""));
        assert_eq!(cell(failed, "name"), "GET /item, \"old\"\none");
    }

    #[test]
    fn metrics_of_the_users_own_have_a_row_for_each_series() {
        let mut config = Config::default();
        config.set("token", "hunter2").mark_secret("token");
        // Nothing else happens in the last second, which is no reason to leave it out.
        let text = written(&[idle(0), counted(1), counted(2), idle(3)], &config);
        let rows = read(text.as_bytes());
        let metrics: Vec<_> = rows
            .iter()
            .filter(|row| !cell(row, "value").is_empty() || cell(row, "kind") == "histogram")
            .collect();
        let shown: Vec<_> = metrics
            .iter()
            .map(|row| {
                ["time", "kind", "name", "labels", "count", "value", "max"]
                    .map(|column| cell(row, column))
            })
            .collect();
        let one_second = |time| {
            [
                [time, "histogram", "basket", "{}", "3", "", "1"],
                [
                    time,
                    "counter",
                    "items",
                    "{\"shop\":\"=north, \\\"1\\\"\\n\"}",
                    "1",
                    "0.1",
                    "",
                ],
                [
                    time,
                    "counter",
                    "items",
                    "{\"shop\":\"***\"}",
                    "2",
                    "1.2",
                    "",
                ],
                [time, "histogram", "paid", "{}", "3", "", "0.5"],
                [time, "gauge", "queue", "{}", "", "-3", ""],
            ]
        };
        assert_eq!(shown, [one_second("2"), one_second("3")].concat());
        assert!(metrics.iter().all(|row| cell(row, "errors").is_empty()));
        assert!(!text.contains("hunter2"));
    }

    #[test]
    fn lines_end_as_rfc_4180_has_them_and_only_odd_cells_are_in_quotes() {
        let text = written(&[second(0)], &Config::default());
        assert!(
            text.starts_with("time,stage,warm_up,kind,journey,entry,"),
            "{text}"
        );
        assert_eq!(text.matches("\r\n").count(), 7, "{text}");
        assert!(text.contains("\"GET /item, \"\"old\"\"\none\""), "{text}");
        assert!(text.ends_with("\r\n"));
    }

    #[test]
    fn nothing_is_a_formula_for_a_spreadsheet() {
        assert_eq!(harmless("=1+1".into()), "'=1+1");
        assert_eq!(harmless("@SUM(A1)".into()), "'@SUM(A1)");
        assert_eq!(harmless("GET /".into()), "GET /");
        assert_eq!(harmless("0.5".into()), "0.5");
    }

    #[test]
    fn seconds_without_anything_are_kept_unless_they_are_the_last() {
        let seconds = [idle(0), second(1), idle(2), second(3), idle(4), idle(5)];
        let text = written(&seconds, &Config::default());
        let rows = read(text.as_bytes());
        let runs = rows.iter().filter(|row| cell(row, "kind") == "run");
        let times: Vec<_> = runs.map(|row| cell(row, "time")).collect();
        assert_eq!(times, ["1", "2", "3", "4"]);
    }

    #[test]
    fn a_run_of_nothing_has_its_columns() {
        assert_eq!(written(&[], &Config::default()), COLUMNS.join(",") + "\r\n");
    }

    #[test]
    fn a_secret_gets_into_no_cell() {
        let mut config = Config::default();
        config.set("token", "peak").mark_secret("token");
        assert!(!written(&[second(0)], &config).contains("peak"));
    }

    #[test]
    fn each_second_is_in_the_file_when_it_is_over() {
        let path = tempfile::NamedTempFile::new().unwrap();
        let file = File::create(path.path()).unwrap();
        let mut csv = Csv::new(file, &Config::default()).unwrap();
        let mut lines = 1;
        for number in 0..3 {
            Recording::second(&mut csv, &second(number)).unwrap();
            lines += 6;
            let text = std::fs::read_to_string(path.path()).unwrap();
            assert_eq!(text.matches("\r\n").count(), lines);
        }
    }
}
