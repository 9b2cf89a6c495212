//! The closed model in one worker: so many users at once, each running its journey again and again.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    rc::Rc,
    time::Duration,
};

use tokio::{
    task::{spawn_local, yield_now},
    time::{Instant, sleep},
};

use super::{
    entry::{Entry, mix},
    meter::Meter,
    supply::Held,
    worker::Worker,
};
use crate::{
    context::User,
    id::EntryId,
    journey::{Run, Start, run_once},
    stats::UserTime,
    volume::{
        Unit,
        schedule::{Segment, Share, Timeline},
    },
};

/// How long a user waits after its journey failed to connect, at first and at most.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// How long, and for how many runs, a user keeps the thread to itself if its journey never waits.
///
/// To let others on is to ask the kernel what has happened, which takes as long as a journey that
/// does nothing. Up to sixty others have their turn before that.
const TURN: (Duration, u32) = (Duration::from_micros(20), 64);

/// The users of one entry.
pub(super) struct Users {
    seed: u64,
    timeline: Timeline,
    share: Share,
    present: Vec<Rc<User>>,
    /// When the target last changed, and when it will change next.
    changed: Duration,
    next_change: Option<Duration>,
    born: u64,
    /// Users there should be, as far as the spawn rate lets them.
    wanted: Meter,
    /// Users there are that have what they need.
    active: Meter,
    /// Whether the target was moving at some time since this was last reported.
    ramping: bool,
}

impl Users {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            timeline: Timeline::default(),
            share: Share::NONE,
            present: Vec::new(),
            changed: Duration::ZERO,
            next_change: None,
            born: 0,
            wanted: Meter::default(),
            active: Meter::default(),
            ramping: false,
        }
    }

    pub(super) fn retarget(&mut self, segment: &Segment, share: Share) {
        self.timeline.push(segment.clone());
        self.share = share;
    }

    /// How many user-seconds there were since this was last asked, ramps left out.
    pub(super) fn time(&mut self, now: Duration) -> UserTime {
        let in_flight = self.active.value();
        let wanted = self.wanted.take(now);
        let active = self.active.take(now);
        let ramping = self.is_ramping(now);
        let steady = !std::mem::replace(&mut self.ramping, ramping);
        let seconds = |amount: f64| Duration::try_from_secs_f64(amount).unwrap_or_default();
        UserTime {
            wanted: if steady {
                seconds(wanted)
            } else {
                Duration::ZERO
            },
            unmet: if steady {
                seconds(wanted - active)
            } else {
                Duration::ZERO
            },
            in_flight,
            peak: in_flight,
        }
    }

    /// Takes note of the changes of the target up to `now`.
    fn advance(&mut self, now: Duration) {
        self.timeline.forget_before(now);
        self.ramping |= self.is_ramping(now);
        if let Some(changed) = self.next_change.filter(|change| *change <= now) {
            self.changed = changed;
        }
    }

    /// Whether the target is on its way from one number to another at `now`.
    fn is_ramping(&self, now: Duration) -> bool {
        self.timeline.at(now).is_some_and(|segment| {
            segment.unit == Unit::Users
                && segment.start != segment.end
                && segment.until.is_some_and(|until| now < until)
        })
    }

    /// How many there are to be at `now`.
    fn target(&self, now: Duration) -> usize {
        usize::try_from(self.timeline.users_at(now, self.share)).unwrap_or(usize::MAX)
    }
}

impl Worker {
    /// Adds and sheds users, and says when there will be some to add or to shed next.
    pub(super) fn step_users(self: &Rc<Self>, entry: &Entry, now: Duration) -> Option<Duration> {
        if entry.over.get() || self.scope.is_stopping() {
            return None;
        }
        let mut users = entry.users.borrow_mut();
        users.advance(now);
        let target = users.target(now);
        while users.present.len() > target {
            if let Some(user) = users.present.pop() {
                user.leave();
            }
        }
        let gap = self.spawn_gap(&users);
        let mut room = true;
        while room && users.present.len() < target {
            let due = self.next_spawn.get().max(users.changed);
            if due > now {
                break;
            }
            room = self.has_room();
            if room {
                let wanted = users.present.len() as u64 + 1;
                users.wanted.set(due, wanted);
                self.next_spawn.set(due.saturating_add(gap));
                self.turn.set(entry.id.index() + 1);
                self.add_user(entry, &mut users, now);
            }
        }
        if !room || users.present.len() >= target {
            users.wanted.set(now, target as u64);
        }
        let next = users.timeline.next_users_change(now, users.share);
        users.next_change = next;
        let spawn = (room && users.present.len() < target).then(|| self.next_spawn.get());
        drop(users);
        self.report_data(entry);
        spawn.into_iter().chain(next).min()
    }

    /// Lets every user go at the end of its journey.
    pub(super) fn dismiss_users(&self, entry: &Entry) {
        let mut users = entry.users.borrow_mut();
        users.timeline = Timeline::default();
        let now = self.scope.clock().elapsed();
        users.wanted.set(now, 0);
        for user in users.present.drain(..) {
            user.leave();
        }
        drop(users);
        self.send_away(entry);
    }

    /// The time between two users this worker adds: the spawn rate is the whole run's.
    fn spawn_gap(&self, users: &Users) -> Duration {
        let seconds = 1.0 / (users.share.fraction() * self.spawn_rate);
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }

    fn add_user(self: &Rc<Self>, entry: &Entry, users: &mut Users, now: Duration) {
        let user = Rc::new(User::default());
        users.present.push(Rc::clone(&user));
        users.active.set(now, users.active.value() + 1);
        let number = users.born;
        users.born += 1;
        let seed = mix(mix(users.seed, users.share.name()), number);
        self.enter();
        let presence = Presence {
            worker: Rc::clone(self),
            entry: entry.id,
            active: true,
        };
        spawn_local(live(presence, user, seed));
    }
}

/// A user among those present; dropping it takes it out.
struct Presence {
    worker: Rc<Worker>,
    entry: EntryId,
    active: bool,
}

impl Presence {
    fn set_active(&mut self, active: bool) {
        if std::mem::replace(&mut self.active, active) == active {
            return;
        }
        let Some(entry) = self.worker.entry(self.entry) else {
            return;
        };
        let now = self.worker.scope.clock().elapsed();
        let meter = &mut entry.users.borrow_mut().active;
        let value = if active {
            meter.value() + 1
        } else {
            meter.value().saturating_sub(1)
        };
        meter.set(now, value);
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.set_active(false);
        self.worker.leave();
    }
}

/// What a user has had of the thread since it last left it to others.
struct Turn {
    since: Instant,
    now: Instant,
    runs: u32,
}

impl Turn {
    fn begin() -> Self {
        Self::at(Instant::now())
    }

    fn at(now: Instant) -> Self {
        Self {
            since: now,
            now,
            runs: 0,
        }
    }

    /// A run has ended.
    fn ran_until(&mut self, now: Instant, waited: bool) {
        if waited {
            *self = Self::at(now);
        } else {
            self.now = now;
            self.runs += 1;
        }
    }

    fn is_over(&self) -> bool {
        let (time, runs) = TURN;
        // After a wait there has been no run yet, and no time.
        self.runs > 0
            && (self.runs >= runs || self.now.saturating_duration_since(self.since) >= time)
    }
}

/// Runs the journey again and again until the user is to leave.
async fn live(mut presence: Presence, user: Rc<User>, seed: u64) {
    let worker = Rc::clone(&presence.worker);
    let Some(entry) = worker.entry(presence.entry) else {
        return;
    };
    let mut back_off = BACK_OFF.0;
    let mut turn = Turn::begin();
    for run in 0_u64.. {
        if user.is_leaving() || worker.is_cut() {
            break;
        }
        let held = match worker.take(entry) {
            Some(held) => held,
            None => {
                let Some(held) = Box::pin(data(&mut presence, entry, &user)).await else {
                    break;
                };
                turn = Turn::begin();
                held
            }
        };
        // What an async function has in a variable adds to its size, and what is moved into one is
        // copied; hence neither.
        let (Run { result, ended }, waited) = watched(pin!(run_once(
            &worker.scope,
            &entry.journey,
            held.data(),
            Start {
                entry: entry.id,
                seed: mix(seed, run),
                user: Some(Rc::clone(&user)),
                intended: None,
                at: turn.now,
            },
        )))
        .await;
        drop(held);
        turn.ran_until(ended, waited);
        if worker.attend(ended) {
            // What that took is not part of the next run.
            turn.now = Instant::now();
        }
        if result.is_err_and(|error| error.is_connect()) {
            if !Box::pin(back_off_for(back_off, &user)).await {
                break;
            }
            back_off = (back_off * 2).min(BACK_OFF.1);
            turn = Turn::begin();
        } else {
            back_off = BACK_OFF.0;
        }
        if turn.is_over() {
            yield_now().await;
            turn = Turn::begin();
        }
    }
}

/// Waits for so long; false when the user is told to leave before that.
async fn back_off_for(time: Duration, user: &User) -> bool {
    tokio::select! {
        () = sleep(time) => true,
        () = user.left() => false,
    }
}

/// What `future` gives, and whether it ever waited.
async fn watched<F: Future>(mut future: Pin<&mut F>) -> (F::Output, bool) {
    let mut waited = false;
    poll_fn(|task| {
        let polled = future.as_mut().poll(task);
        waited |= polled.is_pending();
        polled.map(|output| (output, waited))
    })
    .await
}

/// An item for the next run, once there is one; `None` when the user is to leave instead.
async fn data(presence: &mut Presence, entry: &Entry, user: &User) -> Option<Held> {
    let worker = Rc::clone(&presence.worker);
    presence.set_active(false);
    loop {
        if entry.over.get() {
            return None;
        }
        let called = entry.supply.queue();
        worker.report_data(entry);
        tokio::select! {
            called = called => called.ok()?,
            () = user.left() => return None,
        }
        if let Some(held) = worker.take(entry) {
            presence.set_active(true);
            return Some(held);
        }
    }
}
