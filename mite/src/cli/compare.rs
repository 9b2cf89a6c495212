//! `compare`: two reports held against each other.

use std::{fs, path::Path};

use super::{
    args::Compare,
    exit::{Exit, Failure},
    output::print,
};
use crate::report::{self, Comparison, ComparisonFiles, Limit, Report, Style};

/// Compares two reports, shows what changed and judges it by `--fail-if`.
pub(super) fn compare(arguments: &Compare) -> Result<Exit, Failure> {
    let limits = arguments.fail_if.iter().map(|limit| limit.parse());
    let limits: Vec<Limit> = limits.collect::<Result<_, _>>()?;
    let files = ComparisonFiles::open(&arguments.report)?;
    let [before, after] = [&arguments.before, &arguments.after];
    let (first, second) = (read(before)?, read(after)?);
    let mut comparison =
        Comparison::of(&first, &second, arguments.confidence).map_err(|error| {
            let (before, after) = (before.display(), after.display());
            Failure::new(format!("cannot compare {before} with {after}: {error}"))
        })?;
    let judged: Vec<_> = limits.iter().map(|limit| comparison.judge(limit)).collect();
    files.write(&comparison)?;
    print(&report::comparison_table(&comparison, Style::of_stdout()))?;
    // What could not be judged must not pass, and the table says why.
    judged.into_iter().collect::<Result<(), _>>()?;
    Ok(if comparison.passed() {
        Exit::Passed
    } else {
        Exit::Failed
    })
}

fn read(path: &Path) -> Result<Report, Failure> {
    let shown = path.display();
    let text = fs::read(path)
        .map_err(|error| Failure::new(format!("cannot read the report {shown}: {error}")))?;
    let text = String::from_utf8(text).map_err(|_| {
        Failure::new(format!(
            "cannot read the report {shown}: it is no text, and so no JSON report"
        ))
    })?;
    Report::from_json(&text)
        .map_err(|error| Failure::new(format!("cannot read the report {shown}: {error}")))
}
