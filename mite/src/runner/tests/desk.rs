//! The desk between workers and controller, with somebody in the place of both.

use tokio::time::Instant;

use super::*;
use crate::{
    id::RunnerId,
    link::{self, ControllerEnd, Cover, Snapshot},
    runner::desk::Desk,
    stats::CpuTime,
};

/// A desk at work, and its workers' way to it.
struct Office {
    controller: ControllerEnd,
    workers: UnboundedSender<(usize, Message)>,
    /// What the workers are told.
    orders: Vec<UnboundedReceiver<Order>>,
}

impl Office {
    fn open(workers: usize) -> Self {
        let settings = settings::<Blink>(Policy::Shared);
        let (controller, end) = link::local();
        let (sender, inbox) = unbounded_channel();
        let (order_senders, orders) = (0..workers).map(|_| unbounded_channel()).unzip();
        tokio::spawn(Desk::new(&settings, order_senders, end).serve(inbox));
        Self {
            controller,
            workers: sender,
            orders,
        }
    }

    fn report(&self, worker: u32, until: u64, last: bool) {
        let cover = Cover {
            worker,
            first: until - 1,
            until,
            last,
            cpu: CpuTime::default(),
        };
        let snapshot = Message::Snapshot(Box::new(Snapshot {
            covers: vec![cover],
            statistics: Statistics::default(),
        }));
        self.workers.send((worker as usize, snapshot)).unwrap();
    }

    /// The next snapshot: up to when, and of which workers; `None` at the last word.
    async fn snapshot(&mut self) -> Option<(u64, Vec<u32>)> {
        loop {
            match self.controller.receive().await?.message {
                Message::Snapshot(snapshot) => {
                    let covers = snapshot.covers.iter();
                    return Some((snapshot.until(), covers.map(|cover| cover.worker).collect()));
                }
                Message::Bye => return None,
                _ => {}
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_runner_says_one_thing_a_second_however_many_workers_it_has() {
    let mut office = Office::open(3);
    for until in 1..=3 {
        let over = Instant::now();
        for worker in [2, 0, 1] {
            sleep(10 * MILLISECOND).await;
            office.report(worker, until, false);
        }
        assert_eq!(office.snapshot().await, Some((until, vec![2, 0, 1])));
        assert_eq!(over.elapsed(), 30 * MILLISECOND, "nothing is held back");
        sleep(SECOND).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_is_stuck_holds_the_others_back_for_a_moment_only() {
    let mut office = Office::open(3);
    let over = Instant::now();
    office.report(0, 1, false);
    office.report(1, 1, false);
    assert_eq!(office.snapshot().await, Some((1, vec![0, 1])));
    assert!(over.elapsed() <= 110 * MILLISECOND, "{:?}", over.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_waits_at_the_end_is_told_before_the_last_word() {
    let mut office = Office::open(2);
    office.controller.send(RunnerId(0), Order::Cut);
    assert_eq!(office.orders[1].recv().await, Some(Order::Cut));
    office.report(0, 1, false);
    office.report(0, 2, true);
    office.workers.send((0, Message::Bye)).unwrap();
    // The other is stuck in blocking code and left behind.
    assert_eq!(office.snapshot().await, Some((1, vec![0])));
    assert_eq!(office.snapshot().await, Some((2, vec![0])));
    assert_eq!(office.snapshot().await, None);
}

#[tokio::test(start_paused = true)]
async fn all_workers_hear_that_the_data_is_used_up_before_they_hear_of_the_end() {
    let (controller, runner) = link::local();
    let (orders, mut heard): (Vec<_>, Vec<_>) = (0..2).map(|_| unbounded_channel()).unzip();
    let (messages, inbox) = unbounded_channel();
    let settings = settings::<Blink>(Policy::Once);
    let desk = Desk::new(&settings, orders, runner);
    let to = |order| controller.send(RunnerId(0), order);
    let used_up = Order::Data {
        entry: ENTRY,
        order: lease::Order::Exhausted,
    };
    to(used_up.clone());
    to(Order::Drain { at: SECOND });
    to(Order::Cut);
    for worker in 0..2 {
        messages.send((worker, Message::Bye)).unwrap();
    }
    desk.serve(inbox).await;
    // Neither has said that it waits for any.
    for worker in &mut heard {
        let mut orders = std::iter::from_fn(|| worker.try_recv().ok());
        assert_eq!(orders.next(), Some(used_up.clone()));
        assert_eq!(orders.next(), Some(Order::Drain { at: SECOND }));
    }
}
