//! Events on their way to a collector elsewhere, and what it writes.

use std::{fs, path::Path, time::UNIX_EPOCH};

use super::{Value, count, json, read, send};
use crate::{
    archive::{CollectOptions, Gathering, Parcel, Relay, Sender, Shipment},
    config::Config,
};

const LARGE: usize = 512 << 10;

fn relay(format: &str, waiting: usize) -> (Relay, Shipment) {
    let sender = Sender {
        run: 0x77,
        test: "shop::evening".to_owned(),
        runner: 3,
        name: 0x88,
    };
    Relay::new(sender, format, waiting).unwrap()
}

/// All that is sent until there is no more, of which `takes` says what arrives.
async fn sent(shipment: &mut Shipment, takes: impl Fn(&Parcel) -> bool) -> Vec<Parcel> {
    let mut arrived = Vec::new();
    while let Some(parcel) = shipment.next(LARGE).await {
        if takes(&parcel) {
            shipment.arrived();
            arrived.push(parcel);
        } else {
            shipment.lost();
        }
    }
    arrived
}

fn records(parcels: &[Parcel]) -> Vec<Value> {
    let parcels = parcels.iter();
    parcels.flat_map(|parcel| read(&parcel.records)).collect()
}

#[tokio::test]
async fn what_finds_no_room_and_what_is_not_taken_is_told_exactly() {
    let (relay, mut shipment) = relay("msgpack", 300_000);
    let mut tap = relay.taps()(&Config::default(), UNIX_EPOCH);
    // Ten times the room, of which nobody takes anything meanwhile.
    send(tap.as_mut(), 0..300, 10_000);
    let first = shipment.next(LARGE).await.unwrap();
    assert_eq!(first.number, 0);
    shipment.arrived();
    send(tap.as_mut(), 300..305, 10);
    tap.flush();
    drop(tap);
    relay.close();
    // The next is not taken, and neither is one in the middle.
    let mut parcels = vec![first];
    parcels.extend(sent(&mut shipment, |parcel| parcel.number != 1).await);
    let told = relay.relayed();
    let (events, missing) = count(&records(&parcels));
    assert_eq!((told.events, told.missing), (events, missing));
    assert_eq!(events + missing, 305);
    assert!(missing > 200, "{missing}");
    let bytes: usize = parcels.iter().map(|parcel| parcel.records.len()).sum();
    assert_eq!(told.bytes, bytes as u64);
}

#[tokio::test]
async fn where_nothing_is_taken_all_is_missing_and_it_ends() {
    let (relay, mut shipment) = relay("jsonl", 1 << 20);
    let mut tap = relay.taps()(&Config::default(), UNIX_EPOCH);
    send(tap.as_mut(), 0..50, 10_000);
    drop(tap);
    relay.close();
    assert!(sent(&mut shipment, |_| false).await.is_empty());
    let told = relay.relayed();
    // What the worker had not passed on by then is missing as well.
    assert_eq!((told.events, told.missing), (0, 50));
}

/// Three parcels of ten events each.
async fn three(format: &str) -> Vec<Parcel> {
    let (relay, mut shipment) = relay(format, 1 << 20);
    let mut tap = relay.taps()(&Config::default(), UNIX_EPOCH);
    let mut parcels = Vec::new();
    for start in [0, 10, 20] {
        send(tap.as_mut(), start..start + 10, 100);
        tap.flush();
        parcels.push(shipment.next(LARGE).await.unwrap());
        shipment.arrived();
    }
    parcels
}

fn open(directory: &Path) -> (Gathering, Vec<String>) {
    Gathering::open(&CollectOptions::default(), directory).unwrap()
}

fn files(directory: &Path, ending: &str) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(directory).unwrap();
    let files = entries.map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|found| found == ending))
        .collect();
    files.sort();
    files
}

/// The numbers of the events in files of this ending, in order.
fn numbers(directory: &Path, ending: &str) -> Vec<u64> {
    let texts = files(directory, ending).into_iter().map(|file| {
        let bytes = fs::read(file).unwrap();
        match ending {
            "jsonl" => {
                let text = String::from_utf8(bytes).unwrap();
                let lines = text.lines();
                lines
                    .map(|line| serde_json::from_str(line).unwrap())
                    .collect()
            }
            _ => read(&bytes),
        }
    });
    let records = texts.flat_map(|records: Vec<Value>| records);
    let mut numbers: Vec<_> = records
        .filter_map(|record| record["number"].as_u64())
        .collect();
    // Blocks have a number too.
    numbers.sort_unstable();
    numbers
}

#[tokio::test]
async fn what_a_killed_collector_wrote_is_known_again_wherever_it_was_killed() {
    for format in ["msgpack", "jsonl"] {
        let parcels = three(format).await;
        let whole = {
            let directory = tempfile::tempdir().unwrap();
            let (mut gathering, _) = open(directory.path());
            parcels
                .iter()
                .for_each(|parcel| gathering.write(parcel).unwrap());
            let gathered = gathering.finish(0x77).unwrap().unwrap();
            assert_eq!((gathered.events, gathered.files), (30, 1));
            let file = files(directory.path(), format).remove(0);
            assert_eq!(fs::metadata(&file).unwrap().len(), gathered.bytes);
            fs::read(file).unwrap()
        };
        let wanted = {
            let blocks = [0, 1, 2];
            let mut all: Vec<u64> = (0..30).chain(blocks).collect();
            all.sort_unstable();
            all
        };
        for length in (0..=whole.len()).step_by(97) {
            let directory = tempfile::tempdir().unwrap();
            let part = format!("20261122T200000Z-abcdef-0001.{format}.part");
            fs::write(directory.path().join(part), &whole[..length]).unwrap();
            let (mut gathering, _) = open(directory.path());
            // All come again, since nobody heard that they were written.
            parcels
                .iter()
                .for_each(|parcel| gathering.write(parcel).unwrap());
            gathering.finish(0x77).unwrap();
            assert_eq!(numbers(directory.path(), format), wanted, "cut at {length}");
            assert!(
                files(directory.path(), "part").is_empty() || length < 16,
                "{length}"
            );
        }
    }
}

#[tokio::test]
async fn files_of_others_are_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    // One of a run in one process that was killed.
    let other = at.join("20261122T200000Z-000000-0001.jsonl.part");
    fs::write(&other, format!("{}\n", json!({"type": "journey"}))).unwrap();
    let parcels = three("msgpack").await;
    // One that another collector is writing.
    let (mut living, notes) = open(at);
    assert!(notes.is_empty(), "{notes:?}");
    living.write(&parcels[0]).unwrap();
    let (_second, notes) = open(at);
    assert!(notes.is_empty(), "{notes:?}");
    living.write(&parcels[1]).unwrap();
    let gathered = living.finish(0x77).unwrap().unwrap();
    assert_eq!((gathered.events, gathered.files), (20, 1));
    assert!(other.exists());
    drop(living);
    assert_eq!(files(at, "msgpack").len(), 1);
}
