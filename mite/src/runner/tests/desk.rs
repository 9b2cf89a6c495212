//! The desk between a runner's workers and its controller.

use super::*;
use crate::{id::RunnerId, link, runner::desk::Desk};

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
