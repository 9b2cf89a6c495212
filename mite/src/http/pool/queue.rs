//! Who waits for a turn, first come first served.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    future::poll_fn,
    task::{Context, Poll, Waker},
};

/// Those who wait for something that is scarce.
///
/// Only the first is ever woken. When it has had its turn, or has given up, it wakes the next, who
/// looks whether there is more.
#[derive(Debug, Default)]
pub(in crate::http) struct Queue {
    waiting: RefCell<BTreeMap<u64, Waker>>,
    next: Cell<u64>,
}

impl Queue {
    /// Waits until it is this one's turn and `take` gives something.
    pub(in crate::http) async fn turn<T>(&self, mut take: impl FnMut() -> Option<T>) -> T {
        let mut ticket = Ticket {
            queue: self,
            number: None,
        };
        poll_fn(|cx| {
            if ticket.is_first()
                && let Some(taken) = take()
            {
                return Poll::Ready(taken);
            }
            ticket.wait(cx);
            Poll::Pending
        })
        .await
    }

    /// Lets the first look again.
    pub(in crate::http) fn wake_first(&self) {
        let first = self.waiting.borrow().values().next().cloned();
        if let Some(waker) = first {
            waker.wake();
        }
    }

    /// How many wait.
    pub(in crate::http) fn len(&self) -> usize {
        self.waiting.borrow().len()
    }

    /// Whether nobody waits, so that whoever comes need not either.
    pub(in crate::http) fn is_empty(&self) -> bool {
        self.waiting.borrow().is_empty()
    }
}

struct Ticket<'a> {
    queue: &'a Queue,
    /// None until it has to wait.
    number: Option<u64>,
}

impl Ticket<'_> {
    fn is_first(&self) -> bool {
        let waiting = self.queue.waiting.borrow();
        let first = waiting.keys().next().copied();
        first.is_none() || first == self.number
    }

    fn wait(&mut self, cx: &Context<'_>) {
        let number = *self.number.get_or_insert_with(|| {
            let number = self.queue.next.get();
            self.queue.next.set(number + 1);
            number
        });
        let mut waiting = self.queue.waiting.borrow_mut();
        waiting.insert(number, cx.waker().clone());
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let Some(number) = self.number else {
            return;
        };
        let was_first = self.is_first();
        self.queue.waiting.borrow_mut().remove(&number);
        if was_first {
            self.queue.wake_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, rc::Rc};

    use std::{future::Future, pin::Pin};

    use futures_util::FutureExt;

    use super::*;

    async fn is_ready(future: &mut Pin<Box<impl Future<Output = ()> + ?Sized>>) -> bool {
        poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_ready())).await
    }

    #[tokio::test]
    async fn turns_come_in_order_and_one_who_gives_up_is_passed_over() {
        let (queue, places) = (Queue::default(), Rc::new(Cell::new(0_usize)));
        let take = || {
            let left = places.get();
            places.set(left.checked_sub(1)?);
            Some(())
        };
        let (mut first, mut third) = (
            queue.turn(take).boxed_local(),
            queue.turn(take).boxed_local(),
        );
        let mut second = queue.turn(take).boxed_local();
        assert!(!is_ready(&mut first).await);
        assert!(!is_ready(&mut second).await);
        assert!(!is_ready(&mut third).await);
        places.set(1);
        assert!(!is_ready(&mut third).await, "it is not its turn");
        drop(first);
        assert!(!is_ready(&mut third).await);
        assert!(is_ready(&mut second).await);
        drop(second);
        assert!(!is_ready(&mut third).await, "nothing is left");
        places.set(1);
        assert!(is_ready(&mut third).await);
        drop(third);
        assert!(queue.is_empty());
    }
}
