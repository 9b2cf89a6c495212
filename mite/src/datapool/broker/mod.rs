//! Who holds which item: shares the items of one source between holders.
//!
//! The same state machine runs in the controller, where the source is the pool and the holders are
//! runners, and in each runner, where the source is the controller and the holders are its
//! workers. It does no I/O: what is told to it comes back as [`Action`]s, to be carried out in
//! their order. The work an input costs grows with the number of holders, not of items.
//!
//! Idle items go first to holders whose starts wait, one after the other in the order they began
//! to wait; then upstream, when this broker is recalled itself; then to those who want some at
//! hand. When that is not enough, more is drawn from the source, and holders are recalled: each
//! gives what it does not use, and a recycling holder that has more than its fair share also what
//! comes free before its own starts are served.

mod balance;
mod holder;
#[cfg(test)]
mod tests;
mod upstream;

use std::collections::{BTreeMap, VecDeque};

use super::{
    Policy,
    lease::{Item, Order, Recall, Report, Wish},
};
use crate::id::ItemId;
use holder::Holder;
use upstream::{Pool, Relay, Upstream};

/// Shares the items of one scenario entry between holders.
#[derive(Debug)]
pub(crate) struct Broker<H> {
    policy: Policy,
    upstream: Upstream,
    holders: BTreeMap<H, Holder>,
    /// Holders that want something, in the order they are served.
    queue: VecDeque<H>,
    idle: VecDeque<Item>,
    /// Whether the source has nothing more.
    exhausted: bool,
    lost: u64,
}

/// What is to be done after an input, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action<H> {
    /// Tell the holder.
    Order(H, Order),
    /// Check so many items out of the pool and [`supply`](Broker::supply) what comes, be it
    /// nothing. Until then there is no second such action; after a checkout that gave nothing but
    /// did not exhaust the pool, wait a while before the next.
    Draw(usize),
    /// Check these items in to the pool.
    Checkin {
        /// The items.
        items: Vec<ItemId>,
        /// Whether a journey may have had them.
        used: bool,
    },
    /// Tell the broker above.
    Report(Report),
}

/// Where the items are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Idle here.
    pub(crate) idle: u64,
    /// With holders, idle or in use.
    pub(crate) outstanding: u64,
    /// Once-only items that were with a holder when it died.
    pub(crate) lost: u64,
    /// Starts that wait and for which there is nothing here.
    pub(crate) starved: u64,
}

impl<H: Copy + Ord> Broker<H> {
    /// A broker that draws from a pool: the controller's.
    pub(crate) fn over_pool(policy: Policy) -> Self {
        Self::new(policy, Upstream::Pool(Pool::default()))
    }

    /// A broker that is itself a holder of the one above: a runner's.
    pub(crate) fn relay(policy: Policy) -> Self {
        Self::new(policy, Upstream::Relay(Relay::default()))
    }

    fn new(policy: Policy, upstream: Upstream) -> Self {
        Self {
            policy,
            upstream,
            holders: BTreeMap::new(),
            queue: VecDeque::new(),
            idle: VecDeque::new(),
            exhausted: false,
            lost: 0,
        }
    }

    /// A holder says something. One that was not known is new and has nothing; a holder that was
    /// [`lost`](Broker::lost) must come back under a new name.
    pub(crate) fn report(&mut self, from: H, report: Report) -> Vec<Action<H>> {
        let mut actions = Vec::new();
        self.take_in(from, report, &mut actions);
        self.settle(actions)
    }

    /// The pool answers a [`Draw`](Action::Draw). When it failed: nothing, and exhausted.
    pub(crate) fn supply(&mut self, items: Vec<Item>, exhausted: bool) -> Vec<Action<H>> {
        if let Upstream::Pool(pool) = &mut self.upstream {
            pool.answered(items.len());
        }
        self.idle.extend(items);
        self.exhausted = exhausted;
        self.settle(Vec::new())
    }

    /// The broker above orders something.
    pub(crate) fn obey(&mut self, order: Order) -> Vec<Action<H>> {
        // What is given is for the starts that wait here, whatever is owed besides: to send it
        // straight back would keep it on the way for ever.
        let given = matches!(order, Order::Give(_));
        if let Upstream::Relay(relay) = &mut self.upstream {
            match order {
                Order::Give(items) => {
                    relay.asking.receive(items.len());
                    self.idle.extend(items);
                }
                Order::Recall(recall) => relay.debt.recall(recall),
                Order::Exhausted => self.exhausted = true,
            }
        }
        self.settle_with(Vec::new(), given)
    }

    /// A holder whose journeys are over says goodbye with its last report. What it does not
    /// account for was still on its way to it, so it is unused.
    pub(crate) fn leave(&mut self, holder: H, report: Report) -> Vec<Action<H>> {
        let mut actions = Vec::new();
        self.take_in(holder, report, &mut actions);
        let missed = self.forget(holder);
        self.restore(missed, &mut actions);
        self.settle(actions)
    }

    /// A holder died. Recyclable items return to the pool, once-only items are counted as lost.
    pub(crate) fn lost(&mut self, holder: H) -> Vec<Action<H>> {
        let mut actions = Vec::new();
        let taken_along = self.forget(holder);
        self.abandon(taken_along, &mut actions);
        self.settle(actions)
    }

    /// What has been spent since the last report upstream; to be asked for about once a second.
    pub(crate) fn flush(&mut self) -> Option<Report> {
        match &mut self.upstream {
            Upstream::Relay(relay) => relay.flush(),
            Upstream::Pool(_) => None,
        }
    }

    /// The end of the run: gives everything back. Holders that have not left are lost.
    ///
    /// The report among the actions of a relay, if any, is its goodbye.
    pub(crate) fn close(mut self) -> Vec<Action<H>> {
        let mut actions = Vec::new();
        for holder in self.holders.keys().copied().collect::<Vec<_>>() {
            let taken_along = self.forget(holder);
            self.abandon(taken_along, &mut actions);
        }
        if self.policy == Policy::Shared {
            return actions;
        }
        match self.upstream {
            Upstream::Pool(_) => {
                let items = self.idle.into_iter().map(|item| item.id).collect();
                let used = self.policy == Policy::Recycle;
                checkin(items, used, &mut actions);
            }
            Upstream::Relay(mut relay) => {
                relay.give_back(self.idle);
                actions.push(Action::Report(relay.goodbye()));
            }
        }
        actions
    }

    /// Whether no item is here or with a holder.
    pub(crate) fn is_empty(&self) -> bool {
        self.idle.is_empty() && self.held() == 0
    }

    /// Where the items are now.
    pub(crate) fn counts(&self) -> Counts {
        Counts {
            idle: self.idle.len() as u64,
            outstanding: self.held() as u64,
            lost: self.lost,
            starved: self.need() as u64,
        }
    }

    /// The numbers of the items that are here.
    #[cfg(test)]
    pub(super) fn idle_items(&self) -> impl Iterator<Item = u64> {
        self.idle.iter().map(|item| item.id.0)
    }

    fn take_in(&mut self, from: H, report: Report, actions: &mut Vec<Action<H>>) {
        let holder = self.holders.entry(from).or_default();
        let returned = holder.give_back(report.returned);
        if !returned.is_empty() {
            // What it gave is for others, so it waits behind them now.
            self.queue.retain(|queued| *queued != from);
        }
        let spent = holder.release(&report.spent);
        let abandoned = holder.release(&report.abandoned);
        let unused = holder.release(&report.unused);
        if let Some(received) = report.empty_after {
            holder.empty_after = Some(received);
        }
        if let Some(wish) = report.wish {
            holder.wish = wish;
        }
        if holder.want() > 0 && !self.queue.contains(&from) {
            self.queue.push_back(from);
        }
        self.idle.extend(returned);
        self.use_up(spent, actions);
        self.abandon(abandoned, actions);
        self.restore(unused, actions);
    }

    /// Forgets a holder; the items it had.
    fn forget(&mut self, holder: H) -> Vec<ItemId> {
        self.queue.retain(|queued| *queued != holder);
        self.holders
            .remove(&holder)
            .map(Holder::into_items)
            .unwrap_or_default()
    }

    fn use_up(&mut self, items: Vec<ItemId>, actions: &mut Vec<Action<H>>) {
        match &mut self.upstream {
            Upstream::Pool(_) => checkin(items, true, actions),
            Upstream::Relay(relay) => relay.spent.extend(items),
        }
    }

    fn abandon(&mut self, items: Vec<ItemId>, actions: &mut Vec<Action<H>>) {
        if self.policy == Policy::Recycle {
            self.refill(&items);
        } else {
            self.lost += items.len() as u64;
        }
        match &mut self.upstream {
            Upstream::Pool(_) => checkin(items, true, actions),
            Upstream::Relay(relay) => relay.abandoned.extend(items),
        }
    }

    fn restore(&mut self, items: Vec<ItemId>, actions: &mut Vec<Action<H>>) {
        self.refill(&items);
        let used = self.policy == Policy::Recycle;
        match &mut self.upstream {
            Upstream::Pool(_) => checkin(items, used, actions),
            Upstream::Relay(relay) => relay.unused.extend(items),
        }
    }

    /// Takes note that the source will have these again.
    fn refill(&mut self, items: &[ItemId]) {
        self.exhausted &= items.is_empty();
    }

    /// Brings what is there and what is wanted together, after every input.
    fn settle(&mut self, actions: Vec<Action<H>>) -> Vec<Action<H>> {
        self.settle_with(actions, false)
    }

    fn settle_with(&mut self, mut actions: Vec<Action<H>>, own_first: bool) -> Vec<Action<H>> {
        self.serve(own_first, &mut actions);
        let want = self.want();
        if let Upstream::Pool(pool) = &mut self.upstream
            && !self.exhausted
        {
            actions.extend(pool.draw(want).map(Action::Draw));
        }
        self.conclude(&mut actions);
        if self.policy != Policy::Shared {
            self.recall(&mut actions);
        }
        self.tell_upstream(&mut actions);
        actions
    }

    fn tell_upstream(&mut self, actions: &mut Vec<Action<H>>) {
        let empty = self.policy == Policy::Once
            && self.idle.is_empty()
            && self.holders.values().all(Holder::is_empty);
        let (want, need) = (self.want(), self.need());
        let wish = (!self.exhausted).then_some((want, need.min(want)));
        if let Upstream::Relay(relay) = &mut self.upstream {
            actions.extend(relay.report(wish, empty).map(Action::Report));
        }
    }

    fn want(&self) -> usize {
        let want = self.holders.values().map(Holder::want).sum();
        match self.policy {
            Policy::Shared => usize::min(want, 1),
            Policy::Recycle | Policy::Once => want,
        }
    }

    fn held(&self) -> usize {
        self.holders.values().map(Holder::held).sum()
    }

    fn need(&self) -> usize {
        self.holders.values().map(Holder::need).sum()
    }
}

fn checkin<H>(items: Vec<ItemId>, used: bool, actions: &mut Vec<Action<H>>) {
    if !items.is_empty() {
        actions.push(Action::Checkin { items, used });
    }
}
