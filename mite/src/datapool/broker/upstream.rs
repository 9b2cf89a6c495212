//! Where a broker's items come from: a pool, or the broker above.

use super::{
    super::lease::{Asking, Debt, Report},
    Item, ItemId,
};

/// The source of a broker.
#[derive(Debug)]
pub(super) enum Upstream {
    /// A pool, asked for one block at a time.
    Pool(Pool),
    /// The broker above, of which this one is a holder.
    Relay(Relay),
}

impl Upstream {
    /// Whether it is too early to bother other holders, since more may come from here.
    pub(super) fn may_bring_enough(&self) -> bool {
        matches!(self, Upstream::Pool(pool) if !pool.short)
    }
}

/// A pool as the broker sees it.
#[derive(Debug, Default)]
pub(super) struct Pool {
    drawing: Option<usize>,
    /// Whether it gave less than was asked the last time.
    short: bool,
}

impl Pool {
    /// How many to draw now, if any.
    pub(super) fn draw(&mut self, want: usize) -> Option<usize> {
        if want == 0 || self.drawing.is_some() {
            return None;
        }
        self.drawing = Some(want);
        self.drawing
    }

    /// Takes note of its answer.
    pub(super) fn answered(&mut self, items: usize) {
        self.short = self.drawing.take().is_some_and(|asked| items < asked);
    }
}

/// What is between this broker and the one above.
#[derive(Debug, Default)]
pub(super) struct Relay {
    pub(super) asking: Asking,
    pub(super) debt: Debt,
    pub(super) spent: Vec<ItemId>,
    pub(super) abandoned: Vec<ItemId>,
    pub(super) unused: Vec<ItemId>,
    returned: Vec<Item>,
    said_empty: Option<u64>,
}

impl Relay {
    /// Puts items into the next report.
    pub(super) fn give_back(&mut self, items: impl IntoIterator<Item = Item>) {
        let before = self.returned.len();
        self.returned.extend(items);
        self.debt.pay(self.returned.len() - before);
    }

    /// What has to be said now; `wish` is what is wanted and needed, `empty` whether no holder has
    /// anything unused.
    pub(super) fn report(&mut self, wish: Option<(usize, usize)>, empty: bool) -> Option<Report> {
        let received = self.asking.received();
        let newly_empty = empty && self.debt.owed() > 0 && self.said_empty != Some(received);
        if newly_empty {
            self.said_empty = Some(received);
        }
        let report = Report {
            wish: wish.and_then(|(want, need)| self.asking.revise(want, need, 1)),
            returned: std::mem::take(&mut self.returned),
            spent: Vec::new(),
            abandoned: std::mem::take(&mut self.abandoned),
            unused: std::mem::take(&mut self.unused),
            empty_after: newly_empty.then_some(received),
        };
        report.is_urgent().then(|| Report {
            spent: std::mem::take(&mut self.spent),
            ..report
        })
    }

    /// The items spent since the last report, if there are any.
    pub(super) fn flush(&mut self) -> Option<Report> {
        (!self.spent.is_empty()).then(|| Report {
            spent: std::mem::take(&mut self.spent),
            ..Report::default()
        })
    }

    /// Everything that was not said yet.
    pub(super) fn goodbye(self) -> Report {
        Report {
            returned: self.returned,
            spent: self.spent,
            abandoned: self.abandoned,
            unused: self.unused,
            ..Report::default()
        }
    }
}
