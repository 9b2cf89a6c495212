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

    fn serve(&mut self, own_first: bool, actions: &mut Vec<Action<H>>) {
        let mut gifts: BTreeMap<H, Vec<Item>> = BTreeMap::new();
        if self.policy == Policy::Shared {
            if let Some(item) = self.idle.front() {
                for (name, holder) in self.holders.iter_mut().filter(|(_, h)| h.want() > 0) {
                    holder.given += holder.want() as u64;
                    gifts.insert(*name, vec![item.clone()]);
                }
                self.queue.clear();
            }
        } else {
            if !own_first {
                self.send_up(|debt, held| debt.owed_above_share(held));
            }
            self.share(Holder::need, &mut gifts);
            self.send_up(|debt, _| debt.owed());
            self.share(Holder::want, &mut gifts);
        }
        actions.extend(
            gifts
                .into_iter()
                .map(|(holder, items)| Action::Order(holder, Order::Give(items))),
        );
    }

    /// Gives idle items to those who are short of them, in turns when there are not enough.
    fn share(&mut self, short: fn(&Holder) -> usize, gifts: &mut BTreeMap<H, Vec<Item>>) {
        while !self.idle.is_empty() && !self.queue.is_empty() {
            let part = self.idle.len().div_ceil(self.queue.len());
            if !self.take_turns(part, short, gifts) {
                break;
            }
        }
    }

    /// Gives each in the queue up to `part` items; says whether anybody got one.
    fn take_turns(
        &mut self,
        part: usize,
        short: fn(&Holder) -> usize,
        gifts: &mut BTreeMap<H, Vec<Item>>,
    ) -> bool {
        let mut served = VecDeque::new();
        let mut passed_over = VecDeque::new();
        for name in std::mem::take(&mut self.queue) {
            let Some(holder) = self.holders.get_mut(&name) else {
                continue;
            };
            let count = short(holder).min(part).min(self.idle.len());
            if count == 0 {
                passed_over.push_back(name);
                continue;
            }
            let items = self.idle.drain(..count).collect::<Vec<_>>();
            holder.lend(&items);
            gifts.entry(name).or_default().extend(items);
            served.push_back(name);
        }
        let progress = !served.is_empty();
        passed_over.append(&mut served);
        passed_over.retain(|name| self.holders.get(name).is_some_and(|h| h.want() > 0));
        self.queue = passed_over;
        progress
    }

    /// Gives idle items to the broker above, as far as `owed` says.
    fn send_up(&mut self, owed: fn(&super::lease::Debt, usize) -> usize) {
        let held = self.held() + self.idle.len();
        if let Upstream::Relay(relay) = &mut self.upstream {
            let count = owed(&relay.debt, held).min(self.idle.len());
            relay.give_back(self.idle.drain(..count));
        }
    }

    /// Asks holders for items while others, or the broker above, are short of them.
    fn recall(&mut self, actions: &mut Vec<Action<H>>) {
        let (owed, above_share) = match &self.upstream {
            Upstream::Relay(relay) => (
                relay.debt.owed(),
                relay.debt.owed_above_share(self.held() + self.idle.len()),
            ),
            Upstream::Pool(_) => (0, 0),
        };
        let patient = !self.exhausted && self.upstream.may_bring_enough();
        let need = if patient { 0 } else { self.need() };
        let keep = match self.policy {
            Policy::Recycle => self.fair_share(above_share),
            // What is in use never comes free, so own starts always come first.
            Policy::Once | Policy::Shared => usize::MAX,
        };
        let (policy, sources) = (self.policy, self.holders.values());
        let sources = sources.filter(|h| h.can_give(policy, keep)).count();
        for (name, holder) in &mut self.holders {
            let others = owed + need.saturating_sub(holder.need());
            let order = if others > 0 && holder.can_give(policy, keep) {
                holder.recall(others, others.div_ceil(sources.max(1)), keep)
            } else if others > 0 && policy == Policy::Once {
                // It has said that it is empty; the debt stands for what it may yet receive.
                None
            } else {
                holder.release_from_recall()
            };
            actions.extend(order.map(|recall| Action::Order(*name, Order::Recall(recall))));
        }
    }

    /// How many items a holder may keep though others are short.
    ///
    /// It is rounded up, so that things come to rest, unless somebody has none at all or the
    /// broker above insists: then somebody has to give.
    fn fair_share(&self, above_share: usize) -> usize {
        let holders = self.holders.values();
        let involved = holders.clone().filter(|h| h.held() > 0 || h.need() > 0);
        let destitute = holders.clone().any(|h| h.held() == 0 && h.need() > 0);
        let involved = involved.count().max(1);
        let rest = self.held().saturating_sub(above_share);
        if destitute || above_share > 0 {
            rest / involved
        } else {
            rest.div_ceil(involved)
        }
    }

    /// Tells starving holders when there is nothing left, here, above or with another holder.
    fn conclude(&mut self, actions: &mut Vec<Action<H>>) {
        if !self.exhausted || !self.idle.is_empty() {
            return;
        }
        let policy = self.policy;
        let full = |holder: &Holder| match policy {
            Policy::Once => !holder.is_empty(),
            Policy::Recycle | Policy::Shared => holder.held() > 0,
        };
        let all_full = self.holders.values().filter(|h| full(h)).count();
        for (name, holder) in &mut self.holders {
            let others_full = match policy {
                Policy::Once => all_full - usize::from(full(holder)),
                Policy::Recycle | Policy::Shared => all_full,
            };
            if holder.need() > 0 && others_full == 0 {
                holder.dismissed = true;
                actions.push(Action::Order(*name, Order::Exhausted));
            }
        }
        let holders = &self.holders;
        self.queue
            .retain(|name| holders.get(name).is_some_and(|h| !h.dismissed));
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
