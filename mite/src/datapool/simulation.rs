//! A whole network of brokers and stashes in random orders of events: what must hold in all.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use proptest::prelude::*;

use super::{
    Item, Policy, Stash,
    broker::{Action, Broker},
    lease::{Order, Report},
};
use crate::id::ItemId;

/// Runners by number, each with workers by number.
struct Network {
    policy: Policy,
    pool: ModelPool,
    controller: Broker<usize>,
    draws: VecDeque<usize>,
    runners: BTreeMap<usize, Runner>,
    /// Items that journeys of once-only entries have had.
    used: BTreeSet<u64>,
    dismissed: usize,
    at_hand: usize,
}

struct ModelPool {
    all: u64,
    idle: VecDeque<u64>,
    spent: BTreeSet<u64>,
    /// How many it gives at most for a draw.
    block: usize,
}

struct Runner {
    broker: Broker<usize>,
    up: VecDeque<Report>,
    down: VecDeque<Order>,
    workers: BTreeMap<usize, Worker>,
    dismissals: usize,
}

struct Worker {
    stash: Stash,
    up: VecDeque<Report>,
    down: VecDeque<Order>,
    waiting: usize,
    running: Vec<Item>,
    dismissals: usize,
}

/// What happens next; numbers choose among what there is.
#[derive(Clone, Copy, Debug)]
enum Event {
    Start(u8, u8, u8),
    GiveUp(u8, u8),
    Finish(u8, u8),
    Deliver(u8),
    AnswerDraw,
    Flush(u8, u8),
    WorkerDies(u8, u8),
    RunnerDies(u8),
    RunnerLeaves(u8),
}

impl Network {
    fn new(policy: Policy, items: u64, block: usize, shape: &[usize], at_hand: usize) -> Self {
        let worker = || Worker {
            stash: Stash::new(policy),
            up: VecDeque::new(),
            down: VecDeque::new(),
            waiting: 0,
            running: Vec::new(),
            dismissals: 0,
        };
        let runner = |workers: &usize| Runner {
            broker: Broker::relay(policy),
            up: VecDeque::new(),
            down: VecDeque::new(),
            workers: (0..*workers).map(|number| (number, worker())).collect(),
            dismissals: 0,
        };
        Self {
            policy,
            pool: ModelPool {
                all: items,
                idle: (0..items).collect(),
                spent: BTreeSet::new(),
                block,
            },
            controller: Broker::over_pool(policy),
            draws: VecDeque::new(),
            runners: shape.iter().map(runner).enumerate().collect(),
            used: BTreeSet::new(),
            dismissed: 0,
            at_hand,
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Start(runner, worker, count) => {
                self.at(runner, worker, |worker| {
                    worker.waiting += usize::from(count);
                });
            }
            Event::GiveUp(runner, worker) => {
                self.at(runner, worker, |worker| {
                    worker.waiting = worker.waiting.saturating_sub(1);
                });
            }
            Event::Finish(runner, worker) => self.at(runner, worker, Worker::finish_one),
            Event::Flush(runner, worker) => {
                self.at(runner, worker, |worker| {
                    worker.up.extend(worker.stash.flush());
                });
                if let Some(number) = self.runner(runner)
                    && let Some(runner) = self.runners.get_mut(&number)
                {
                    runner.up.extend(runner.broker.flush());
                }
            }
            Event::Deliver(choice) => self.deliver(usize::from(choice)),
            Event::AnswerDraw => self.answer_draw(),
            Event::WorkerDies(runner, worker) => self.kill_worker(runner, worker),
            Event::RunnerDies(runner) => {
                if let Some(number) = self.runner(runner) {
                    self.runners.remove(&number);
                    let actions = self.controller.lost(number);
                    self.carry_out(actions);
                }
            }
            Event::RunnerLeaves(runner) => {
                if let Some(number) = self.runner(runner) {
                    self.say_goodbye(number);
                }
            }
        }
        self.check();
    }

    fn runner(&self, choice: u8) -> Option<usize> {
        let numbers: Vec<_> = self.runners.keys().copied().collect();
        let index = usize::from(choice).checked_rem(numbers.len())?;
        Some(numbers[index])
    }

    fn at(&mut self, runner: u8, worker: u8, act: impl FnOnce(&mut Worker)) {
        let Some(number) = self.runner(runner) else {
            return;
        };
        let runner = self.runners.get_mut(&number).unwrap();
        let numbers: Vec<_> = runner.workers.keys().copied().collect();
        let Some(index) = usize::from(worker).checked_rem(numbers.len()) else {
            return;
        };
        let worker = runner.workers.get_mut(&numbers[index]).unwrap();
        act(worker);
        self.used.extend(worker.turn(self.policy, self.at_hand));
    }

    /// Delivers one message: the `choice`th of those that are first on their way.
    fn deliver(&mut self, choice: usize) {
        let mut ways = Vec::new();
        for (&number, runner) in &self.runners {
            if !runner.up.is_empty() {
                ways.push((number, None, true));
            }
            if !runner.down.is_empty() {
                ways.push((number, None, false));
            }
            for (&worker, state) in &runner.workers {
                if !state.up.is_empty() {
                    ways.push((number, Some(worker), true));
                }
                if !state.down.is_empty() {
                    ways.push((number, Some(worker), false));
                }
            }
        }
        let Some(index) = choice.checked_rem(ways.len()) else {
            return;
        };
        let (number, worker, up) = ways[index];
        let runner = self.runners.get_mut(&number).unwrap();
        match (worker, up) {
            (None, true) => {
                let report = runner.up.pop_front().unwrap();
                let actions = self.controller.report(number, report);
                self.carry_out(actions);
            }
            (None, false) => {
                let order = runner.down.pop_front().unwrap();
                runner.dismissals += usize::from(order == Order::Exhausted);
                let actions = runner.broker.obey(order);
                runner.carry_out(actions);
            }
            (Some(worker), true) => {
                let report = runner.workers.get_mut(&worker).unwrap().up.pop_front();
                let actions = runner.broker.report(worker, report.unwrap());
                runner.carry_out(actions);
            }
            (Some(worker), false) => {
                let worker = runner.workers.get_mut(&worker).unwrap();
                let order = worker.down.pop_front().unwrap();
                worker.dismissals += usize::from(order == Order::Exhausted);
                worker.stash.obey(order);
                self.used.extend(worker.turn(self.policy, self.at_hand));
            }
        }
    }

    fn answer_draw(&mut self) {
        if let Some(want) = self.draws.pop_front() {
            let (items, exhausted) = self.pool.checkout(want);
            let actions = self.controller.supply(items, exhausted);
            self.carry_out(actions);
        }
    }

    fn kill_worker(&mut self, runner: u8, worker: u8) {
        let Some(number) = self.runner(runner) else {
            return;
        };
        let runner = self.runners.get_mut(&number).unwrap();
        let numbers: Vec<_> = runner.workers.keys().copied().collect();
        if let Some(index) = usize::from(worker).checked_rem(numbers.len()) {
            runner.workers.remove(&numbers[index]);
            let actions = runner.broker.lost(numbers[index]);
            runner.carry_out(actions);
        }
    }

    /// Ends a runner's journeys and takes everything back that it has.
    fn say_goodbye(&mut self, number: usize) {
        let mut runner = self.runners.remove(&number).unwrap();
        // Orders that are still on their way to it and to its workers never arrive.
        for (name, mut worker) in std::mem::take(&mut runner.workers) {
            while !worker.running.is_empty() {
                worker.finish_one();
            }
            for report in std::mem::take(&mut worker.up) {
                let actions = runner.broker.report(name, report);
                runner.carry_out(actions);
            }
            let actions = runner.broker.leave(name, worker.stash.leave());
            runner.carry_out(actions);
        }
        let mut goodbye = Report::default();
        for action in runner.broker.close() {
            match action {
                Action::Report(report) => goodbye = report,
                other => panic!("a relay that closes cannot {other:?}"),
            }
        }
        for report in runner.up {
            let actions = self.controller.report(number, report);
            self.carry_out(actions);
        }
        let actions = self.controller.leave(number, goodbye);
        self.carry_out(actions);
    }

    fn carry_out(&mut self, actions: Vec<Action<usize>>) {
        for action in actions {
            match action {
                Action::Order(number, order) => {
                    self.dismissed += usize::from(order == Order::Exhausted);
                    if let Some(runner) = self.runners.get_mut(&number) {
                        runner.down.push_back(order);
                    }
                }
                Action::Draw(want) => self.draws.push_back(want),
                Action::Checkin { items, used } => self.pool.checkin(self.policy, &items, used),
                Action::Report(_) => panic!("the controller has nobody to report to"),
            }
        }
        assert!(self.draws.len() <= 1, "one draw at a time");
    }

    /// What must hold at all times: no item is in two places.
    fn check(&self) {
        let mut seen = BTreeSet::new();
        for id in self.places() {
            assert!(seen.insert(id), "item {id} is in two places");
        }
        for runner in self.runners.values() {
            assert!(runner.dismissals <= 1);
            assert!(runner.workers.values().all(|w| w.dismissals <= 1));
        }
    }

    /// Every item that exists somewhere it can still be used from.
    fn places(&self) -> Vec<u64> {
        let mut places: Vec<u64> = self.pool.idle.iter().copied().collect();
        places.extend(self.controller.idle_items());
        for runner in self.runners.values() {
            places.extend(runner.broker.idle_items());
            places.extend(in_reports(&runner.up).chain(in_orders(&runner.down)));
            for worker in runner.workers.values() {
                places.extend(worker.stash.items());
                places.extend(in_reports(&worker.up).chain(in_orders(&worker.down)));
                places.extend(worker.running.iter().map(|item| item.id.0));
            }
        }
        places
    }

    fn is_quiet(&self) -> bool {
        self.draws.is_empty()
            && self.runners.values().all(|runner| {
                let workers = &mut runner.workers.values();
                runner.up.is_empty()
                    && runner.down.is_empty()
                    && workers.all(|worker| worker.up.is_empty() && worker.down.is_empty())
            })
    }

    /// Lets everything be delivered; nothing else happens meanwhile.
    fn come_to_rest(&mut self) {
        for round in 0..5_000 {
            if self.is_quiet() {
                return;
            }
            self.deliver(round);
            self.answer_draw();
            self.check();
        }
        panic!("messages go round for ever");
    }

    /// Goes on until all that can start has started: journeys end one at a time.
    fn play_out(&mut self) {
        for _ in 0..10_000 {
            self.come_to_rest();
            let mut finished = false;
            for runner in self.runners.values_mut() {
                for worker in runner.workers.values_mut() {
                    finished |= !worker.running.is_empty();
                    worker.finish_one();
                    self.used.extend(worker.turn(self.policy, self.at_hand));
                }
            }
            if !finished {
                return;
            }
        }
        panic!("some journeys never get their turn");
    }

    fn waiting(&self) -> usize {
        let workers = self.runners.values().flat_map(|r| r.workers.values());
        workers.map(|worker| worker.waiting).sum()
    }
}

impl Runner {
    fn carry_out(&mut self, actions: Vec<Action<usize>>) {
        for action in actions {
            match action {
                Action::Order(number, order) => {
                    if let Some(worker) = self.workers.get_mut(&number) {
                        worker.down.push_back(order);
                    }
                }
                Action::Report(report) => self.up.push_back(report),
                Action::Draw(_) | Action::Checkin { .. } => panic!("a relay has no pool"),
            }
        }
    }
}

impl Worker {
    /// Starts what can start and says what is to be said; the items of new journeys.
    fn turn(&mut self, policy: Policy, at_hand: usize) -> Vec<u64> {
        let mut started = Vec::new();
        while self.waiting > 0
            && let Some(item) = self.stash.take()
        {
            self.waiting -= 1;
            started.push(item.id.0);
            self.running.push(item);
        }
        if self.stash.is_over() {
            self.waiting = 0;
        }
        self.up.extend(self.stash.report(self.waiting, at_hand));
        if policy == Policy::Once {
            started
        } else {
            Vec::new()
        }
    }

    fn finish_one(&mut self) {
        if !self.running.is_empty() {
            self.stash.put_back(self.running.remove(0));
        }
    }
}

impl ModelPool {
    fn checkout(&mut self, want: usize) -> (Vec<Item>, bool) {
        let count = want.min(self.block).min(self.idle.len());
        let items = self.idle.drain(..count).map(|id| Item {
            id: ItemId(id),
            data: Bytes::from_static(b"x"),
        });
        let items = items.collect();
        (items, self.idle.is_empty())
    }

    fn checkin(&mut self, policy: Policy, items: &[ItemId], used: bool) {
        for id in items {
            if policy == Policy::Once && used {
                assert!(self.spent.insert(id.0), "item {} is spent twice", id.0);
            } else {
                self.idle.push_back(id.0);
            }
        }
    }
}

fn in_reports(way: &VecDeque<Report>) -> impl Iterator<Item = u64> {
    way.iter()
        .flat_map(|report| &report.returned)
        .map(|item| item.id.0)
}

fn in_orders(way: &VecDeque<Order>) -> impl Iterator<Item = u64> {
    let given = way.iter().flat_map(|order| match order {
        Order::Give(items) => items.as_slice(),
        Order::Recall(_) | Order::Exhausted => &[],
    });
    given.map(|item| item.id.0)
}

fn event() -> impl Strategy<Value = Event> {
    let number = any::<u8>;
    prop_oneof![
        20 => (number(), number(), 1..4_u8).prop_map(|(r, w, n)| Event::Start(r, w, n)),
        2 => (number(), number()).prop_map(|(r, w)| Event::GiveUp(r, w)),
        20 => (number(), number()).prop_map(|(r, w)| Event::Finish(r, w)),
        80 => number().prop_map(Event::Deliver),
        10 => Just(Event::AnswerDraw),
        5 => (number(), number()).prop_map(|(r, w)| Event::Flush(r, w)),
        1 => (number(), number()).prop_map(|(r, w)| Event::WorkerDies(r, w)),
        1 => number().prop_map(Event::RunnerDies),
        1 => number().prop_map(Event::RunnerLeaves),
    ]
}

/// Items, the pool's block size, workers of each runner, items at hand, and what happens.
fn story() -> impl Strategy<Value = (u64, usize, Vec<usize>, usize, Vec<Event>)> {
    (
        1..25_u64,
        1..10_usize,
        prop::collection::vec(1..4_usize, 1..5),
        0..4_usize,
        prop::collection::vec(event(), 0..300),
    )
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(128)
    })]

    #[test]
    fn recyclable_items_are_never_lost_and_reach_all_who_wait(
        (items, block, shape, at_hand, events) in story()
    ) {
        let mut network = Network::new(Policy::Recycle, items, block, &shape, at_hand);
        for event in events {
            network.happen(event);
        }
        network.play_out();
        prop_assert_eq!(network.waiting(), 0, "a start waits though all items are free");
        prop_assert_eq!(network.dismissed, 0);
        let places: BTreeSet<u64> = network.places().into_iter().collect();
        prop_assert_eq!(places, (0..items).collect(), "every item is somewhere");
        for number in network.runners.keys().copied().collect::<Vec<_>>() {
            network.say_goodbye(number);
        }
        for action in std::mem::replace(
            &mut network.controller,
            Broker::over_pool(Policy::Recycle)
        ).close() {
            network.carry_out(vec![action]);
        }
        prop_assert_eq!(network.pool.idle.len() as u64, items, "the pool has all back");
    }

    #[test]
    fn once_only_items_are_used_lost_or_unused_and_the_end_is_told(
        (items, block, shape, at_hand, events) in story()
    ) {
        let mut network = Network::new(Policy::Once, items, block, &shape, at_hand);
        for event in events {
            network.happen(event);
        }
        network.play_out();
        let lost_on_the_way = network.controller.counts().lost;
        prop_assert_eq!(network.waiting(), 0, "a start waits for what will never come");
        for number in network.runners.keys().copied().collect::<Vec<_>>() {
            network.say_goodbye(number);
        }
        let lost = network.controller.counts().lost;
        prop_assert_eq!(lost, lost_on_the_way, "only deaths lose items");
        for action in std::mem::replace(
            &mut network.controller,
            Broker::over_pool(Policy::Once)
        ).close() {
            network.carry_out(vec![action]);
        }
        let pool = &network.pool;
        prop_assert_eq!(pool.spent.len() + pool.idle.len(), usize::try_from(pool.all).unwrap());
        prop_assert!(network.used.is_subset(&pool.spent), "what a journey had is spent");
        let unused = pool.spent.difference(&network.used).count() as u64;
        prop_assert!(unused <= lost, "nothing is spent but by a journey or a death");
    }

    #[test]
    fn without_deaths_starts_end_only_when_every_item_was_used(
        (items, block, shape, at_hand, events) in story()
    ) {
        let mut network = Network::new(Policy::Once, items, block, &shape, at_hand);
        let lively = |event: &Event| !matches!(
            event,
            Event::WorkerDies(..) | Event::RunnerDies(_)
        );
        for event in events.into_iter().filter(lively) {
            if network.runners.len() > 1 || !matches!(event, Event::RunnerLeaves(_)) {
                network.happen(event);
            }
        }
        for worker in 0..3 {
            network.happen(Event::Start(0, worker, 30));
        }
        network.play_out();
        prop_assert_eq!(network.used.len() as u64, items);
        prop_assert!(network.dismissed >= 1);
        prop_assert_eq!(network.controller.counts().lost, 0);
    }
}
