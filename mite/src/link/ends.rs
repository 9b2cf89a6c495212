//! The two ends of a link: channels, with a network between them or nothing at all.

#[cfg(feature = "nats")]
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{Message, Order};
use crate::id::RunnerId;

/// The name of the runner in the controller's own process.
const RUNNER: RunnerId = RunnerId(0);

/// Something that a runner said.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) runner: RunnerId,
    pub(crate) message: Message,
    /// How far the conversation is with it; absent without a network, and when it is the link itself
    /// that says so.
    #[cfg(feature = "nats")]
    pub(crate) mark: Option<Mark>,
}

/// How far the conversation with a runner is.
#[cfg(feature = "nats")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// What the runner is called on the network.
    pub(crate) name: u64,
    /// How many pieces were heard of it.
    pub(crate) heard: u64,
    /// How many pieces it has heard.
    pub(crate) heard_there: u64,
}

/// What the link is told.
#[derive(Debug)]
pub(crate) enum Word {
    /// Tell a runner this.
    #[cfg_attr(
        not(feature = "nats"),
        expect(dead_code, reason = "for runners elsewhere")
    )]
    Order(RunnerId, Order),
    /// What was heard of a runner up to here will never be asked for again.
    #[cfg(feature = "nats")]
    Confirm(RunnerId, Mark),
    /// A runner of which the former controller heard is not there any more; whether it was lost.
    #[cfg(feature = "nats")]
    Over(RunnerId, bool),
    /// Nothing is kept any more, so nothing has to be confirmed.
    #[cfg(feature = "nats")]
    NothingIsKept,
    /// All that the former controller said is known: from now on speak and listen.
    #[cfg(feature = "nats")]
    TakeOver,
}

/// The controller's end.
#[derive(Debug)]
pub(crate) struct ControllerEnd {
    pub(super) words: UnboundedSender<Word>,
    pub(super) messages: UnboundedReceiver<Heard>,
}

/// The runner's end.
#[derive(Debug)]
pub(crate) struct RunnerEnd {
    pub(super) runner: RunnerId,
    pub(super) orders: UnboundedReceiver<Word>,
    pub(super) messages: UnboundedSender<Heard>,
}

/// A link between a controller and the one runner in its process.
pub(crate) fn local() -> (ControllerEnd, RunnerEnd) {
    let (words, orders) = unbounded_channel();
    let (message_sender, message_receiver) = unbounded_channel();
    (
        ControllerEnd {
            words,
            messages: message_receiver,
        },
        RunnerEnd {
            runner: RUNNER,
            orders,
            messages: message_sender,
        },
    )
}

impl ControllerEnd {
    /// Tells a runner something; nobody hears it once the runner has gone.
    pub(crate) fn send(&self, runner: RunnerId, order: Order) {
        self.tell(Word::Order(runner, order));
    }

    /// Tells the link something.
    pub(crate) fn tell(&self, word: Word) {
        let _ = self.words.send(word);
    }

    /// What a runner says next; `None` once nothing more can come.
    pub(crate) async fn receive(&mut self) -> Option<Heard> {
        self.messages.recv().await
    }
}

impl RunnerEnd {
    /// Tells the controller something; nobody hears it once the controller has gone.
    pub(crate) fn send(&self, message: Message) {
        let _ = self.messages.send(Heard {
            runner: self.runner,
            message,
            #[cfg(feature = "nats")]
            mark: None,
        });
    }

    /// What the controller says next; `None` once it has gone.
    pub(crate) async fn receive(&mut self) -> Option<Order> {
        #[cfg(feature = "nats")]
        loop {
            // All else is said to a network, and there is none.
            if let Word::Order(_, order) = self.orders.recv().await? {
                return Some(order);
            }
        }
        #[cfg(not(feature = "nats"))]
        self.orders.recv().await.map(|Word::Order(_, order)| order)
    }
}
