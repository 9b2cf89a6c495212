//! Who takes part in a run, and with which share of it: runners come, go and get lost.

use std::{collections::BTreeMap, time::Duration};

use crate::{id::RunnerId, link::Recruit, stats::MachineFigures, volume::schedule::Share};

/// The runners of a run, those too that are no more.
#[derive(Debug, Default)]
pub(super) struct Crew {
    members: BTreeMap<RunnerId, Member>,
}

/// What the controller knows of a runner.
#[derive(Debug)]
struct Member {
    recruit: Recruit,
    /// What it said last of its machine.
    machine: Option<Box<MachineFigures>>,
    joined: Duration,
    drained: bool,
    /// Whether it wants to go, and others have its share.
    leaving: bool,
    left: Option<Leave>,
}

/// When a runner took part no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Leave {
    at: Duration,
    lost: bool,
}

/// What became of a runner.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MemberOutcome {
    pub(crate) runner: RunnerId,
    /// What it said of itself when it came.
    pub(crate) recruit: Recruit,
    /// What was seen of its machine; the controller sees its own by itself.
    pub(crate) machine: Option<Box<MachineFigures>>,
    /// When it came.
    pub(crate) joined: Duration,
    /// When it was no more, if that was before the end of the run.
    pub(crate) left: Option<Duration>,
    /// Whether nothing was heard of it any more, so that what it did last is not known.
    pub(crate) lost: bool,
}

impl Crew {
    /// A runner takes part from now on.
    pub(super) fn join(&mut self, runner: RunnerId, recruit: Recruit, now: Duration) {
        let member = Member {
            recruit,
            machine: None,
            joined: now,
            drained: false,
            leaving: false,
            left: None,
        };
        self.members.insert(runner, member);
    }

    /// How the machine of a runner is.
    pub(super) fn note(&mut self, runner: RunnerId, machine: Box<MachineFigures>) {
        if let Some(member) = self.members.get_mut(&runner) {
            member.machine = Some(machine);
        }
    }

    /// A runner has nothing in flight and will have nothing.
    pub(super) fn drained(&mut self, runner: RunnerId) {
        if let Some(member) = self.members.get_mut(&runner) {
            member.drained = true;
        }
    }

    /// A runner wants to go and has no share any more; whether it had one until now.
    pub(super) fn release(&mut self, runner: RunnerId) -> bool {
        let member = self.members.get_mut(&runner);
        member.is_some_and(|member| !std::mem::replace(&mut member.leaving, true))
    }

    /// A runner takes part no longer; whether it did until now.
    pub(super) fn leave(&mut self, runner: RunnerId, at: Duration, lost: bool) -> bool {
        let Some(member) = self.members.get_mut(&runner) else {
            return false;
        };
        let was_here = member.left.is_none();
        member.left.get_or_insert(Leave { at, lost });
        was_here
    }

    /// Whether a runner takes part.
    pub(super) fn has(&self, runner: RunnerId) -> bool {
        let member = self.members.get(&runner);
        member.is_some_and(|member| member.left.is_none())
    }

    /// Those that take part.
    pub(super) fn present(&self) -> impl Iterator<Item = RunnerId> {
        self.here().map(|(runner, _)| runner)
    }

    /// The share of each that takes part, by weight; those who want to go have none.
    pub(super) fn shares(&self) -> Vec<(RunnerId, Share)> {
        let here: Vec<_> = self.here().collect();
        let weight = |member: &Member| member.recruit.weight * u32::from(!member.leaving);
        let weights: Vec<_> = here.iter().map(|(_, member)| weight(member)).collect();
        let runners = here.iter().map(|(runner, _)| *runner);
        runners.zip(Share::by_weight(&weights)).collect()
    }

    /// What the machine of a runner is called.
    pub(super) fn host(&self, runner: RunnerId) -> &str {
        let member = self.members.get(&runner);
        member.map_or("", |member| &member.recruit.host)
    }

    /// Whether none has anything in flight.
    pub(super) fn is_drained(&self) -> bool {
        self.here().all(|(_, member)| member.drained)
    }

    /// Whether none takes part that does not want to go.
    pub(super) fn is_abandoned(&self) -> bool {
        self.here().all(|(_, member)| member.leaving)
    }

    /// Whether none takes part any more.
    pub(super) fn is_gone(&self) -> bool {
        self.here().next().is_none()
    }

    /// What became of them in a run that was over at `over`, if it is: who left after that was there
    /// to the end.
    pub(super) fn outcome(&self, over: Option<Duration>) -> Vec<MemberOutcome> {
        let early = |left: &Leave| left.lost || over.is_none_or(|over| left.at < over);
        let each = self.members.iter();
        each.map(|(runner, member)| MemberOutcome {
            runner: *runner,
            recruit: member.recruit.clone(),
            machine: member.machine.clone(),
            joined: member.joined,
            left: member.left.filter(early).map(|left| left.at),
            lost: member.left.is_some_and(|left| left.lost),
        })
        .collect()
    }

    fn here(&self) -> impl Iterator<Item = (RunnerId, &Member)> {
        let all = self.members.iter();
        all.filter(|(_, member)| member.left.is_none())
            .map(|(runner, member)| (*runner, member))
    }
}
