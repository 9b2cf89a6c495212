//! The files a report goes to: tried before the run, written while it goes on or when it is over.

use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::{
    data::Report,
    error::ReportError,
    format::{self, Way},
    record::{Batching, Beginning, RecordedFile, Recorder},
    target::{self, Target},
};
use crate::{config::Config, stats::Statistics};

/// The files a report goes to.
pub(crate) struct Sinks {
    sinks: Vec<Sink>,
}

struct Sink {
    target: Target,
    way: Way,
}

impl Sinks {
    /// Makes sure that a report can be written to each of the paths, and leaves nothing there.
    ///
    /// # Errors
    /// When an ending names no format, or a directory is missing or not writable.
    pub(crate) fn open(paths: &[PathBuf]) -> Result<Self, ReportError> {
        target::check_distinct(paths)?;
        let sinks = paths
            .iter()
            .map(|path| Sink::open(path))
            .collect::<Result<_, _>>()?;
        Ok(Self { sinks })
    }

    /// Begins the files that are written while the run goes on. The run is cut up for those who look at
    /// it meanwhile, if it is `watched`, and for the formats that show it so.
    ///
    /// # Errors
    /// When one cannot be made.
    pub(crate) fn begin(
        &self,
        started: SystemTime,
        config: &Config,
        watched: bool,
    ) -> Result<Recorder, ReportError> {
        let cut_up = watched || self.sinks.iter().any(|sink| sink.way.has_batches());
        let streams = self.sinks.iter().filter_map(|sink| match sink.way {
            Way::Stream(begin) => Some((sink.target.path(), begin)),
            Way::Report(_) | Way::Totals(_) => None,
        });
        let files = streams
            .map(|(path, begin)| RecordedFile::begin(path, begin, &Beginning { started, config }));
        Ok(Recorder {
            files: files.collect::<Result<_, _>>()?,
            batches: cut_up.then(|| Batching::new(config.clone())),
        })
    }

    /// Writes the report to every path that is not written already, and says which these are.
    ///
    /// A path that fails does not keep the others from being written.
    ///
    /// # Errors
    /// The first thing that went wrong.
    pub(crate) fn write(
        &self,
        report: &Report,
        totals: &Statistics,
    ) -> Result<Vec<&Path>, ReportError> {
        let at_end = self
            .sinks
            .iter()
            .filter(|sink| !matches!(sink.way, Way::Stream(_)));
        let written: Vec<_> = at_end
            .map(|sink| sink.write(report, totals).map(|()| sink.target.path()))
            .collect();
        written.into_iter().collect()
    }
}

impl Sink {
    fn open(path: &Path) -> Result<Self, ReportError> {
        let way = format::by_ending(path)?;
        let target = Target::open(path)?;
        Ok(Self { target, way })
    }

    fn write(&self, report: &Report, totals: &Statistics) -> Result<(), ReportError> {
        let bytes = match self.way {
            Way::Report(format) => format.render(report)?,
            Way::Totals(render) => render(totals).into_bytes(),
            Way::Stream(_) => return Ok(()),
        };
        self.target.write(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::report::fixture;

    fn names(directory: &Path) -> Vec<String> {
        fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    fn totals() -> Statistics {
        Statistics::default()
    }

    fn refusal(path: impl Into<PathBuf>) -> String {
        Sinks::open(&[path.into()]).err().unwrap().to_string()
    }

    #[test]
    fn a_report_is_written_whole_and_nothing_else_is_left() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("report.JSON");
        let sinks = Sinks::open(std::slice::from_ref(&path)).unwrap();
        assert!(names(directory.path()).is_empty(), "trying leaves nothing");

        fs::write(&path, "the report of yesterday").unwrap();
        let report = fixture::full();
        assert_eq!(sinks.write(&report, &totals()).unwrap(), [path.as_path()]);
        assert_eq!(names(directory.path()), ["report.JSON"]);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("{\n  \"schema\": 1,\n"), "{text}");
        assert!(text.ends_with("}\n"));
        assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
    }

    #[test]
    fn an_older_report_is_replaced_as_a_whole_and_not_before_the_end() {
        let directory = tempfile::tempdir().unwrap();
        let [path, other_name] =
            ["report.json", "other name"].map(|name| directory.path().join(name));
        fs::write(&path, "the report of yesterday").unwrap();
        fs::hard_link(&path, &other_name).unwrap();
        let sinks = Sinks::open(std::slice::from_ref(&path)).unwrap();
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "the report of yesterday"
        );
        sinks.write(&fixture::full(), &totals()).unwrap();
        assert!(fs::read_to_string(&path).unwrap().starts_with('{'));
        // Whoever has the old file open goes on reading the old report.
        assert_eq!(
            fs::read_to_string(&other_name).unwrap(),
            "the report of yesterday"
        );
    }

    #[test]
    fn a_report_that_cannot_be_renamed_leaves_no_draft() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("report.json");
        let sinks = Sinks::open(std::slice::from_ref(&path)).unwrap();
        fs::create_dir(&path).unwrap();
        let message = sinks
            .write(&fixture::full(), &totals())
            .unwrap_err()
            .to_string();
        assert!(message.contains("report.json"), "{message}");
        assert_eq!(names(directory.path()), ["report.json"]);
    }

    #[test]
    fn one_bad_path_does_not_cost_the_other_report() {
        let directory = tempfile::tempdir().unwrap();
        let paths = ["gone/a.json", "b.json"].map(|name| directory.path().join(name));
        fs::create_dir(directory.path().join("gone")).unwrap();
        let sinks = Sinks::open(&paths).unwrap();
        fs::remove_dir(directory.path().join("gone")).unwrap();
        assert!(sinks.write(&fixture::full(), &totals()).is_err());
        assert_eq!(names(directory.path()), ["b.json"]);
    }

    #[test]
    fn a_path_that_cannot_work_is_refused_with_what_would() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        assert_eq!(
            refusal("report.pdf"),
            "cannot tell the format of the report report.pdf: it ends in .pdf, and the ending \
             chooses it; there are .json, .html, .md, .xml, .csv, .hlog, .hgrm"
        );
        assert!(refusal("report").contains("it has no ending"));
        assert!(refusal(at("none/r.json")).contains("create it first"));
        fs::create_dir(at("taken.json")).unwrap();
        assert!(refusal(at("taken.json")).contains("taken.json/report.json"));
    }

    #[test]
    fn what_is_no_ordinary_file_is_refused_and_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("report.json");
        std::os::unix::fs::symlink("/dev/null", &path).unwrap();
        assert!(refusal(&path).contains("no ordinary file"));
        assert!(path.is_symlink());
    }

    #[test]
    fn a_directory_that_takes_no_files_is_refused() {
        // Even root cannot make a file there.
        let message = refusal("/proc/report.json");
        assert!(
            message.contains("a directory you may write to"),
            "{message}"
        );
    }
    #[cfg(unix)]
    #[test]
    fn two_paths_to_one_file_are_refused_however_they_are_written() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::create_dir(at("real")).unwrap();
        std::os::unix::fs::symlink(at("real"), at("link")).unwrap();
        fs::write(at("old.json"), "{}").unwrap();
        std::os::unix::fs::symlink(at("old.json"), at("latest.json")).unwrap();
        for (one, other) in [
            ("a.json", "./a.json"),
            ("a.json", "real/../a.json"),
            ("real/a.json", "link/a.json"),
            ("old.json", "latest.json"),
        ] {
            let message = Sinks::open(&[at(one), at(other)])
                .err()
                .unwrap()
                .to_string();
            assert!(message.contains("two reports"), "{message}");
        }
        assert!(Sinks::open(&[at("a.json"), at("real/a.json")]).is_ok());
        // Relative to where the program runs.
        let here = ["none-such.json", "./none-such.json"].map(Into::into);
        assert!(Sinks::open(&here).is_err());
    }
}
