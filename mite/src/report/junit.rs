//! The verdict for a build server: thresholds as test cases, in JUnit's XML.

use std::fmt::Write as _;

use super::{
    bound,
    data::{Report, Verdict},
    error::ReportError,
    format::Format,
    human,
    parts::ThresholdSummary,
    style::Style,
    summary,
};

/// A suite with a case for each threshold and one for the run itself, as Jenkins and GitLab read it.
///
/// Two schemas are in use, that of Apache Ant's task and that of Jenkins' xUnit plugin; it is valid
/// under both.
///
/// A threshold that does not hold is a failure. When the run was invalid or interrupted, the run is
/// an error, and nobody can tell what the thresholds would have been: they are skipped.
pub(crate) struct Junit;

impl Format for Junit {
    fn render(&self, report: &Report) -> Result<Vec<u8>, ReportError> {
        Ok(render(report).into_bytes())
    }
}

/// Plain text, for the log of the build.
const PLAIN: Style = Style {
    width: 100,
    colour: false,
    unicode: true,
};

fn render(report: &Report) -> String {
    let judged = is_judged(report.verdict);
    let scenario = escaped(&report.scenario);
    let broken = report.thresholds.iter().filter(|row| !row.passed).count();
    let failures = match report.verdict {
        Verdict::Failed => broken + 1,
        _ => 0,
    };
    let tests = report.thresholds.len() + 1;
    let errors = usize::from(!judged);
    let skipped = if judged { 0 } else { report.thresholds.len() };
    let time = report.duration_seconds;
    let timestamp = escaped(report.started.trim_end_matches('Z'));
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = write!(
        text,
        "<testsuites>\n\
         \x20 <testsuite name=\"{scenario}\" package=\"\" id=\"0\" hostname=\"localhost\" \
         tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\" \
         time=\"{time:.3}\" timestamp=\"{timestamp}\">\n"
    );
    properties(&mut text, report);
    for threshold in &report.thresholds {
        case(
            &mut text,
            report,
            &threshold.expression,
            &of_threshold(threshold, report.verdict),
        );
    }
    case(&mut text, report, "the run", &of_run(report));
    // Between tags a line end is a line end.
    let log = escaped(&summary::render(report, PLAIN)).replace("&#10;", "\n");
    let _ = write!(
        text,
        "    <system-out>{log}</system-out>\n    <system-err></system-err>\n  </testsuite>\n</testsuites>\n"
    );
    text
}

/// What a build server shows beside the suite.
fn properties(text: &mut String, report: &Report) {
    let seed = report.seed.map(|seed| seed.to_string());
    let known = [
        ("verdict", Some(report.verdict.as_str())),
        ("seed", seed.as_deref()),
    ];
    text.push_str("    <properties>\n");
    for (name, value) in known {
        if let Some(value) = value {
            let _ = writeln!(text, "      <property name=\"{name}\" value=\"{value}\"/>");
        }
    }
    text.push_str("    </properties>\n");
}

/// Whether the run was what it was to be, so that its thresholds say something.
fn is_judged(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Passed | Verdict::Failed)
}

/// A test case; `outcome` is what is in it, nothing when it passed.
fn case(text: &mut String, report: &Report, name: &str, outcome: &str) {
    let class = escaped(&report.scenario.replace("::", "."));
    let (name, time) = (escaped(name), report.duration_seconds);
    let _ = write!(
        text,
        "    <testcase name=\"{name}\" classname=\"{class}\" time=\"{time:.3}\""
    );
    text.push_str(&match outcome {
        "" => "/>\n".to_owned(),
        outcome => format!(">\n      {outcome}\n    </testcase>\n"),
    });
}

fn of_threshold(threshold: &ThresholdSummary, verdict: Verdict) -> String {
    let found = bound::measured(threshold);
    let found = bound::broke_at(threshold).map_or(found.clone(), |at| format!("{found}, {at}"));
    if !is_judged(verdict) {
        let message = escaped(&format!("the run was {verdict}; found {found}"));
        return format!("<skipped message=\"{message}\"/>");
    }
    if threshold.passed {
        return String::new();
    }
    let message = escaped(&format!("found {found}"));
    let expression = &threshold.expression;
    let whole = escaped(&format!("{expression} does not hold: found {found}"));
    format!("<failure message=\"{message}\" type=\"threshold\">{whole}</failure>")
}

fn of_run(report: &Report) -> String {
    let element = match report.verdict {
        Verdict::Passed => return String::new(),
        Verdict::Failed => "failure",
        _ => "error",
    };
    let lasted = human::time(report.duration_seconds);
    let message = escaped(&format!("the run of {lasted} was {}", report.verdict));
    let reasons = escaped(&report.reasons.join("\n"));
    let verdict = report.verdict;
    format!("<{element} message=\"{message}\" type=\"{verdict}\">{reasons}</{element}>")
}

/// `text` for XML, in elements and in attributes; what XML 1.0 has no sign for is replaced.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            '\t' => out.push_str("&#9;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            sign if sign < ' ' => out.push('\u{fffd}'),
            sign => out.push(sign),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    fn failed() -> Report {
        let mut report = fixture::full();
        report.verdict = Verdict::Failed;
        report.reasons = vec!["the threshold http.p99 < 250ms does not hold".into()];
        let mut broken = fixture::threshold("http.p99 < 250ms over 10s", Some(1.95), false);
        broken.broke_at = Some(41.0);
        report.thresholds[0] = broken;
        report
    }

    fn count(text: &str, what: &str) -> usize {
        text.matches(what).count()
    }

    #[test]
    fn a_threshold_that_does_not_hold_is_a_failure_with_what_was_found() {
        let text = render(&failed());
        assert!(
            text.contains("tests=\"3\" failures=\"2\" errors=\"0\" skipped=\"0\""),
            "{text}"
        );
        assert!(
            text.contains("<failure message=\"found 1.95s, broke at 41.0s\" type=\"threshold\">")
        );
        assert!(text.contains(
            "<testcase name=\"http.p99 &lt; 250ms over 10s\" classname=\"shop.evening\""
        ));
        assert_eq!(count(&text, "<failure"), 2, "{text}");
        assert_eq!(count(&text, "<testcase"), 3, "{text}");
    }

    #[test]
    fn what_the_schemas_ask_for_is_there_in_their_order() {
        let text = render(&failed());
        assert!(text.contains("<testsuites>\n  <testsuite name=\"shop::evening\" package=\"\""));
        for attribute in [
            " id=\"0\"",
            " hostname=\"",
            " timestamp=\"2026-11-22T20:00:00\">",
        ] {
            assert_eq!(count(&text, attribute), 1, "{attribute}: {text}");
        }
        let elements = ["<properties>", "<testcase ", "<system-out>", "<system-err>"];
        let places = elements.map(|element| text.find(element));
        assert!(
            places.is_sorted() && places[0].is_some(),
            "{places:?}: {text}"
        );
        assert!(
            text.contains("<property name=\"seed\" value=\"4711\"/>"),
            "{text}"
        );
    }

    #[test]
    fn a_run_that_passed_has_no_failure() {
        let text = render(&fixture::passed());
        assert_eq!(
            count(&text, "<failure") + count(&text, "<error") + count(&text, "<skipped"),
            0
        );
        assert_eq!(count(&text, "<testcase"), 3);
    }

    #[test]
    fn an_invalid_or_interrupted_run_is_an_error_and_judges_no_threshold() {
        for verdict in [Verdict::Invalid, Verdict::Interrupted] {
            let mut report = failed();
            report.verdict = verdict;
            let text = render(&report);
            assert!(
                text.contains("failures=\"0\" errors=\"1\" skipped=\"2\""),
                "{text}"
            );
            assert_eq!([count(&text, "<error "), count(&text, "<skipped")], [1, 2]);
            assert_eq!(count(&text, "<failure"), 0);
        }
    }

    #[test]
    fn no_name_breaks_the_xml() {
        let mut report = failed();
        report.scenario = "a\"b<c>&'\u{0}\u{1b}[2J".into();
        report.reasons = vec!["]]> </failure>\r\nnext\u{ffff}".into()];
        let text = render(&report);
        assert!(
            text.contains("name=\"a&quot;b&lt;c&gt;&amp;&apos;\u{fffd}\u{fffd}[2J\""),
            "{text}"
        );
        assert!(
            text.contains("]]&gt; &lt;/failure&gt;&#13;&#10;next\u{fffd}"),
            "{text}"
        );
        assert!(!text.chars().any(|sign| sign < ' ' && sign != '\n'));
    }
}
