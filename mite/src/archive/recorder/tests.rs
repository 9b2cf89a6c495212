//! What is in the files of a recorder, over several runs and after accidents.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::Path,
};

use super::{KeptName, Recorder};
use crate::{archive::cat, event::Keep};

fn keep(recorder: &Recorder, name: &str, items: &[u32]) {
    for item in items {
        recorder
            .keep(name, rmp_serde::to_vec(item).unwrap())
            .unwrap();
    }
}

fn items(directory: &Path, name: &str) -> Vec<u32> {
    let file = fs::read(directory.join(format!("{name}.msgpack"))).unwrap();
    let mut text = Vec::new();
    cat(&file[..], &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    text.lines().map(|line| line.parse().unwrap()).collect()
}

fn kept(name: &str, items: u64, missing: u64) -> KeptName {
    KeptName {
        name: name.to_owned(),
        items,
        missing,
    }
}

#[test]
fn runs_append_to_one_file_a_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("new/data");
    for run in 0..2 {
        let recorder = Recorder::start(&path).unwrap();
        keep(&recorder, "users", &[run * 10, run * 10 + 1000]);
        keep(&recorder, "orders", &[run]);
        let kept_ones = recorder.finish();
        assert_eq!(kept_ones.names, [kept("orders", 1, 0), kept("users", 2, 0)]);
        assert!(kept_ones.failures.is_empty() && recorder.news().is_empty());
    }
    assert_eq!(items(&path, "users"), [0, 1000, 10, 1010]);
    assert_eq!(items(&path, "orders"), [0, 1]);
    assert_eq!(fs::read_dir(&path).unwrap().count(), 2);
}

#[test]
fn a_purge_deletes_what_this_run_and_earlier_ones_recorded() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let recorder = Recorder::start(path).unwrap();
    recorder.purge("users").unwrap();
    keep(&recorder, "users", &[1, 2]);
    keep(&recorder, "orders", &[3]);
    recorder.purge("users").unwrap();
    keep(&recorder, "users", &[4]);
    recorder.finish();
    drop(recorder);
    assert_eq!(items(path, "users"), [4]);
    let recorder = Recorder::start(path).unwrap();
    recorder.purge("users").unwrap();
    assert!(recorder.finish().failures.is_empty());
    assert!(!path.join("users.msgpack").exists());
    assert_eq!(items(path, "orders"), [3]);
}

#[test]
fn an_item_that_a_killed_run_cut_off_is_taken_out() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let recorder = Recorder::start(path).unwrap();
    keep(&recorder, "users", &[1, 2]);
    recorder.finish();
    drop(recorder);
    let mut options = OpenOptions::new();
    let mut file = options
        .append(true)
        .open(path.join("users.msgpack"))
        .unwrap();
    file.write_all(b"\xce\0\0").unwrap();
    drop(file);
    let recorder = Recorder::start(path).unwrap();
    keep(&recorder, "users", &[3]);
    assert!(recorder.finish().failures.is_empty());
    let news = recorder.news();
    assert!(news[0].contains("users.msgpack was cut off"), "{news:?}");
    assert_eq!(items(path, "users"), [1, 2, 3]);
}

/// What is told when nothing can be recorded as `users`.
fn trouble(path: &Path) -> String {
    let recorder = Recorder::start(path).unwrap();
    let _ = recorder.keep("users", vec![1]);
    let ended = recorder.finish();
    assert_eq!(ended.names, [kept("users", 0, 1)]);
    let again = recorder.keep("users", vec![2]).unwrap_err();
    assert!(again.contains("nothing more is recorded"), "{again}");
    assert_eq!(recorder.news(), ended.failures);
    ended.failures.concat()
}

#[test]
fn a_file_of_something_else_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("users.msgpack");
    fs::write(&file, b"\xc1precious").unwrap();
    let message = trouble(directory.path());
    assert!(message.contains("no file of recorded items"), "{message}");
    assert_eq!(fs::read(&file).unwrap(), b"\xc1precious");
}

#[test]
fn what_is_no_file_is_not_recorded_into() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("users.msgpack");
    std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
    let message = trouble(directory.path());
    assert!(message.contains("is no file"), "{message}");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let message = trouble(directory.path());
    assert!(message.contains("users.msgpack"), "{message}");
}

#[test]
fn two_runs_do_not_record_into_one_file() {
    let directory = tempfile::tempdir().unwrap();
    let first = Recorder::start(directory.path()).unwrap();
    keep(&first, "users", &[1]);
    while fs::metadata(directory.path().join("users.msgpack")).map_or(0, |file| file.len()) == 0 {
        std::thread::yield_now();
    }
    let message = trouble(directory.path());
    assert!(message.contains("another run records into it"), "{message}");
    keep(&first, "users", &[2]);
    assert!(first.finish().failures.is_empty());
    drop(first);
    assert_eq!(items(directory.path(), "users"), [1, 2]);
}

#[test]
fn a_directory_that_cannot_be_written_is_refused() {
    let error = Recorder::start(Path::new("/proc/data"))
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("/proc/data"), "{error}");
}
