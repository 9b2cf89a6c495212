//! A whole run on one clock: the controller and its sessions, the network, and machines with
//! runners.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    time::Duration,
};

use bytes::Bytes;

use super::{
    super::drive::FORESIGHT,
    SECOND,
    machine::{Call, Fate, Machine, Post},
    network::Network,
    worker::{Done, JOURNEY},
};
use crate::{
    controller::{Action, Controller, ControllerEntry, ControllerSettings, Outcome},
    datapool::{Item, Policy},
    id::{ItemId, RunnerId},
    link::{
        Heard, Message, Order, Recruit,
        conversation::Frame,
        lifeline::Down,
        sessions::{Hearing, Sessions},
    },
    volume::VolumeModel,
};

/// How often all look after what is late.
const BEAT: Duration = Duration::from_millis(100);
/// How long after the last runner has come the run begins.
const NOTICE: Duration = Duration::from_secs(1);

/// What is to happen.
pub(super) struct Forecast {
    pub(super) seed: u64,
    pub(super) volume: Box<dyn VolumeModel>,
    /// The items of a pool whose items are used once, if the journey takes data.
    pub(super) items: Option<u64>,
    /// How many runners are waited for.
    pub(super) wait_for: usize,
    pub(super) machines: Vec<Fate>,
    /// When the message system is away, which all see.
    pub(super) outages: Vec<Range<Duration>>,
    /// When the controller is killed.
    pub(super) controller_dies: Option<Duration>,
}

/// What came of it.
pub(super) struct Past {
    pub(super) outcome: Outcome,
    pub(super) done: Done,
    pub(super) pool: Pool,
    /// When the run began.
    pub(super) begun: Duration,
    /// When the controller was done.
    pub(super) ended: Duration,
    /// When all runners had gone or were dead.
    pub(super) quiet: Duration,
}

/// The source of the data.
#[derive(Debug, Default)]
pub(super) struct Pool {
    all: u64,
    drawn: u64,
    /// Those that came back for others to use.
    pub(super) unused: BTreeSet<ItemId>,
    /// Those that a journey has or may have had.
    pub(super) spent: BTreeSet<ItemId>,
}

#[derive(Clone)]
enum Parcel {
    Hello(u64),
    Up(Frame),
    Post(u64, Post),
}

struct World {
    now: Duration,
    network: Network<Parcel>,
    outages: Vec<Range<Duration>>,
    machines: Vec<Machine>,
    done: Done,
    sessions: Sessions,
    settings: Option<ControllerSettings>,
    wait_for: usize,
    /// Who has come before the beginning.
    here: BTreeMap<RunnerId, Recruit>,
    controller: Option<Controller>,
    begun: Duration,
    pool: Pool,
}

impl Forecast {
    /// Lets it happen. Nothing may take longer than `limit`.
    pub(super) fn come_true(self, limit: Duration) -> Past {
        let policy = match self.items {
            Some(_) => Policy::Once,
            None => Policy::Shared,
        };
        let entry = ControllerEntry {
            journey: JOURNEY.into(),
            volume: self.volume,
            policy,
        };
        let settings = ControllerSettings {
            entries: vec![entry],
            thresholds: Vec::new(),
            duration: None,
            graceful_stop: 30 * SECOND,
            warm_up: Duration::ZERO,
            foresight: FORESIGHT,
        };
        let machines = (0..).zip(self.machines);
        let machines = machines.map(|(number, fate)| Machine::new(number, fate, policy));
        let world = World {
            now: Duration::ZERO,
            network: Network::new(self.seed),
            outages: self.outages,
            machines: machines.collect(),
            done: Done::default(),
            sessions: Sessions::default(),
            settings: Some(settings),
            wait_for: self.wait_for,
            here: BTreeMap::new(),
            controller: None,
            begun: Duration::ZERO,
            pool: Pool {
                all: self.items.unwrap_or_default(),
                ..Pool::default()
            },
        };
        world.run(self.controller_dies, limit)
    }
}

impl World {
    fn run(mut self, dies: Option<Duration>, limit: Duration) -> Past {
        let is_dead = |now: Duration| dies.is_some_and(|dies| dies <= now);
        while !is_dead(self.now)
            && !self
                .controller
                .as_ref()
                .is_some_and(Controller::is_finished)
        {
            assert!(self.now < limit, "the run does not end");
            self.go_on(true);
        }
        let ended = self.now;
        let actions = self.controller.as_mut().unwrap().close();
        self.act(actions);
        let outcome = self.controller.take().unwrap().finish(ended - self.begun);
        // The link may still be busy with the last words, and then there is nobody any more.
        let farewell = ended + 2 * SECOND;
        while !is_dead(self.now) && self.now < farewell && !self.sessions.are_heard() {
            self.go_on(true);
        }
        let at_rest = |world: &Self| world.machines.iter().all(|one| one.is_at_rest(world.now));
        while !at_rest(&self) {
            assert!(self.now < ended + limit, "a runner does not leave");
            self.go_on(false);
        }
        Past {
            outcome,
            done: self.done,
            pool: self.pool,
            begun: self.begun,
            ended,
            quiet: self.now,
        }
    }

    fn go_on(&mut self, with_controller: bool) {
        let now = self.now;
        let is_online = !self.outages.iter().any(|outage| outage.contains(&now));
        if !is_online {
            self.network.drop_all();
            self.sessions.is_deaf(now);
        }
        for parcel in self.network.arrivals(now) {
            match parcel {
                Parcel::Post(to, post) => self.machines[Machine::of(to)].receive(post),
                Parcel::Hello(name) if with_controller => {
                    self.sessions.greet(now, name);
                    self.post(name, Post::Welcome(name));
                }
                Parcel::Up(frame) if with_controller => self.hear_frame(frame),
                Parcel::Hello(_) | Parcel::Up(_) => {}
            }
        }
        if with_controller {
            self.look_after(is_online);
        }
        for number in 0..self.machines.len() {
            let machine = &mut self.machines[number];
            for call in machine.live(now, is_online, &mut self.done) {
                let parcel = match call {
                    Call::Hello(name) => Parcel::Hello(name),
                    Call::Frame(frame) => Parcel::Up(frame),
                };
                let weather = &self.machines[number].fate.weather;
                self.network.send(now, weather, &parcel);
            }
        }
        self.now += BEAT;
    }

    /// What the controller does by itself.
    fn look_after(&mut self, is_online: bool) {
        for heard in self.sessions.lost(self.now) {
            self.hear(heard);
        }
        if let Some(controller) = &mut self.controller
            && let Some(at) = self.now.checked_sub(self.begun)
        {
            let actions = controller.tick(at);
            self.act(actions);
        }
        for runner in self.sessions.runners().into_iter().filter(|_| is_online) {
            let (name, due) = self.sessions.due(self.now, runner);
            for frame in due {
                self.post(name, Post::Down(name, Down::Frame(frame)));
            }
        }
    }

    fn post(&mut self, to: u64, post: Post) {
        let weather = &self.machines[Machine::of(to)].fate.weather;
        self.network
            .send(self.now, weather, &Parcel::Post(to, post));
    }

    fn hear_frame(&mut self, frame: Frame) {
        match self.sessions.hear(self.now, frame) {
            Hearing::Said(_, said) => said.into_iter().for_each(|heard| self.hear(heard)),
            Hearing::Unknown(name) => self.post(name, Post::Down(name, Down::Gone)),
        }
    }

    /// A runner says something, or is lost.
    fn hear(&mut self, heard: Heard) {
        let Heard {
            runner, message, ..
        } = heard;
        let Some(controller) = &mut self.controller else {
            // Who comes when all is over is not let in.
            if self.settings.is_some() {
                self.muster(runner, message);
            }
            return;
        };
        if matches!(message, Message::Hello(_)) {
            let at = self.begun;
            self.sessions.say(runner, &Order::Begin { at, runner });
        }
        let at = self.now.saturating_sub(self.begun);
        let actions = controller.hear(at, runner, message);
        self.act(actions);
    }

    /// Waits for as many runners as were asked for, and lets them begin together.
    fn muster(&mut self, runner: RunnerId, message: Message) {
        match message {
            Message::Hello(recruit) => drop(self.here.insert(runner, recruit)),
            Message::Lost | Message::Bye | Message::Died => drop(self.here.remove(&runner)),
            _ => {}
        }
        if self.here.len() < self.wait_for {
            return;
        }
        self.begun = self.now + NOTICE;
        let at = self.begun;
        for runner in self.here.keys().copied() {
            self.sessions.say(runner, &Order::Begin { at, runner });
        }
        if let Some(settings) = self.settings.take() {
            let here = std::mem::take(&mut self.here);
            self.controller = Some(Controller::new(settings, here));
        }
    }

    fn act(&mut self, mut actions: Vec<Action>) {
        let at = self.now.saturating_sub(self.begun);
        while !actions.is_empty() {
            let mut next = Vec::new();
            for action in actions {
                match action {
                    Action::Send { runner, order } => self.sessions.say(runner, &order),
                    Action::Draw { entry, want } => {
                        let (items, is_last) = self.pool.draw(want as u64);
                        if let Some(controller) = &mut self.controller {
                            next.extend(controller.supply(at, entry, items, is_last));
                        }
                    }
                    Action::Checkin { items, used, .. } => {
                        let pile = match used {
                            true => &mut self.pool.spent,
                            false => &mut self.pool.unused,
                        };
                        pile.extend(items);
                    }
                    Action::Show(_) | Action::Note(_) => {}
                }
            }
            actions = next;
        }
    }
}

impl Pool {
    fn draw(&mut self, want: u64) -> (Vec<Item>, bool) {
        let until = self.all.min(self.drawn + want);
        let drawn = std::mem::replace(&mut self.drawn, until);
        let item = |number| Item {
            id: ItemId(number),
            data: Bytes::new(),
        };
        ((drawn..until).map(item).collect(), until == self.all)
    }
}
