//! What may not change by more than so much: `http.p99 > +10%`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{CompareError, Difference, Figure};
use crate::{report::batches::BatchKind, report::http::label};

/// A change that is not to happen: `SUBJECT[{label="value",...}].FIGURE > +10%`.
///
/// | Subject | Labels | Is about |
/// |---|---|---|
/// | `http` | `name`, `method` | all requests, or those of one name |
/// | `journey` | `journey` | all journeys by response time, or one |
/// | `transaction` | `journey`, `transaction` | one transaction |
/// | `errors` | `journey` | failed by finished journeys, of all or of one; `rate` alone |
///
/// Figures are `rate`, `error_rate`, `mean`, `p50`, `p95` and `p99`. A change is in percent of the
/// first run, that of an error rate in percentage points: `errors.rate > +0.5pp`. `>` forbids more
/// than that, and `<` less: `http.rate < -5%`. Of a journey, the last parts of its name are enough.
///
/// It is broken when the change is beyond the limit **and** beyond the noise of the runs. So two runs
/// of the same program rarely break it, however noisy they are; and a change that is within the limit
/// breaks nothing, however sure it is.
///
/// ```
/// use mite::report::Limit;
///
/// let limit: Limit = r#"http{name="GET /basket"}.p99 > +10%"#.parse()?;
/// assert!("http.p99 > 10ms".parse::<Limit>().unwrap_err().to_string().contains("+10%"));
/// # Ok::<(), mite::report::CompareError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    expression: String,
    kind: BatchKind,
    labels: Labels,
    figure: Figure,
    more: bool,
    by: f64,
}

/// How a limit came out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LimitResult {
    /// The limit as it was written.
    pub expression: String,
    /// The change that was found.
    pub change: f64,
    /// The interval that holds the true change.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// Whether the change is within the limit, or within the noise.
    pub passed: bool,
    /// Whether it is beyond the noise.
    pub beyond_noise: bool,
}

const SUBJECTS: [(&str, &[&str]); 4] = [
    ("http", &["name", "method"]),
    ("journey", &["journey"]),
    ("transaction", &["journey", "transaction"]),
    ("errors", &["journey"]),
];

impl FromStr for Limit {
    type Err = CompareError;

    fn from_str(expression: &str) -> Result<Self, CompareError> {
        Self::read(expression).map_err(|why| CompareError::Limit {
            expression: expression.to_owned(),
            why,
        })
    }
}

impl Limit {
    fn read(expression: &str) -> Result<Self, String> {
        let start = expression.trim();
        let end = start
            .find(['{', '.'])
            .ok_or("it is written SUBJECT.FIGURE > +10%, like http.p99 > +10%")?;
        let (subject, rest) = start.split_at(end);
        let known = SUBJECTS.iter().find(|(name, _)| *name == subject.trim());
        let (subject, labels) = known.ok_or_else(|| {
            format!("there is no \"{subject}\" to compare; there are http, journey, transaction and errors")
        })?;
        let (labels, rest) = read_labels(rest, subject, labels)?;
        let rest = rest.trim_start();
        let rest = rest
            .strip_prefix('.')
            .ok_or("after the subject comes a dot and the figure, like .p99")?;
        let operator = rest
            .find(['<', '>'])
            .ok_or("it lacks what may not happen: > +10% for more than that, < -5% for less")?;
        let (figure, rest) = rest.split_at(operator);
        let (more, by) = match rest.strip_prefix('>') {
            Some(by) => (true, by),
            None => (false, rest.strip_prefix('<').unwrap_or(rest)),
        };
        if by.starts_with(['<', '>', '=']) {
            return Err(
                "what may not happen begins with > or with <, and with nothing else: \
                        > +10% for more than that, < -5% for less"
                    .to_owned(),
            );
        }
        let figure = read_figure(subject, figure.trim())?;
        let by = read_change(figure, more, by.trim())?;
        let kind = match (*subject, labels.is_empty()) {
            ("http", true) => BatchKind::Http,
            ("http", false) => BatchKind::Request,
            ("transaction", _) => BatchKind::Transaction,
            (_, true) => BatchKind::Run,
            (_, false) => BatchKind::Journey,
        };
        Ok(Self {
            expression: expression.to_owned(),
            kind,
            labels,
            figure,
            more,
            by,
        })
    }

    /// Holds the limit against what was found.
    pub(super) fn judge(&self, differences: &[Difference]) -> Result<LimitResult, CompareError> {
        let of_series = differences.iter().filter(|row| self.selects(row));
        let mut found: Vec<_> = of_series.filter(|row| row.figure == self.figure).collect();
        let row = match (found.pop(), found.pop()) {
            (Some(row), None) => row,
            (None, _) => return Err(self.error("neither of the runs has such a figure")),
            (Some(one), Some(other)) => {
                let [one, other] = [one, other].map(Difference::label);
                let why = format!("it may be {one} or {other}; say more labels");
                return Err(self.error(&why));
            }
        };
        let missing = match (row.before, row.after) {
            (None, _) => Some("the first run has no such figure"),
            (_, None) => Some("the second run has no such figure"),
            _ => None,
        };
        if let Some(missing) = missing {
            return Err(self.error(missing));
        }
        let (Some(change), Some(low), Some(high)) = (row.change, row.low, row.high) else {
            return Err(self.error(
                "how much this figure varies by itself cannot be told: it has too few samples, or \
                 swings too slowly; make the runs longer",
            ));
        };
        let beyond_noise = row.is_beyond_noise();
        let beyond_limit = if self.more {
            change > self.by
        } else {
            change < self.by
        };
        // A change for the better is no reason to fail, also where the limit is on the other side.
        let this_way = (change > 0.0) == self.more;
        Ok(LimitResult {
            expression: self.expression.clone(),
            change,
            low,
            high,
            passed: !(beyond_limit && beyond_noise && this_way),
            beyond_noise,
        })
    }

    fn selects(&self, row: &Difference) -> bool {
        row.kind == self.kind
            && self.labels.iter().all(|(name, value)| match name.as_str() {
                "journey" => {
                    let before = row.journey.strip_suffix(value.as_str());
                    before.is_some_and(|before| before.is_empty() || before.ends_with("::"))
                }
                "transaction" => row.transaction == *value,
                "method" => row.method == *value,
                _ => row.name == *value || label(&row.method, &row.name) == *value,
            })
    }

    fn error(&self, why: &str) -> CompareError {
        CompareError::Limit {
            expression: self.expression.clone(),
            why: why.to_owned(),
        }
    }
}

/// Names of labels with the values they must have.
type Labels = Vec<(String, String)>;

/// The labels, and what comes behind them.
fn read_labels<'a>(
    text: &'a str,
    subject: &str,
    known: &[&str],
) -> Result<(Labels, &'a str), String> {
    const FORM: &str = "labels are written {name=\"GET /basket\"}";
    let mut labels = Vec::new();
    let Some(mut rest) = text.strip_prefix('{') else {
        return Ok((labels, text));
    };
    loop {
        let (name, value) = rest.split_once('=').ok_or(FORM)?;
        let name = name.trim();
        if !known.contains(&name) {
            return Err(format!(
                "{subject} has no label \"{name}\"; it has {}",
                known.join(", ")
            ));
        }
        let value = value.trim_start().strip_prefix('"').ok_or(FORM)?;
        let (value, after) = quoted(value).ok_or(FORM)?;
        labels.push((name.to_owned(), value));
        let after = after.trim_start();
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None => return Ok((labels, after.strip_prefix('}').ok_or(FORM)?)),
        }
    }
}

/// A text up to its closing quote, and what comes behind.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut signs = text.char_indices();
    while let Some((at, sign)) = signs.next() {
        match sign {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => value.push(signs.next()?.1),
            sign => value.push(sign),
        }
    }
    None
}

fn read_figure(subject: &str, name: &str) -> Result<Figure, String> {
    if subject == "errors" {
        return match name {
            "rate" => Ok(Figure::ErrorRate),
            _ => Err(format!("errors has no \"{name}\" to compare; it has rate")),
        };
    }
    let known = Figure::ALL.into_iter().find(|figure| figure.name() == name);
    known.ok_or_else(|| {
        let names = Figure::ALL.map(Figure::name).join(", ");
        format!("there is no figure \"{name}\" to compare; there are {names}")
    })
}

fn read_change(figure: Figure, more: bool, text: &str) -> Result<f64, String> {
    let (unit, example) = match figure {
        Figure::ErrorRate => ("pp", "> +0.5pp (percentage points)"),
        _ if more => ("%", "> +10% (of what it was)"),
        _ => ("%", "< -5% (of what it was)"),
    };
    let wrong = || format!("the change \"{text}\" is not written like {example}");
    let number = text.strip_suffix(unit).ok_or_else(wrong)?.trim_end();
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let against = if more { number < 0.0 } else { number > 0.0 };
    if !number.is_finite() || against {
        return Err(wrong());
    }
    Ok(number / 100.0)
}

impl fmt::Display for Limit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.expression)
    }
}
