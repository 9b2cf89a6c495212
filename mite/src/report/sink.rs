//! The files a report goes to: tried before the run, written whole or not at all after it.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    process,
};

use super::{
    data::Report,
    error::ReportError,
    format::{self, Format},
};

/// The files a report goes to.
pub(crate) struct Sinks {
    sinks: Vec<Sink>,
}

struct Sink {
    path: PathBuf,
    format: &'static dyn Format,
}

impl Sinks {
    /// Makes sure that a report can be written to each of the paths, and leaves nothing there.
    ///
    /// # Errors
    /// When an ending names no format, or a directory is missing or not writable.
    pub(crate) fn open(paths: &[PathBuf]) -> Result<Self, ReportError> {
        let sinks = paths
            .iter()
            .map(|path| Sink::open(path))
            .collect::<Result<_, _>>()?;
        Ok(Self { sinks })
    }

    /// Writes the report to every path and says which these are.
    ///
    /// A path that fails does not keep the others from being written.
    ///
    /// # Errors
    /// The first thing that went wrong.
    pub(crate) fn write(&self, report: &Report) -> Result<Vec<&Path>, ReportError> {
        let written: Vec<_> = self
            .sinks
            .iter()
            .map(|sink| sink.write(report).map(|()| sink.path.as_path()))
            .collect();
        written.into_iter().collect()
    }
}

impl Sink {
    fn open(path: &Path) -> Result<Self, ReportError> {
        let format = format::by_ending(path)?;
        if path.is_dir() {
            return Err(ReportError::IsDirectory { path: path.into() });
        }
        // It would be replaced by a file, and whoever reads from it would wait for ever.
        if path.exists() && !path.is_file() {
            return Err(ReportError::NoFile { path: path.into() });
        }
        let directory = directory_of(path);
        if !directory.is_dir() {
            return Err(ReportError::NoDirectory {
                path: path.into(),
                directory: directory.into(),
            });
        }
        let sink = Self {
            path: path.into(),
            format,
        };
        let draft = sink.draft();
        create(&draft)
            .and_then(|_| fs::remove_file(&draft))
            .map_err(|source| sink.unwritable(source))?;
        Ok(sink)
    }

    fn write(&self, report: &Report) -> Result<(), ReportError> {
        let bytes = self.format.render(report)?;
        let draft = self.draft();
        let written = create(&draft)
            .and_then(|mut file| {
                file.write_all(&bytes)?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&draft, &self.path));
        written.map_err(|source| {
            let _ = fs::remove_file(&draft);
            self.unwritable(source)
        })
    }

    /// A name beside the file, so that the rename stays within one file system and is atomic.
    fn draft(&self) -> PathBuf {
        let mut name = OsString::from(".");
        name.push(self.path.file_name().unwrap_or_default());
        name.push(format!(".{}.tmp", process::id()));
        self.path.with_file_name(name)
    }

    fn unwritable(&self, source: io::Error) -> ReportError {
        ReportError::Unwritable {
            path: self.path.clone(),
            source,
        }
    }
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    fn names(directory: &Path) -> Vec<String> {
        fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
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
        assert_eq!(sinks.write(&report).unwrap(), [path.as_path()]);
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
        sinks.write(&fixture::full()).unwrap();
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
        let message = sinks.write(&fixture::full()).unwrap_err().to_string();
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
        assert!(sinks.write(&fixture::full()).is_err());
        assert_eq!(names(directory.path()), ["b.json"]);
    }

    #[test]
    fn a_path_that_cannot_work_is_refused_with_what_would() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        assert_eq!(
            refusal("report.pdf"),
            "cannot tell the format of the report report.pdf: it ends in .pdf, and the ending \
             chooses it; there is .json, .html"
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
}
