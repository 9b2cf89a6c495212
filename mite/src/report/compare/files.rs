//! The files a comparison goes to.

use std::path::{Path, PathBuf};

use super::{Comparison, markdown};
use crate::report::{
    error::ReportError,
    format::ending_error,
    target::{self, Target},
};

/// How a comparison is written.
type Render = fn(&Comparison) -> String;

const FORMATS: [(&str, Render); 2] = [("md", markdown::render), ("json", json)];

/// The files a comparison goes to, tried before it is made.
pub(crate) struct ComparisonFiles(Vec<(Target, Render)>);

impl ComparisonFiles {
    /// Makes sure that each of the paths can be written to.
    ///
    /// # Errors
    /// When an ending names no format, or a directory is missing or not writable.
    pub(crate) fn open(paths: &[PathBuf]) -> Result<Self, ReportError> {
        target::check_distinct(paths)?;
        let files = paths
            .iter()
            .map(|path| Ok((Target::open(path)?, by_ending(path)?)));
        Ok(Self(files.collect::<Result<_, ReportError>>()?))
    }

    /// Writes them all; one that fails does not keep the others from being written.
    ///
    /// # Errors
    /// The first thing that went wrong.
    pub(crate) fn write(&self, comparison: &Comparison) -> Result<(), ReportError> {
        let files = self.0.iter();
        let written: Vec<_> = files
            .map(|(target, render)| target.write(render(comparison).as_bytes()))
            .collect();
        written.into_iter().collect()
    }
}

fn by_ending(path: &Path) -> Result<Render, ReportError> {
    let ending = path.extension().map(std::ffi::OsStr::to_ascii_lowercase);
    let ending = ending.as_deref().and_then(std::ffi::OsStr::to_str);
    let known = FORMATS.iter().find(|(known, _)| Some(*known) == ending);
    let (_, render) =
        known.ok_or_else(|| ending_error(path, FORMATS.iter().map(|(ending, _)| *ending)))?;
    Ok(*render)
}

fn json(comparison: &Comparison) -> String {
    // No map in it has a key that is not text, the one thing that could fail.
    serde_json::to_string_pretty(comparison).unwrap_or_default() + "\n"
}
