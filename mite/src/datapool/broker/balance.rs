//! What is there meets what is wanted: who is given items, who has to give some, who is told
//! that there are no more.

use std::collections::{BTreeMap, VecDeque};

use super::{
    super::lease::{Debt, Order},
    Action, Broker, Holder, Item, Policy, Upstream,
};

impl<H: Copy + Ord> Broker<H> {
    /// Gives away what is idle; recalled items go up first unless the starts here come first.
    pub(super) fn serve(&mut self, own_first: bool, actions: &mut Vec<Action<H>>) {
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
                self.send_up(Debt::owed_above_share);
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
    fn send_up(&mut self, owed: fn(&Debt, usize) -> usize) {
        let held = self.held() + self.idle.len();
        if let Upstream::Relay(relay) = &mut self.upstream {
            let count = owed(&relay.debt, held).min(self.idle.len());
            relay.give_back(self.idle.drain(..count));
        }
    }

    /// Asks holders for items while others, or the broker above, are short of them.
    pub(super) fn recall(&mut self, actions: &mut Vec<Action<H>>) {
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
    pub(super) fn conclude(&mut self, actions: &mut Vec<Action<H>>) {
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
}
