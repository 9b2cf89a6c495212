//! Disks that are slow, full and stuck, and what stands in the files then.

#[cfg(feature = "nats")]
mod bus;

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    path::Path,
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    thread::sleep,
    time::{Duration, Instant, UNIX_EPOCH},
};

use http::Method;
use serde_json::{Value, json};

use super::{
    CollectOptions, Collector, Ready, cat,
    directory::{Sheet, Shelf},
    format::Format,
    rolling::Roll,
};
use crate::{
    config::Config,
    event::{Event, Failure, HttpRequest, JourneyEnd, Outcome, Tap, Timings, TransactionEnd, What},
};

const NEVER: Roll = Roll {
    size: u64::MAX,
    time: Duration::from_secs(3600),
};

/// A disk that takes bytes as the test lets it.
#[derive(Clone, Default)]
struct Disk {
    files: Arc<Mutex<Vec<Vec<u8>>>>,
    /// A write waits for each word from here, until nobody can say one any more.
    gate: Option<Arc<Mutex<Receiver<()>>>>,
    /// How many bytes a file may have.
    file_limit: Option<usize>,
}

struct Page {
    disk: Disk,
    number: usize,
}

impl Disk {
    fn gated() -> (Self, Sender<()>) {
        let (open, gate) = channel();
        let gate = Some(Arc::new(Mutex::new(gate)));
        let disk = Self {
            gate,
            ..Self::default()
        };
        (disk, open)
    }

    fn start(&self) -> Collector {
        self.start_as(Format::MessagePack)
    }

    fn start_as(&self, format: Format) -> Collector {
        let ready = Ready::on(Box::new(self.clone()), format, NEVER);
        ready.start("shop::evening", 3).unwrap()
    }

    /// The records of all files, each of which has to be whole.
    fn records(&self) -> Vec<Value> {
        let files = self.files.lock().unwrap();
        files.iter().flat_map(|file| read(file)).collect()
    }
}

impl Shelf for Disk {
    fn begin(&mut self) -> io::Result<Box<dyn Sheet>> {
        let mut files = self.files.lock().unwrap();
        files.push(Vec::new());
        Ok(Box::new(Page {
            disk: self.clone(),
            number: files.len() - 1,
        }))
    }

    fn name(&self) -> String {
        "the disk".to_owned()
    }
}

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(gate) = &self.disk.gate {
            let _ = gate.lock().unwrap().recv();
        }
        let mut files = self.disk.files.lock().unwrap();
        let file = &mut files[self.number];
        let limit = self.disk.file_limit.unwrap_or(usize::MAX);
        let room = limit.saturating_sub(file.len()).min(bytes.len());
        if room == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        file.extend(&bytes[..room]);
        Ok(room)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sheet for Page {
    fn cut(&mut self, length: u64) -> io::Result<()> {
        let mut files = self.disk.files.lock().unwrap();
        files[self.number].truncate(length as usize);
        Ok(())
    }

    #[cfg(feature = "nats")]
    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }
}

fn read(file: &[u8]) -> Vec<Value> {
    let mut text = Vec::new();
    cat(file, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn tap(collector: &Collector, config: &Config) -> Box<dyn Tap> {
    collector.taps()(config, UNIX_EPOCH + Duration::from_secs(1000))
}

fn tell(tap: &mut dyn Tap, at: f64, what: What<'_>) {
    let event = Event {
        at: Duration::from_secs_f64(at),
        journey: "shop::sign_in",
        transaction: "sign in :: log in",
        what,
    };
    tap.event(&event, 0xabc);
}

/// So many events of this size, with the number of each.
fn send(tap: &mut dyn Tap, numbers: std::ops::Range<u64>, bytes: usize) {
    for number in numbers {
        let value = json!({"number": number, "filling": "x".repeat(bytes)});
        let kind = "sent";
        let value = &value;
        tell(tap, number as f64, What::Custom { kind, value });
    }
}

/// The events in the records, and those that they say are missing.
fn count(records: &[Value]) -> (u64, u64) {
    let gaps = records.iter().filter(|record| record["type"] == "gap");
    let events = records.iter().filter(|record| record["type"] != "gap");
    let missing = gaps.map(|gap| gap["events"].as_u64().unwrap()).sum();
    (events.count() as u64, missing)
}

#[test]
fn a_slow_disk_holds_no_worker_up_and_the_gap_stands_where_events_are_missing() {
    let (disk, open) = Disk::gated();
    let collector = disk.start();
    let mut taps = [0, 1].map(|_| tap(&collector, &Config::default()));
    // Three times what may wait. Nothing is written meanwhile, so whoever waited would wait for ever.
    for tap in &mut taps {
        send(tap.as_mut(), 0..500, 100_000);
    }
    drop(open);
    let deadline = Instant::now() + Duration::from_secs(30);
    while collector.taken() > 0 {
        assert!(Instant::now() < deadline, "the disk is not slow any more");
        sleep(Duration::from_millis(5));
    }
    for tap in &mut taps {
        send(tap.as_mut(), 500..510, 100);
        tap.flush();
    }
    let collected = collector.finish();
    let records = disk.records();
    let (events, missing) = count(&records);
    assert_eq!(events + missing, 1020);
    assert!(missing > 400, "{missing}");
    assert_eq!((collected.events, collected.missing), (events, missing));
    assert!(collected.failures.is_empty(), "{:?}", collected.failures);

    let gaps: Vec<_> = (0..records.len())
        .filter(|index| records[*index]["type"] == "gap")
        .collect();
    assert_eq!(gaps.len(), 2, "one for each worker");
    for index in gaps {
        let (gap, next) = (&records[index], &records[index + 1]);
        assert_eq!(next["number"], 500, "what comes after is not missing");
        let lost = gap["events"].as_u64().unwrap();
        assert_eq!(gap["start_time"], json!(1000.0 + (500 - lost) as f64));
        assert_eq!(gap["time"], json!(1499.0));
        assert_eq!(gap["test"], "shop::evening");
        assert_eq!(gap["runner_id"], 3);
    }
}

#[test]
fn a_disk_that_is_full_leaves_whole_records_and_tells_the_rest() {
    let disk = Disk {
        file_limit: Some(200_000),
        ..Disk::default()
    };
    let mut collector = disk.start();
    let mut tap = tap(&collector, &Config::default());
    send(tap.as_mut(), 0..1000, 1000);
    // This one fits nowhere.
    send(tap.as_mut(), 1000..1001, 300_000);
    send(tap.as_mut(), 1001..1010, 10);
    tap.flush();
    while collector.taken() > 0 {
        sleep(Duration::from_millis(5));
    }
    let news = collector.news();
    assert_eq!(news.len(), 1, "once, while the run goes on: {news:?}");
    assert!(news[0].contains("in the disk: "), "{news:?}");
    assert!(collector.news().is_empty());
    let collected = collector.finish();
    let (events, missing) = count(&disk.records());
    assert_eq!(events + missing, 1010);
    assert!(missing > 0 && events > 500, "{events}");
    assert_eq!((collected.events, collected.missing), (events, missing));
    let files = disk.files.lock().unwrap();
    let with_content = files.iter().filter(|file| !file.is_empty()).count();
    assert_eq!(collected.files, with_content as u64);
    let bytes: usize = files.iter().map(Vec::len).sum();
    assert_eq!(collected.bytes, bytes as u64);
}

#[test]
fn a_disk_that_takes_nothing_is_told_with_all_that_is_missing() {
    let disk = Disk {
        file_limit: Some(0),
        ..Disk::default()
    };
    let collector = disk.start();
    let mut tap = tap(&collector, &Config::default());
    send(tap.as_mut(), 0..700, 1000);
    tap.flush();
    let collected = collector.finish();
    assert_eq!((collected.events, collected.missing), (0, 700));
    assert_eq!((collected.files, collected.bytes), (0, 0));
    assert_eq!(collected.failures.len(), 1, "{:?}", collected.failures);
}

#[test]
fn a_disk_that_stands_still_does_not_keep_the_run_from_ending() {
    let (disk, open) = Disk::gated();
    let collector = disk.start();
    let mut tap = tap(&collector, &Config::default());
    send(tap.as_mut(), 0..100, 10);
    tap.flush();
    let collected = collector.finish_within(Duration::from_millis(200));
    assert_eq!((collected.events, collected.missing), (0, 100));
    assert!(collected.failures[0].contains("no more of the collected"));
    drop(open);
}

#[test]
fn what_a_stuck_worker_has_not_passed_on_is_missing() {
    let disk = Disk::default();
    let collector = disk.start();
    let mut tap = tap(&collector, &Config::default());
    send(tap.as_mut(), 0..10, 10);
    tap.flush();
    send(tap.as_mut(), 10..13, 10);
    let collected = collector.finish();
    assert_eq!((collected.events, collected.missing), (10, 3));
}

#[test]
fn an_event_that_cannot_be_written_is_a_gap() {
    let disk = Disk::default();
    let collector = disk.start();
    let mut tap = tap(&collector, &Config::default());
    send(tap.as_mut(), 0..1, 10);
    let deep = (0..100).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
    let (kind, value) = ("sent", &deep);
    tell(tap.as_mut(), 1.0, What::Custom { kind, value });
    send(tap.as_mut(), 2..3, 10);
    tap.flush();
    collector.finish();
    let records = disk.records();
    let kinds: Vec<_> = records.iter().map(|record| &record["type"]).collect();
    assert_eq!(kinds, ["sent", "gap", "sent"]);
    assert_eq!(count(&records), (2, 1));
}

/// One event of each kind.
fn one_of_each(tap: &mut dyn Tap) {
    let seconds = Duration::from_secs_f64;
    tell(
        tap,
        2.0,
        What::Http(&HttpRequest {
            name: "GET /basket",
            method: &Method::GET,
            status: Some(200),
            failed: false,
            sent: true,
            error: None,
            timings: &Timings {
                sent: Some(seconds(0.125)),
                first_byte: Some(seconds(0.25)),
                total: seconds(0.5),
                bytes_sent: 60,
                bytes_received: 160,
                remote_addr: Some(([127, 0, 0, 1], 80).into()),
                ..Timings::default()
            },
            labels: &[("shop".into(), json!("north")), ("shop".into(), json!(7))],
        }),
    );
    tell(
        tap,
        3.0,
        What::Transaction(&TransactionEnd {
            time: seconds(0.75),
            failed: true,
        }),
    );
    tell(
        tap,
        4.0,
        What::Failure(&Failure {
            kind: "error",
            message: "http://joe:pass@shop.test/ says swordfish",
            location: "src/main.rs:12",
        }),
    );
    tell(
        tap,
        5.0,
        What::Journey(&JourneyEnd {
            outcome: Outcome::Failed,
            service_time: seconds(1.5),
            response_time: seconds(2.0),
            start_delay: Some(seconds(0.5)),
        }),
    );
    for value in [
        json!({"item": 17, "names": ["swordfish"], "password": "x", "tokens": 3}),
        json!({"time": 5, "deep": {"password": "x"}}),
        json!("alone"),
    ] {
        let (kind, value) = ("order", &value);
        tell(tap, 6.0, What::Custom { kind, value });
    }
    tap.flush();
}

#[test]
fn every_event_is_a_record_with_the_common_keys_and_its_own() {
    let disk = Disk::default();
    let collector = disk.start();
    let mut config = Config::default();
    config.set("db_password", "swordfish");
    one_of_each(tap(&collector, &config).as_mut());
    collector.finish();
    let with = |kind: &str, time: f64, own: Value| {
        let mut record = json!({
            "type": kind, "time": time, "test": "shop::evening", "runner_id": 3,
            "journey": "shop::sign_in", "transaction": "sign in :: log in",
            "context_id": "0000000000000abc",
        });
        let own = own.as_object().unwrap().clone();
        record.as_object_mut().unwrap().extend(own);
        record
    };
    let wanted = [
        with(
            "http",
            1002.0,
            json!({
                "start_time": 1001.5, "name": "GET /basket", "method": "GET", "status": 200,
                "failed": false, "written": true, "total": 0.5, "sent": 0.125, "first_byte": 0.25,
                "bytes_sent": 60, "bytes_received": 160, "encoded_body_bytes": 0,
                "decoded_body_bytes": 0, "reused": false, "remote_addr": "127.0.0.1:80",
                "labels": {"shop": 7},
            }),
        ),
        with(
            "transaction",
            1003.0,
            json!({"start_time": 1002.25, "end_time": 1003.0, "total": 0.75, "had_error": true}),
        ),
        with(
            "error",
            1004.0,
            json!({
                "kind": "error", "message": "http://joe:***@shop.test/ says ***",
                "location": "src/main.rs:12",
            }),
        ),
        with(
            "journey",
            1005.0,
            json!({
                "outcome": "failed", "start_time": 1003.5, "service_time": 1.5,
                "response_time": 2.0, "start_delay": 0.5,
            }),
        ),
        with(
            "order",
            1006.0,
            json!({"item": 17, "names": ["***"], "password": "***", "tokens": 3}),
        ),
        with(
            "order",
            1006.0,
            json!({"value": {"time": 5, "deep": {"password": "***"}}}),
        ),
        with("order", 1006.0, json!({"value": "alone"})),
    ];
    assert_eq!(disk.records(), wanted);
}

#[test]
fn lines_of_json_have_the_same_records() {
    let (packed, lines) = (Disk::default(), Disk::default());
    for (disk, format) in [(&packed, Format::MessagePack), (&lines, Format::JsonLines)] {
        let collector = disk.start_as(format);
        one_of_each(tap(&collector, &Config::default()).as_mut());
        collector.finish();
    }
    let packed = packed.files.lock().unwrap()[0].clone();
    let mut shown = Vec::new();
    cat(&packed[..], &mut shown).unwrap();
    assert_eq!(
        String::from_utf8(shown).unwrap(),
        String::from_utf8(lines.files.lock().unwrap()[0].clone()).unwrap()
    );
}

/// The files of a directory with their contents, by name.
fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(directory).unwrap().map(Result::unwrap);
    entries
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read(entry.path()).unwrap())
        })
        .collect()
}

#[test]
fn files_are_named_when_they_are_finished_and_roll_by_size_and_time() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("new/events");
    let options = CollectOptions {
        directory: Some(path.clone()),
        roll_size: 100_000,
        roll_time: Duration::from_millis(300),
        ..CollectOptions::default()
    };
    let ready = Ready::open(&options).unwrap().unwrap();
    let collector = ready.start("test", 0).unwrap();
    let mut tap = tap(&collector, &Config::default());
    send(tap.as_mut(), 0..300, 1000);
    tap.flush();
    send(tap.as_mut(), 300..301, 1000);
    tap.flush();
    while collector.taken() > 0 {
        sleep(Duration::from_millis(5));
    }
    let settled = Instant::now() + Duration::from_secs(20);
    while files(&path).keys().any(|name| name.ends_with(".part")) {
        assert!(Instant::now() < settled, "the last file is old enough");
        sleep(Duration::from_millis(10));
    }
    let before = files(&path);
    assert!(before.len() >= 3, "{:?}", before.keys());
    let records: Vec<_> = before.values().flat_map(|file| read(file)).collect();
    let numbers: Vec<_> = records.iter().map(|record| &record["number"]).collect();
    assert_eq!(numbers, (0..301).collect::<Vec<_>>(), "in order of name");

    send(tap.as_mut(), 301..302, 10);
    tap.flush();
    let collected = collector.finish();
    let after = files(&path);
    assert_eq!(after.len(), before.len() + 1);
    assert_eq!(collected.files, after.len() as u64);
    assert!(after.keys().all(|name| name.ends_with(".msgpack")));
}

#[test]
fn a_run_without_events_leaves_no_file() {
    let directory = tempfile::tempdir().unwrap();
    let options = CollectOptions {
        directory: Some(directory.path().to_owned()),
        ..CollectOptions::default()
    };
    let ready = Ready::open(&options).unwrap().unwrap();
    assert_eq!(
        files(directory.path()).len(),
        1,
        "that it can be written is known"
    );
    drop(ready);
    assert!(files(directory.path()).is_empty());
    let ready = Ready::open(&options).unwrap().unwrap();
    ready.start("test", 0).unwrap().finish();
    assert!(files(directory.path()).is_empty());
}

#[test]
fn what_cannot_be_collected_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let refused = |options: CollectOptions| match Ready::open(&options) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("{options:?}"),
    };
    let into = |path: &Path| CollectOptions {
        directory: Some(path.to_owned()),
        ..CollectOptions::default()
    };
    let message = refused(into(&file));
    assert!(message.contains("has to be a directory"), "{message}");
    let message = refused(into(Path::new("/proc/events")));
    assert!(message.contains("/proc/events"), "{message}");
    let message = refused(CollectOptions {
        format: "xml".to_owned(),
        ..into(directory.path())
    });
    assert!(message.contains("msgpack or jsonl"), "{message}");
    let message = refused(CollectOptions {
        roll_size: 0,
        ..into(directory.path())
    });
    assert!(message.contains("above zero"), "{message}");
    assert!(Ready::open(&CollectOptions::default()).unwrap().is_none());
}
