//! Runners that run no journeys, many in one process: what a controller and a link can bear.

use std::{
    io,
    time::{Duration, SystemTime},
};

use tokio::{
    runtime::{Builder, LocalOptions},
    task::spawn_local,
    time::{MissedTickBehavior, interval_at, sleep_until},
};

use super::{Recorder, Snapshot, Transaction};
use crate::{
    engine::fingerprint,
    error::{Error, Result},
    link::{
        self, Cover, Message, Order, Recruit,
        nats::{Options, Post, join},
    },
    stats::CpuTime,
};

/// A runner of which nothing is heard goes on for so long.
const ORPHAN_GRACE: Duration = Duration::from_secs(60);

/// Requests a second of each name that a runner says it has made.
const REQUESTS: u64 = 20;

/// Takes part in one run as so many runners of one worker, each of which reports requests of so
/// many names each second; gives when each heard of each new volume.
///
/// # Errors
/// When NATS cannot be reached, or a runner is not taken.
pub fn simulate(url: &str, runners: usize, names: usize) -> Result<Vec<SystemTime>> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())?;
    runtime.block_on(async {
        let all: Vec<_> = (0..runners)
            .map(|_| spawn_local(take_part(url.to_owned(), names)))
            .collect();
        let mut heard = Vec::new();
        for runner in all {
            heard.extend(runner.await.map_err(Error::other)??);
        }
        heard.sort_unstable();
        Ok(heard)
    })
}

async fn take_part(url: String, names: usize) -> Result<Vec<SystemTime>> {
    let options = Options {
        urls: vec![url],
        prefix: "mite".to_owned(),
        ..Options::default()
    };
    let fingerprint = fingerprint();
    let joining = join(&options, &fingerprint, ORPHAN_GRACE, || ());
    let Post {
        mut end,
        epoch,
        farewell,
        ..
    } = joining.await.map_err(Error::other)?;
    end.send(Message::Hello(Recruit {
        workers: 1,
        weight: 1,
        max_in_flight: 1000,
        host: "simulated".to_owned(),
    }));
    let started = loop {
        match end.receive().await {
            Some(Order::Begin { at, .. }) => break epoch + at,
            Some(Order::Cut) | None => return Err(Error::other(io::Error::other("not wanted"))),
            Some(_) => {}
        }
    };
    sleep_until(started).await;
    let mut work = Work::new(names);
    let second = Duration::from_secs(1);
    let mut seconds = interval_at(started + second, second);
    seconds.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut heard = Vec::new();
    loop {
        tokio::select! {
            _ = seconds.tick() => end.send(work.snapshot(started.elapsed().as_secs(), false)),
            order = end.receive() => match order {
                Some(Order::Target { .. }) => heard.push(SystemTime::now()),
                Some(Order::Drain { .. }) => end.send(Message::Drained),
                Some(Order::Cut) | None => break,
                Some(_) => {}
            },
        }
    }
    end.send(work.snapshot(started.elapsed().as_secs() + 1, true));
    end.send(Message::Bye);
    drop(end);
    let _ = farewell.await;
    Ok(heard)
}

/// What a runner pretends to have done.
struct Work {
    recorder: Recorder,
    names: Vec<(Transaction, String)>,
    reported: u64,
    random: fastrand::Rng,
}

impl Work {
    fn new(names: usize) -> Self {
        let mut recorder = Recorder::new(10_000);
        let name = |number| {
            let name = format!("GET /page/{number}");
            (recorder.transaction(&format!("page {number}")), name)
        };
        Self {
            names: (0..names).map(name).collect(),
            recorder,
            reported: 0,
            random: fastrand::Rng::with_seed(7),
        }
    }

    fn snapshot(&mut self, until: u64, last: bool) -> Message {
        for (transaction, name) in &self.names {
            for _ in 0..REQUESTS {
                let time = Duration::from_micros(self.random.u64(200..20_000));
                self.recorder.request_ended(*transaction, name, time);
                self.recorder.transaction_ended(*transaction, time);
            }
        }
        let Snapshot(statistics) = self.recorder.take();
        let first = std::mem::replace(&mut self.reported, until);
        let cover = Cover {
            worker: 0,
            first,
            until,
            last,
            cpu: CpuTime::default(),
        };
        Message::Snapshot(Box::new(link::Snapshot {
            covers: vec![cover],
            statistics,
        }))
    }
}
