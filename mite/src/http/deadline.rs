//! When requests must be over: one coarse list a worker instead of a timer a request.

use std::{
    cell::{Cell, RefCell},
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    rc::{Rc, Weak},
    task::{Context, Poll, Waker},
    time::Duration,
};

use slab::Slab;
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

/// The deadlines of the requests in flight on one worker.
///
/// Requests of the same timeout expire in the order they began, so each distinct timeout has a
/// list of its own that is only ever appended to and cut anywhere: entering and leaving are a few
/// stores. One task sleeps until the earliest of the lists' heads.
#[derive(Clone, Default)]
pub(super) struct Deadlines(Rc<Shared>);

#[derive(Default)]
struct Shared {
    lists: RefCell<Lists>,
    /// When the watching task means to wake; `None` while it has nothing to wait for.
    wakes_at: Cell<Option<Instant>>,
    watched: Cell<bool>,
    earlier: Rc<Notify>,
}

#[derive(Default)]
struct Lists {
    nodes: Slab<Node>,
    /// By timeout, of which there are few.
    ends: Vec<(Duration, Ends)>,
}

struct Node {
    at: Instant,
    timeout: Duration,
    waker: Waker,
    expired: bool,
    previous: Option<usize>,
    next: Option<usize>,
}

#[derive(Clone, Copy)]
struct Ends {
    first: usize,
    last: usize,
}

/// The time given to it was over before the future was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Expired;

impl Deadlines {
    /// Waits for `future` until `timeout` after `began`.
    pub(super) async fn limit<T>(
        &self,
        began: Instant,
        timeout: Duration,
        mut future: Pin<&mut impl Future<Output = T>>,
    ) -> Result<T, Expired> {
        let mut place = Place {
            deadlines: self,
            key: None,
        };
        poll_fn(|cx| {
            if place.is_expired() {
                return Poll::Ready(Err(Expired));
            }
            match future.as_mut().poll(cx) {
                Poll::Ready(output) => Poll::Ready(Ok(output)),
                Poll::Pending => {
                    place.wait(cx, began, timeout);
                    Poll::Pending
                }
            }
        })
        .await
    }

    fn enter(&self, at: Instant, timeout: Duration, waker: Waker) -> usize {
        let key = self.0.lists.borrow_mut().append(at, timeout, waker);
        if self.0.wakes_at.get().is_none_or(|wakes_at| at < wakes_at) {
            self.0.wakes_at.set(Some(at));
            self.watch();
        }
        key
    }

    /// Starts the task that watches the lists, or lets it know that it must wake earlier.
    fn watch(&self) {
        self.0.earlier.notify_one();
        if !self.0.watched.replace(true) {
            // It holds the lists weakly, so that it ends when the worker's connections go.
            let watcher = Rc::downgrade(&self.0);
            let earlier = Rc::clone(&self.0.earlier);
            tokio::task::spawn_local(watch(watcher, earlier));
        }
    }
}

async fn watch(deadlines: Weak<Shared>, earlier: Rc<Notify>) {
    loop {
        let Some(wakes_at) = deadlines.upgrade().map(|shared| shared.wakes_at.get()) else {
            return;
        };
        match wakes_at {
            None => earlier.notified().await,
            Some(at) => tokio::select! {
                () = sleep_until(at) => {}
                () = earlier.notified() => continue,
            },
        }
        let Some(shared) = deadlines.upgrade() else {
            return;
        };
        shared.expire(Instant::now());
    }
}

impl Shared {
    /// Wakes what is due, and finds out when the next is.
    fn expire(&self, now: Instant) {
        let mut due = Vec::new();
        let next = self.lists.borrow_mut().expire(now, &mut due);
        self.wakes_at.set(next);
        for waker in due {
            waker.wake();
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.earlier.notify_one();
    }
}

impl Lists {
    fn append(&mut self, at: Instant, timeout: Duration, waker: Waker) -> usize {
        let key = self.nodes.vacant_key();
        let previous = match self.ends_of(timeout) {
            Some(ends) => Some(std::mem::replace(&mut ends.last, key)),
            None => {
                let ends = Ends {
                    first: key,
                    last: key,
                };
                self.ends.push((timeout, ends));
                None
            }
        };
        if let Some(node) = previous.and_then(|previous| self.nodes.get_mut(previous)) {
            node.next = Some(key);
        }
        self.nodes.insert(Node {
            at,
            timeout,
            waker,
            expired: false,
            previous,
            next: None,
        })
    }

    fn ends_of(&mut self, timeout: Duration) -> Option<&mut Ends> {
        let mut lists = self.ends.iter_mut();
        lists.find(|(of, _)| *of == timeout).map(|(_, ends)| ends)
    }

    /// Takes a node out of its list; an expired one is in none any more.
    fn remove(&mut self, key: usize) {
        let Some(node) = self.nodes.try_remove(key) else {
            return;
        };
        if !node.expired {
            self.unlink(&node);
        }
    }

    fn unlink(&mut self, node: &Node) {
        let (Some(first), Some(last)) = (node.next.or(node.previous), node.previous.or(node.next))
        else {
            self.ends.retain(|(timeout, _)| *timeout != node.timeout);
            return;
        };
        if let Some(previous) = node.previous.and_then(|key| self.nodes.get_mut(key)) {
            previous.next = node.next;
        } else if let Some(ends) = self.ends_of(node.timeout) {
            ends.first = first;
        }
        if let Some(next) = node.next.and_then(|key| self.nodes.get_mut(key)) {
            next.previous = node.previous;
        } else if let Some(ends) = self.ends_of(node.timeout) {
            ends.last = last;
        }
    }

    /// Marks and unlinks what is due; returns when the next is.
    fn expire(&mut self, now: Instant, due: &mut Vec<Waker>) -> Option<Instant> {
        let mut earliest: Option<Instant> = None;
        let nodes = &mut self.nodes;
        self.ends.retain_mut(|(_, ends)| {
            while let Some(node) = nodes.get_mut(ends.first) {
                if node.at > now {
                    earliest = Some(earliest.map_or(node.at, |at| at.min(node.at)));
                    return true;
                }
                node.expired = true;
                due.push(std::mem::replace(&mut node.waker, Waker::noop().clone()));
                match node.next {
                    Some(next) => ends.first = next,
                    None => return false,
                }
                if let Some(next) = nodes.get_mut(ends.first) {
                    next.previous = None;
                }
            }
            false
        });
        earliest
    }
}

/// A future's place in the lists; it takes one when it first has to wait.
struct Place<'a> {
    deadlines: &'a Deadlines,
    key: Option<usize>,
}

impl Place<'_> {
    fn is_expired(&self) -> bool {
        self.key.is_some_and(|key| {
            let lists = self.deadlines.0.lists.borrow();
            lists.nodes.get(key).is_some_and(|node| node.expired)
        })
    }

    fn wait(&mut self, cx: &Context<'_>, began: Instant, timeout: Duration) {
        let Some(key) = self.key else {
            // A time too long to have an end has none.
            if let Some(at) = began.checked_add(timeout) {
                self.key = Some(self.deadlines.enter(at, timeout, cx.waker().clone()));
            }
            return;
        };
        if let Some(node) = self.deadlines.0.lists.borrow_mut().nodes.get_mut(key)
            && !node.waker.will_wake(cx.waker())
        {
            node.waker = cx.waker().clone();
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.deadlines.0.lists.borrow_mut().remove(key);
        }
    }
}

impl fmt::Debug for Deadlines {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lists = self.0.lists.borrow();
        write!(formatter, "Deadlines({})", lists.nodes.len())
    }
}

#[cfg(test)]
mod tests {
    use std::{future::pending, pin::pin};

    use tokio::{task::LocalSet, time::sleep};

    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    impl Deadlines {
        fn len(&self) -> (usize, usize) {
            let lists = self.0.lists.borrow();
            (lists.nodes.len(), lists.ends.len())
        }
    }

    async fn expires_after(deadlines: &Deadlines, timeout: Duration) -> Duration {
        let began = Instant::now();
        let outcome = deadlines.limit(began, timeout, pin!(pending::<()>())).await;
        assert_eq!(outcome, Err(Expired));
        began.elapsed()
    }

    fn near(got: Duration, wanted: Duration) {
        assert!(
            got >= wanted && got <= wanted + Duration::from_millis(2),
            "{got:?} is not {wanted:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn each_request_ends_at_its_own_deadline() {
        let deadlines = Deadlines::default();
        LocalSet::new()
            .run_until(async {
                let (long, short, middle) = tokio::join!(
                    expires_after(&deadlines, seconds(30)),
                    expires_after(&deadlines, seconds(1)),
                    async {
                        sleep(seconds(5)).await;
                        expires_after(&deadlines, seconds(1)).await
                    },
                );
                near(long, seconds(30));
                near(short, seconds(1));
                near(middle, seconds(1));
            })
            .await;
        assert_eq!(deadlines.len(), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn what_ends_in_time_leaves_nothing_behind_wherever_it_stood() {
        let deadlines = Deadlines::default();
        let task = |millis: u64| {
            let deadlines = deadlines.clone();
            async move {
                let work = pin!(sleep(Duration::from_millis(millis)));
                deadlines.limit(Instant::now(), seconds(1), work).await
            }
        };
        LocalSet::new()
            .run_until(async {
                let outcomes = tokio::join!(task(300), task(100), task(5000), task(400), task(200));
                assert_eq!(outcomes, (Ok(()), Ok(()), Err(Expired), Ok(()), Ok(())));
                near(expires_after(&deadlines, seconds(1)).await, seconds(1));
            })
            .await;
        assert_eq!(deadlines.len(), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_dropped_midway_does_not_hold_up_the_others() {
        let deadlines = Deadlines::default();
        LocalSet::new()
            .run_until(async {
                let (_, after) = tokio::join!(
                    tokio::time::timeout(
                        Duration::from_millis(10),
                        expires_after(&deadlines, seconds(1))
                    ),
                    expires_after(&deadlines, seconds(2)),
                );
                near(after, seconds(2));
            })
            .await;
        assert_eq!(deadlines.len(), (0, 0));
    }
}
