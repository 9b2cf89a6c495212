//! The arguments about events that are collected and data that is recorded.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::some_time;

/// What is written down beside the reports.
#[derive(Debug, Args)]
pub(in crate::cli) struct ArchiveArguments {
    /// Collect every event of the run in files of this directory, which is made if need be
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) collect: Option<PathBuf>,
    /// The form of collected events: msgpack or jsonl
    #[arg(long, value_name = "FORM", default_value = "msgpack", value_parser = ["msgpack", "jsonl"], requires = "collect")]
    pub(in crate::cli) collect_format: String,
    /// How large a file of collected events becomes before the next one is begun
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = size, requires = "collect")]
    pub(in crate::cli) collect_roll_size: u64,
    /// How long a file of collected events is written before the next one is begun
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = some_time, requires = "collect")]
    pub(in crate::cli) collect_roll_time: Duration,
    #[arg(long, value_name = "DIR", help = RECORD)]
    pub(in crate::cli) record: Option<PathBuf>,
}

pub(super) const RECORD: &str = "Where journeys record data for a later run, a file a name; the directory is \
                      made if need be";

#[derive(Debug, Args)]
pub(in crate::cli) struct Files {
    /// The files, one after the other; - is the standard input
    #[arg(value_name = "FILE", required = true)]
    pub(in crate::cli) files: Vec<PathBuf>,
}

/// A number of bytes: `1000000`, `512KiB`, `64MiB`, `2GiB`, and `kB`, `MB` and `GB` in tens.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|sign: char| sign.is_ascii_alphabetic());
    let (number, unit) = text.split_at(digits.len());
    let unit = match unit {
        "" | "B" => 1,
        "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => 0,
    };
    let bytes = number.trim_end().parse::<u64>().ok();
    bytes
        .and_then(|number| number.checked_mul(unit))
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| {
            "a size is a whole number above zero with its unit, like 512KiB, 64MiB or 2GB"
                .to_owned()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes) in [
            ("1000", 1000),
            ("1B", 1),
            ("64MiB", 64 << 20),
            ("2 GB", 2_000_000_000),
        ] {
            assert_eq!(size(text), Ok(bytes));
        }
        for text in ["", "0", "MiB", "1.5MiB", "-1", "1TiB", "99999999999GiB"] {
            assert!(size(text).unwrap_err().contains("64MiB"), "{text}");
        }
    }
}
