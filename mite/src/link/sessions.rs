//! The controller's conversations with all its runners: a state machine without I/O and without a
//! clock, so that a test can send it through any weather in no time.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use super::{
    Heard, Mark, Message, Order,
    conversation::{Conversation, Frame},
    wire::{decode, encode},
};
use crate::id::RunnerId;

/// Each side says something so often at least, were it only what it has heard.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(1);
/// A runner of which nothing was heard for so long is lost.
const LOST: Duration = Duration::from_secs(3);

/// What a frame came to.
#[derive(Debug)]
pub(crate) enum Hearing {
    /// It is part of the conversation with a runner, which said this.
    Said(RunnerId, Vec<Heard>),
    /// There is no such conversation, or none any more: whoever holds it is to be told.
    Unknown(u64),
}

/// Whether a runner takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Here,
    /// It has said its last word; what it repeats of it is still answered.
    Gone,
    Lost,
}

/// A runner, as the link knows it.
#[derive(Debug)]
struct Session {
    conversation: Conversation,
    /// What it is called on the network.
    name: u64,
    heard: Duration,
    spoken: Duration,
    standing: Standing,
    /// Whether something was heard of it since it was taken over, and with it how much it knows.
    is_met: bool,
}

/// All conversations of a controller.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    sessions: BTreeMap<RunnerId, Session>,
    names: HashMap<u64, RunnerId>,
    /// Since when the controller itself could hear.
    hearing_since: Duration,
    /// Whether runners are told what was heard only when that was confirmed.
    confirms_by_hand: bool,
}

impl Sessions {
    /// Sessions in which runners can forget what they said only after that was
    /// [confirmed](Self::confirm).
    pub(crate) fn confirmed_by_hand() -> Self {
        Self {
            confirms_by_hand: true,
            ..Self::default()
        }
    }

    /// A runner of this name is there; it may have been before.
    pub(crate) fn greet(&mut self, now: Duration, name: u64) -> RunnerId {
        if let Some(runner) = self.names.get(&name) {
            return *runner;
        }
        let next = self.sessions.last_key_value();
        let runner = RunnerId(next.map_or(0, |(last, _)| last.0.saturating_add(1)));
        self.open(now, runner, name).is_met = true;
        runner
    }

    fn open(&mut self, now: Duration, runner: RunnerId, name: u64) -> &mut Session {
        self.names.insert(name, runner);
        let by_hand = self.confirms_by_hand;
        self.sessions.entry(runner).or_insert_with(|| {
            let mut conversation = Conversation::new(name);
            if by_hand {
                conversation.confirm_by_hand();
            }
            Session {
                conversation,
                name,
                heard: now,
                spoken: now,
                standing: Standing::Here,
                is_met: false,
            }
        })
    }

    /// A frame has come from a runner.
    pub(crate) fn hear(&mut self, now: Duration, frame: Frame) -> Hearing {
        let name = frame.conversation;
        let runner = self.names.get(&name).copied();
        let session = runner.and_then(|runner| self.sessions.get_mut(&runner));
        let session = session.filter(|session| session.standing != Standing::Lost);
        let Some((runner, session)) = runner.zip(session) else {
            return Hearing::Unknown(name);
        };
        if session.conversation.is_beyond(&frame) {
            return Hearing::Unknown(name);
        }
        session.heard = now;
        session.is_met = true;
        let all = session.conversation.hear(now, frame);
        let mut heard = Vec::with_capacity(all.len());
        for said in all {
            let Some(message) = decode::<Message>(&said.bytes) else {
                continue;
            };
            if matches!(message, Message::Bye | Message::Died) {
                session.standing = Standing::Gone;
            }
            let mark = Mark {
                name,
                heard: said.heard,
                heard_there: session.conversation.heard_there(),
            };
            heard.push(Heard {
                runner,
                message,
                mark: Some(mark),
            });
        }
        Hearing::Said(runner, heard)
    }

    /// Tells a runner something.
    pub(crate) fn say(&mut self, runner: RunnerId, order: &Order) {
        if let Some(session) = self.sessions.get_mut(&runner) {
            session.conversation.say(encode(order));
        }
    }

    /// What was heard up to here will not be asked for again; a runner that is not known yet was
    /// met by the controller whose place this one takes.
    pub(crate) fn confirm(&mut self, now: Duration, runner: RunnerId, mark: Mark) {
        let session = match self.sessions.get_mut(&runner) {
            Some(session) => session,
            None => self.open(now, runner, mark.name),
        };
        session.conversation.confirm(mark.heard);
        session.conversation.was_heard(now, mark.heard_there);
    }

    /// From now on runners may forget what was heard.
    pub(crate) fn confirm_all(&mut self) {
        self.confirms_by_hand = false;
        for session in self.sessions.values_mut() {
            session.conversation.confirm_all();
        }
    }

    /// A runner has said its last word, or is lost: the controller whose place this one takes knew.
    pub(crate) fn over(&mut self, runner: RunnerId, is_lost: bool) {
        if let Some(session) = self.sessions.get_mut(&runner) {
            session.standing = match is_lost {
                true => Standing::Lost,
                false => Standing::Gone,
            };
        }
    }

    /// The controller itself hears nothing, or has only just begun to.
    pub(crate) fn is_deaf(&mut self, now: Duration) {
        self.hearing_since = now;
    }

    /// Runners that have not been heard of for too long, unless that is because the controller
    /// itself heard nothing; each is given once.
    pub(crate) fn lost(&mut self, now: Duration) -> Vec<Heard> {
        let mut lost = Vec::new();
        for (runner, session) in &mut self.sessions {
            let silent = now.saturating_sub(session.heard.max(self.hearing_since));
            if session.standing == Standing::Here && silent >= LOST {
                session.standing = Standing::Lost;
                lost.push(Heard {
                    runner: *runner,
                    message: Message::Lost,
                    mark: None,
                });
            }
        }
        lost
    }

    /// What is to be sent to a runner now, and under which name.
    pub(crate) fn due(&mut self, now: Duration, runner: RunnerId) -> (u64, Vec<Frame>) {
        let Some(session) = self.sessions.get_mut(&runner) else {
            return (0, Vec::new());
        };
        let name = session.name;
        if session.standing == Standing::Lost {
            return (name, Vec::new());
        }
        // One that was taken over may wait to hear that its last word was kept.
        let mut due = match session.is_met {
            true => session.conversation.due(now),
            false => session.conversation.due_unmet(),
        };
        let is_here = session.standing == Standing::Here;
        if due.is_empty() && is_here && now.saturating_sub(session.spoken) >= HEARTBEAT {
            due.push(session.conversation.word());
        }
        if !due.is_empty() {
            session.spoken = now;
        }
        (name, due)
    }

    /// All runners there have been.
    pub(crate) fn runners(&self) -> Vec<RunnerId> {
        self.sessions.keys().copied().collect()
    }

    /// Whether all who are there have heard all they were told.
    pub(crate) fn are_heard(&self) -> bool {
        let mut sessions = self.sessions.values();
        sessions.all(|one| one.standing != Standing::Here || one.conversation.is_heard())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runner_that_has_gone_hears_from_the_next_controller_that_its_last_word_was_kept() {
        let (now, runner) = (Duration::from_secs(9), RunnerId(0));
        let mut sessions = Sessions::confirmed_by_hand();
        let mark = Mark {
            name: 7,
            heard: 3,
            heard_there: 2,
        };
        sessions.confirm(now, runner, mark);
        sessions.over(runner, false);
        let (name, due) = sessions.due(now, runner);
        let heard: Vec<_> = due.iter().map(|frame| frame.heard).collect();
        assert_eq!((name, heard), (7, vec![3]));
        assert!(sessions.due(now, runner).1.is_empty(), "it is told once");
    }
}
