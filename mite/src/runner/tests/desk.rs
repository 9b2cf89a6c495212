//! The desk between workers and controller, with somebody in the place of both.

use tokio::{sync::watch, task::spawn_local, time::Instant};

use super::*;
use crate::{
    id::RunnerId,
    link::{self, ControllerEnd, Cover, Snapshot},
    runner::{Leaving, Wish, desk::Desk},
    stats::CpuTime,
};

/// A desk at work, and its workers' way to it.
struct Office {
    controller: ControllerEnd,
    workers: UnboundedSender<(usize, Message)>,
    /// What the workers are told.
    orders: Vec<UnboundedReceiver<Order>>,
    /// What its owner tells it.
    wish: watch::Sender<Wish>,
}

impl Office {
    fn open(workers: usize) -> Self {
        let mut settings = settings::<Blink>(Policy::Shared);
        let (wish, wishes) = watch::channel(Wish::Stay);
        let grace = 30 * SECOND;
        settings.leaving = Some(Leaving { wishes, grace });
        let (controller, end) = link::local();
        let (sender, inbox) = unbounded_channel();
        let (order_senders, orders) = (0..workers).map(|_| unbounded_channel()).unzip();
        spawn_local(Desk::new(&settings, order_senders, end).serve(inbox));
        Self {
            controller,
            workers: sender,
            orders,
            wish,
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
    let local = LocalSet::new();
    local
        .run_until(async {
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
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_is_stuck_holds_the_others_back_for_a_moment_only() {
    let local = LocalSet::new();
    local
        .run_until(async {
            let mut office = Office::open(3);
            let over = Instant::now();
            office.report(0, 1, false);
            office.report(1, 1, false);
            assert_eq!(office.snapshot().await, Some((1, vec![0, 1])));
            assert!(over.elapsed() <= 110 * MILLISECOND, "{:?}", over.elapsed());
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn what_waits_at_the_end_is_told_before_the_last_word() {
    let local = LocalSet::new();
    local
        .run_until(async {
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
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn all_workers_hear_that_the_data_is_used_up_before_they_hear_of_the_end() {
    let local = LocalSet::new();
    local
        .run_until(async {
            let mut office = Office::open(2);
            let used_up = Order::Data {
                entry: ENTRY,
                order: lease::Order::Exhausted,
            };
            for order in [used_up.clone(), Order::Drain { at: SECOND }] {
                office.controller.send(RunnerId(0), order);
            }
            // Neither has said that it waits for any.
            for orders in &mut office.orders {
                assert_eq!(orders.recv().await, Some(used_up.clone()));
                assert_eq!(orders.recv().await, Some(Order::Drain { at: SECOND }));
            }
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_runner_that_is_told_to_end_has_its_journeys_end_when_others_have_its_share() {
    let local = LocalSet::new();
    local
        .run_until(async {
            let mut office = Office::open(2);
            let clock = Instant::now();
            sleep(SECOND).await;
            office.wish.send_replace(Wish::Leave);
            while office.controller.receive().await.unwrap().message != Message::Leaving {}
            let at = clock.elapsed() + SECOND / 2;
            office.controller.send(RunnerId(0), Order::Release { at });
            for orders in &mut office.orders {
                assert_eq!(orders.recv().await, Some(Order::Drain { at }));
            }
            assert_eq!(clock.elapsed(), at, "it has its share until then");
            // It waits for the last journey, and for nobody's word after that.
            for worker in [0, 1] {
                sleep(5 * SECOND).await;
                assert!(office.orders[0].is_empty());
                office.workers.send((worker, Message::Drained)).unwrap();
            }
            for (worker, orders) in office.orders.iter_mut().enumerate() {
                assert_eq!(orders.recv().await, Some(Order::Cut));
                office.workers.send((worker, Message::Bye)).unwrap();
            }
            assert_eq!(clock.elapsed(), at + 10 * SECOND);
            assert_eq!(office.snapshot().await, None);
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn journeys_that_do_not_end_are_cut_after_the_grace_or_by_another_word() {
    let local = LocalSet::new();
    local
        .run_until(async {
            for told_again in [None, Some(3 * SECOND)] {
                let mut office = Office::open(1);
                let told = Instant::now();
                office.wish.send_replace(Wish::Leave);
                if let Some(after) = told_again {
                    sleep(after).await;
                    office.wish.send_replace(Wish::Go);
                }
                // Nobody answers that wish.
                assert_eq!(office.orders[0].recv().await, Some(Order::Cut));
                assert_eq!(told.elapsed(), told_again.unwrap_or(30 * SECOND));
            }
        })
        .await;
}
