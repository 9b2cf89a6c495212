//! What is written down, in which order, and for how long that is waited for.

use super::*;
use crate::{
    engine::{Stop, happening::Reported},
    link::{Cover, Snapshot},
    stats::{CpuTime, Statistics},
};

const MILLISECOND: Duration = Duration::from_millis(1);

fn reported(runner: u32, until: u64, last: bool) -> Happening {
    let cover = Cover {
        worker: 0,
        first: until - 1,
        until,
        last,
        cpu: CpuTime::default(),
    };
    let snapshot = Snapshot {
        covers: vec![cover],
        statistics: Statistics::default(),
    };
    let reported = Reported::of(RunnerId(runner), snapshot);
    Happening {
        at: Duration::from_secs(until),
        what: What::Reported(Box::new(reported)),
    }
}

fn stop() -> Happening {
    Happening {
        at: Duration::ZERO,
        what: What::Stop(Stop::Gracefully),
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_runner_counted_in_one_second_never_comes_before_the_second_ahead_of_it() {
    let (journal, hand) = Journal::in_hand();
    let mut ledger = Ledger::new(Some(journal));
    for (runner, until, last) in [(0, 14, false), (1, 13, false), (2, 14, true), (1, 14, true)] {
        assert!(ledger.take(reported(runner, until, last)).is_none());
    }
    hand.keep();
    let kept = ledger.kept().await.ok().unwrap();
    let told = kept.batch.happenings.iter().map(|one| match &one.what {
        What::Reported(reported) => reported.covers.clone(),
        _ => Vec::new(),
    });
    let told = told.collect::<Vec<_>>().concat();
    let of = |runner| {
        let covers = told.iter().filter(move |(one, _)| *one == RunnerId(runner));
        covers.map(|(_, cover)| cover.until).collect::<Vec<_>>()
    };
    assert_eq!((of(0), of(1), of(2)), (vec![14], vec![13, 14], vec![14]));
    // Together where nothing speaks against it.
    assert_eq!(kept.batch.happenings.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn who_stops_a_run_does_not_wait_for_ever_for_what_nobody_keeps() {
    let (journal, hand) = Journal::in_hand();
    let mut ledger = Ledger::new(Some(journal));
    ledger.take(stop());
    hand.keep();
    let kept = ledger.kept().await.ok().unwrap();
    assert_eq!((kept.trouble, kept.batch.happenings.len()), (None, 1));
    // One that came in time has no part in what comes later.
    let tick = |at| Happening {
        at,
        what: What::Tick,
    };
    ledger.take(tick(MILLISECOND));
    let waited = tokio::time::timeout(PATIENCE * 10, ledger.kept()).await;
    assert!(waited.is_err());
    let begin = Instant::now();
    ledger.take(stop());
    let kept = ledger.kept().await.ok().unwrap();
    assert_eq!(begin.elapsed().as_secs(), PATIENCE.as_secs());
    assert!(kept.trouble.unwrap().contains("NATS does not answer"));
    assert_eq!(kept.batch.happenings.len(), 2);
    // From now on things are acted upon at once, and nobody waits for what is to be removed.
    assert!(ledger.take(stop()).is_some());
    ledger.close().await;
    drop(hand);
}
