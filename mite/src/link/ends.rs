//! The two ends of a link: channels, with a network between them or nothing at all.

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{Message, Order};
use crate::id::RunnerId;

/// The name of the runner in the controller's own process.
const RUNNER: RunnerId = RunnerId(0);

/// The controller's end.
#[derive(Debug)]
pub(crate) struct ControllerEnd {
    pub(super) orders: UnboundedSender<(RunnerId, Order)>,
    pub(super) messages: UnboundedReceiver<(RunnerId, Message)>,
}

/// The runner's end.
#[derive(Debug)]
pub(crate) struct RunnerEnd {
    pub(super) runner: RunnerId,
    pub(super) orders: UnboundedReceiver<(RunnerId, Order)>,
    pub(super) messages: UnboundedSender<(RunnerId, Message)>,
}

/// A link between a controller and the one runner in its process.
pub(crate) fn local() -> (ControllerEnd, RunnerEnd) {
    let (order_sender, order_receiver) = unbounded_channel();
    let (message_sender, message_receiver) = unbounded_channel();
    (
        ControllerEnd {
            orders: order_sender,
            messages: message_receiver,
        },
        RunnerEnd {
            runner: RUNNER,
            orders: order_receiver,
            messages: message_sender,
        },
    )
}

impl ControllerEnd {
    /// Tells a runner something; nobody hears it once the runner has gone.
    pub(crate) fn send(&self, runner: RunnerId, order: Order) {
        let _ = self.orders.send((runner, order));
    }

    /// What a runner says next, and which; `None` once nothing more can come.
    pub(crate) async fn receive(&mut self) -> Option<(RunnerId, Message)> {
        self.messages.recv().await
    }
}

impl RunnerEnd {
    /// Tells the controller something; nobody hears it once the controller has gone.
    pub(crate) fn send(&self, message: Message) {
        let _ = self.messages.send((self.runner, message));
    }

    /// What the controller says next; `None` once it has gone.
    pub(crate) async fn receive(&mut self) -> Option<Order> {
        self.orders.recv().await.map(|(_, order)| order)
    }
}
