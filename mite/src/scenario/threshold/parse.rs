//! Reads the grammar of thresholds.

use std::time::Duration;

use super::{
    Abort, Threshold, ThresholdError, labels,
    vocabulary::{
        Limit, Operator, STAGE, STATS, SUBJECTS, Stat, Subject, Unit, did_you_mean, no_such_label,
    },
};

/// Units of time in seconds, a longer name before a shorter one that it begins with.
const TIME_UNITS: [(&str, f64); 7] = [
    ("h", 3600.0),
    ("ms", 1e-3),
    ("m", 60.0),
    ("us", 1e-6),
    ("µs", 1e-6),
    ("ns", 1e-9),
    ("s", 1.0),
];

pub(super) fn parse(expression: &str) -> Result<Threshold, ThresholdError> {
    let mut parser = Parser {
        expression: expression.trim(),
        rest: expression.trim(),
    };
    let (subject_name, subject) = parser.subject()?;
    let mut labels = parser.labels(subject_name, &subject)?;
    let stage = take_stage(&subject, &mut labels);
    if let Some(why) = labels::misfit(&subject, &labels) {
        return Err(parser.error(&why));
    }
    let (stat, unit) = parser.stat(subject_name, &subject)?;
    if unit == Unit::Time && labels::has_no_times(&subject, &labels) {
        return Err(parser.error(labels::NO_TIMES));
    }
    let operator = parser.operator()?;
    let limit = parser.limit(unit)?;
    let window = parser.window()?;
    let abort = parser.abort()?;
    parser.end()?;
    Ok(Threshold {
        expression: parser.expression.to_owned(),
        subject,
        labels,
        stage,
        stat,
        operator,
        limit,
        window,
        abort,
    })
}

/// A metric's own label of that name is one of its labels.
fn take_stage(subject: &Subject, labels: &mut Vec<(String, String)>) -> Option<String> {
    if matches!(subject, Subject::Custom { .. }) {
        return None;
    }
    let place = labels.iter().position(|(name, _)| name == STAGE)?;
    Some(labels.swap_remove(place).1)
}

struct Parser<'a> {
    expression: &'a str,
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn subject(&mut self) -> Result<(&'a str, Subject), ThresholdError> {
        let name = self.word();
        if name.is_empty() {
            return Err(self.error(&format!(
                "it must begin with a subject ({}, or a metric of your own), not with {}; a whole \
                 one is http.p99 < 250ms",
                SUBJECTS.join(", "),
                self.next()
            )));
        }
        Ok((name, Subject::named(name)))
    }

    fn labels(
        &mut self,
        subject_name: &str,
        subject: &Subject,
    ) -> Result<Vec<(String, String)>, ThresholdError> {
        let mut labels = Vec::<(String, String)>::new();
        self.skip_space();
        if !self.eat("{") {
            return Ok(labels);
        }
        loop {
            self.skip_space();
            if self.eat("}") {
                return Ok(labels);
            }
            let (name, value) = self.label()?;
            if let Some(known) = subject.labels()
                && !known.contains(&name)
            {
                return Err(self.error(&no_such_label(subject_name, name, known)));
            }
            if subject.labels().is_some()
                && let Some(why) = labels::no_such_value(name, &value)
            {
                return Err(self.error(&why));
            }
            if labels.iter().any(|(other, _)| other == name) {
                return Err(self.error(&format!("it has the label \"{name}\" twice")));
            }
            labels.push((name.to_owned(), value));
            self.skip_space();
            if !self.eat(",") && !self.rest.starts_with('}') {
                return Err(self.error(&format!(
                    "after the label \"{name}\" comes a comma or a closing brace, not {}",
                    self.next()
                )));
            }
        }
    }

    fn label(&mut self) -> Result<(&'a str, String), ThresholdError> {
        let name = self.word();
        self.skip_space();
        if name.is_empty() || !self.eat("=") {
            return Err(self.error(&format!(
                "in the braces stand labels such as {{name=\"GET /\"}}, which {} does not fit",
                self.next()
            )));
        }
        self.skip_space();
        let wrong = self.error(&format!(
            "the value of the label \"{name}\" must stand between double quotes: {name}=\"…\""
        ));
        if !self.eat("\"") {
            return Err(wrong);
        }
        let mut value = String::new();
        let mut letters = self.rest.char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    self.rest = self.rest.get(at + 1..).unwrap_or_default();
                    return Ok((name, value));
                }
                '\\' => value.extend(letters.next().map(|(_, letter)| letter)),
                _ => value.push(letter),
            }
        }
        Err(wrong)
    }

    fn stat(
        &mut self,
        subject_name: &str,
        subject: &Subject,
    ) -> Result<(Stat, Unit), ThresholdError> {
        let stats = subject.stats();
        if !self.eat(".") {
            return Err(self.error(&format!(
                "after \"{subject_name}\" comes a point and a stat ({stats}), not {}",
                self.next()
            )));
        }
        let name = self.take_while(|letter| letter.is_alphanumeric() || "_.".contains(letter));
        let Some(stat) = Stat::named(name) else {
            let hint = did_you_mean(name, STATS);
            return Err(self.error(&format!(
                "there is no stat \"{name}\"{hint}; \"{subject_name}\" has {stats}"
            )));
        };
        let unit = subject.unit(stat).ok_or_else(|| {
            self.error(&format!(
                "\"{subject_name}\" has no stat \"{name}\"; it has {stats}"
            ))
        })?;
        Ok((stat, unit))
    }

    fn operator(&mut self) -> Result<Operator, ThresholdError> {
        self.skip_space();
        let name = self.take_while(|letter| "<>=!".contains(letter));
        Operator::named(name).ok_or_else(|| {
            let found = if name.is_empty() {
                self.next()
            } else {
                format!("\"{name}\"")
            };
            let hint = if name == "=" { " (equality is ==)" } else { "" };
            self.error(&format!(
                "after the stat comes <, <=, >, >=, == or !=, not {found}{hint}"
            ))
        })
    }

    fn limit(&mut self, unit: Unit) -> Result<Limit, ThresholdError> {
        self.skip_space();
        let text = self.take_while(|letter| !letter.is_whitespace());
        let limit = limit(text).ok_or_else(|| {
            let found = if text.is_empty() {
                self.next()
            } else {
                format!("\"{text}\"")
            };
            self.error(&format!(
                "{found} is no value to compare with; write a time such as 250ms or 1m30s, a \
                 percentage such as 1%, or a number such as 100 or 100/s"
            ))
        })?;
        if unit.takes(limit.unit) {
            Ok(limit)
        } else {
            Err(self.error(&limit.misfit(unit)))
        }
    }

    fn window(&mut self) -> Result<Option<Duration>, ThresholdError> {
        if !self.eat_word("over") {
            return Ok(None);
        }
        let window = self.time("over")?;
        if window < Duration::from_secs(1) {
            return Err(self.error("a window is at least a second long: over 1s"));
        }
        Ok(Some(window))
    }

    fn abort(&mut self) -> Result<Option<Abort>, ThresholdError> {
        if !self.eat_word("abort") {
            return Ok(None);
        }
        let after = if self.eat_word("after") {
            self.time("after")?
        } else {
            Duration::ZERO
        };
        Ok(Some(Abort { after }))
    }

    fn time(&mut self, word: &str) -> Result<Duration, ThresholdError> {
        self.skip_space();
        let text = self.take_while(|letter| !letter.is_whitespace());
        time(text).ok_or_else(|| {
            let found = if text.is_empty() {
                self.next()
            } else {
                format!("\"{text}\"")
            };
            self.error(&format!(
                "after \"{word}\" comes a time such as 10s or 1m30s, not {found}"
            ))
        })
    }

    fn end(&mut self) -> Result<(), ThresholdError> {
        self.skip_space();
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(self.error(&format!(
            "{} is too much; what may follow the value is `over 10s`, then `abort` or `abort after \
             1m`",
            self.next()
        )))
    }

    fn word(&mut self) -> &'a str {
        self.take_while(|letter| letter.is_alphanumeric() || letter == '_')
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let end = self
            .rest
            .find(|letter| !belongs(letter))
            .unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, token: &str) -> bool {
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn eat_word(&mut self, word: &str) -> bool {
        self.skip_space();
        let before = self.rest;
        if self.word() == word {
            return true;
        }
        self.rest = before;
        false
    }

    /// What stands here, for a message.
    fn next(&self) -> String {
        match self.rest.split_whitespace().next() {
            Some(word) => format!("\"{word}\""),
            None => "nothing".to_owned(),
        }
    }

    fn error(&self, why: &str) -> ThresholdError {
        ThresholdError::new(self.expression, why)
    }
}

fn limit(text: &str) -> Option<Limit> {
    let (value, unit) = if let Some(percent) = text.strip_suffix('%') {
        (number(percent)? / 100.0, Unit::Percentage)
    } else if let Some(rate) = text.strip_suffix("/s") {
        (number(rate)?, Unit::PerSecond)
    } else if let Some(plain) = number(text) {
        (plain, Unit::Number)
    } else {
        (time(text)?.as_secs_f64(), Unit::Time)
    };
    Some(Limit {
        value,
        unit,
        text: text.to_owned(),
    })
}

/// A number in digits; what else Rust reads as one, such as `inf`, is none here.
fn number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits
        .chars()
        .all(|letter| letter.is_ascii_digit() || letter == '.')
        .then(|| text.parse().ok())?
}

/// A time as `250ms`, `1m30s` or `1.5s`.
fn time(text: &str) -> Option<Duration> {
    if text.is_empty() {
        return None;
    }
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (amount, unit) = rest.split_at(end);
        let (name, factor) = TIME_UNITS.iter().find(|(name, _)| unit.starts_with(name))?;
        seconds += number(amount)? * factor;
        rest = unit.strip_prefix(name)?;
    }
    Duration::try_from_secs_f64(seconds).ok()
}
