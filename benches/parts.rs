//! What the parts of a worker cost that a run of a journey goes through, each on its own.
//!
//! ```console
//! cargo bench -p benches --bench parts
//! ```

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use mite::{
    Config,
    bench::{Collecting, Items, Pacer, Plan, Recorder, Snapshot},
};

/// Series of a large test that has not reached the cap.
const SERIES: u32 = 1000;

/// Times that go through many buckets of a histogram, as those of a server do.
fn times() -> impl Iterator<Item = Duration> {
    (0_u64..).map(|n| Duration::from_micros(500 + n.wrapping_mul(7919) % 20_000))
}

fn events(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("event to histogram");
    group.throughput(Throughput::Elements(1));
    let mut recorder = Recorder::new(SERIES as usize);
    let mut times = times();
    group.bench_function("a transaction begins and ends", |bencher| {
        bencher.iter(|| {
            let transaction = recorder.transaction(black_box("front page"));
            let time = times.next().unwrap_or_default();
            recorder.transaction_ended(transaction, time);
        });
    });
    let transaction = recorder.transaction("front page");
    group.bench_function("a request ends", |bencher| {
        bencher.iter(|| {
            let time = times.next().unwrap_or_default();
            recorder.request_ended(transaction, black_box("GET /item/:id"), time);
        });
    });
    group.finish();
}

/// A second of a worker that had so many transactions, ten of each with a request in it.
fn second(recorder: &mut Recorder, series: u32) {
    let mut times = times();
    for number in 0..series {
        let transaction = recorder.transaction(&format!("transaction {number}"));
        for time in times.by_ref().take(10) {
            recorder.transaction_ended(transaction, time);
            recorder.request_ended(transaction, "GET /item/:id", time);
        }
    }
}

fn snapshots(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("snapshot");
    // A second has to be made for each, which takes longer than what is measured.
    group.sample_size(10);
    for series in [1, 100, SERIES] {
        group.throughput(Throughput::Elements(series.into()));
        group.bench_function(format!("taken with {series} series"), |bencher| {
            let mut recorder = Recorder::new(SERIES as usize);
            bencher.iter_custom(|times| {
                let mut taking = Duration::ZERO;
                for _ in 0..times {
                    second(&mut recorder, series);
                    let began = Instant::now();
                    black_box(recorder.take());
                    taking += began.elapsed();
                }
                taking
            });
        });
        group.bench_function(format!("merged with {series} series"), |bencher| {
            let mut recorder = Recorder::new(SERIES as usize);
            second(&mut recorder, series);
            let mut total: Snapshot = recorder.take();
            second(&mut recorder, series);
            let next = recorder.take();
            bencher.iter_batched(
                || next.clone(),
                |next| total.merge(next),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

fn items(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pool checkout");
    group.throughput(Throughput::Elements(1));
    for count in [1, 100_000] {
        let mut items = Items::new(count);
        group.bench_function(format!("out of {count} items, and back"), |bencher| {
            bencher.iter(|| items.check_out_and_in());
        });
    }
    group.finish();
}

fn pacer(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pacer");
    group.throughput(Throughput::Elements(1));
    for (name, plan) in [
        ("evenly spaced", Plan::Even),
        ("Poisson", Plan::Poisson),
        ("a ramp", Plan::Ramp),
    ] {
        let mut pacer = Pacer::new(plan);
        group.bench_function(format!("the next start, {name}"), |bencher| {
            bencher.iter(|| {
                let next = pacer.next_start();
                if next.is_none() {
                    pacer = Pacer::new(plan);
                }
                next
            });
        });
    }
    group.finish();
}

fn collecting(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("collect");
    group.throughput(Throughput::Elements(1));
    let mut secrets = Config::default();
    secrets
        .set("password", "swordfish")
        .set("api_token", "s3cr3t");
    let time = Duration::from_micros(750);
    for (format, config, name) in [
        ("msgpack", Config::default(), "msgpack"),
        ("jsonl", Config::default(), "lines of JSON"),
        ("msgpack", secrets, "msgpack, with two secrets to mask"),
    ] {
        let Ok(mut collecting) = Collecting::new(format, &config) else {
            continue;
        };
        group.bench_function(format!("a request as {name}"), |bencher| {
            bencher.iter(|| collecting.request_ended("GET /item/:id", time));
        });
        group.bench_function(format!("a transaction as {name}"), |bencher| {
            bencher.iter(|| collecting.transaction_ended(time));
        });
    }
    group.finish();
}

/// Short, since each looks at a few nanoseconds; compare with `--baseline` where it matters.
fn short() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(1))
        .sample_size(50)
}

criterion_group! {
    name = benches;
    config = short();
    targets = events, snapshots, items, pacer, collecting
}
criterion_main!(benches);
