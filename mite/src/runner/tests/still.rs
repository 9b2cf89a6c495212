//! A worker that stood still for a while: its controller, if it is elsewhere, may have given it up.

use tokio::time::advance;

use super::*;
use crate::stats::MachineFigures;

/// A hundred starts a second for ten seconds, of which the worker stands still for four after the
/// second; a second later it is told this.
async fn stand_still(is_elsewhere: bool, order: Order) -> Run {
    let bench = Bench::new::<Blink>(Policy::Shared, |runner| {
        if is_elsewhere {
            runner.machine = Some(Arc::new(MachineFigures::default));
        }
    });
    bench.plan(Constant::per_second(100, 10 * SECOND));
    let orders = bench.orders.clone();
    let pause = async {
        sleep(2 * SECOND).await;
        advance(4 * SECOND).await;
        sleep(SECOND).await;
        orders.send(order).unwrap();
    };
    let (run, ()) = tokio::join!(bench.run(10 * SECOND, 11 * SECOND), pause);
    run
}

/// What had been started when the run was so old.
fn started_by(run: &Run, second: u64) -> u64 {
    let snapshots = run.snapshots.iter();
    let until = snapshots.filter(|(_, until, _)| *until <= second);
    until.map(|(.., started)| started).sum()
}

#[tokio::test(start_paused = true)]
async fn it_starts_nothing_until_it_is_told_to_go_on_and_then_all_that_is_due() {
    let run = stand_still(true, Order::GoOn).await;
    assert!(
        (199..=201).contains(&started_by(&run, 7)),
        "{:?}",
        run.snapshots
    );
    assert_eq!(run.stood_still, 1);
    assert_eq!(run.journey().started, 1000);
    assert_eq!(run.journey().dropped, 0);
}

#[tokio::test(start_paused = true)]
async fn when_it_is_not_told_to_go_on_it_gives_up_what_came_due() {
    let run = stand_still(true, Order::Drain { at: 7 * SECOND }).await;
    let started = run.journey().started;
    assert!((199..=201).contains(&started), "{started}");
    assert_eq!(run.drained, 1);
}

#[tokio::test(start_paused = true)]
async fn a_controller_in_the_same_process_stood_still_with_it() {
    let run = stand_still(false, Order::GoOn).await;
    assert!(
        (699..=701).contains(&started_by(&run, 7)),
        "{:?}",
        run.snapshots
    );
    assert_eq!(run.stood_still, 0);
    assert_eq!(run.journey().started, 1000);
}
