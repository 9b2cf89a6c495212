//! A runner's conversation with its controller: a state machine without I/O and without a clock of
//! its own, as the controller's [sessions](super::sessions) are.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    Message, Order,
    conversation::{Conversation, Frame},
    sessions::HEARTBEAT,
    wire::{decode, encode},
};

/// How long journeys may go on when there is no controller any more.
const GRACE: Duration = Duration::from_secs(30);

/// What goes to a runner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Down {
    /// Part of the conversation.
    Frame(Frame),
    /// The controller holds no such conversation, or none any more.
    Gone,
}

/// What a runner hangs on by: all times are those of the controller's clock.
#[derive(Debug)]
pub(crate) struct Lifeline {
    conversation: Conversation,
    /// When something was heard of the controller.
    heard: Duration,
    spoken: Duration,
    /// When the run began, once that is known.
    begun: Option<Duration>,
    orphan_grace: Duration,
    /// When journeys are cut, once the controller is given up.
    ending: Option<Duration>,
    /// Whether the runner waits to hear that it is still counted on.
    stood_still: bool,
}

impl Lifeline {
    /// Of a runner of this name, which gives up a controller of which it has heard nothing for
    /// `orphan_grace`.
    pub(crate) fn new(now: Duration, name: u64, orphan_grace: Duration) -> Self {
        Self {
            conversation: Conversation::new(name),
            heard: now,
            spoken: now,
            begun: None,
            orphan_grace,
            ending: None,
            stood_still: false,
        }
    }

    /// Something has come from the controller; what the runner is to do.
    pub(crate) fn hear(&mut self, now: Duration, down: Down) -> Vec<Order> {
        let frame = match down {
            Down::Frame(frame) => frame,
            // It counts us among the lost, and others do what is ours.
            Down::Gone => return vec![Order::Cut],
        };
        self.heard = now;
        let said = self.conversation.hear(now, frame);
        let mut orders: Vec<Order> = said.iter().filter_map(|said| decode(&said.bytes)).collect();
        let begin = orders.iter().find_map(|order| match order {
            Order::Begin { at, .. } => Some(*at),
            _ => None,
        });
        self.begun = begin.or(self.begun);
        // What was sent before it stood still may come only now; the answer to what has been said
        // since comes from a controller that still talks to us.
        if self.stood_still && self.conversation.is_heard() {
            self.stood_still = false;
            orders.push(Order::GoOn);
        }
        orders
    }

    /// The runner says something; what it is to do, the controller having been given up.
    pub(crate) fn say(&mut self, message: &Message) -> Option<Order> {
        self.stood_still |= *message == Message::StoodStill;
        self.conversation.say(encode(message));
        (self.ending.is_some() && *message == Message::Drained).then_some(Order::Cut)
    }

    /// Gives up a controller of which nothing has been heard for too long.
    pub(crate) fn look_after(&mut self, now: Duration) -> Option<Order> {
        if let Some(cut) = self.ending {
            return (now >= cut).then_some(Order::Cut);
        }
        let is_orphaned = now.saturating_sub(self.heard) >= self.orphan_grace;
        is_orphaned.then(|| {
            self.ending = Some(now + GRACE);
            let begun = self.begun.unwrap_or(now);
            Order::Drain {
                at: now.saturating_sub(begun),
            }
        })
    }

    /// What is to be sent now: what was said, and now and then that the runner is there.
    pub(crate) fn due(&mut self, now: Duration) -> Vec<Frame> {
        let mut due = self.conversation.due(now);
        if due.is_empty() && now.saturating_sub(self.spoken) >= HEARTBEAT {
            due.push(self.conversation.word());
        }
        if !due.is_empty() {
            self.spoken = now;
        }
        due
    }

    /// Whether the controller has heard everything.
    pub(crate) fn is_heard(&self) -> bool {
        self.conversation.is_heard()
    }
}
