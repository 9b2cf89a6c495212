//! Controller and runner in one process: two channels.

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{Message, Order};
use crate::id::RunnerId;

/// The name of the one runner there is.
const RUNNER: RunnerId = RunnerId(0);

/// The controller's end.
#[derive(Debug)]
pub(crate) struct ControllerEnd {
    orders: UnboundedSender<Order>,
    messages: UnboundedReceiver<Message>,
}

/// The runner's end.
#[derive(Debug)]
pub(crate) struct RunnerEnd {
    orders: UnboundedReceiver<Order>,
    messages: UnboundedSender<Message>,
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
            orders: order_receiver,
            messages: message_sender,
        },
    )
}

impl ControllerEnd {
    /// Tells a runner something; nobody hears it once the runner has gone.
    pub(crate) fn send(&self, runner: RunnerId, order: Order) {
        if runner == RUNNER {
            let _ = self.orders.send(order);
        }
    }

    /// What a runner says next, and which; `None` once it has gone.
    pub(crate) async fn receive(&mut self) -> Option<(RunnerId, Message)> {
        Some((RUNNER, self.messages.recv().await?))
    }
}

impl RunnerEnd {
    /// Tells the controller something; nobody hears it once the controller has gone.
    pub(crate) fn send(&self, message: Message) {
        let _ = self.messages.send(message);
    }

    /// What the controller says next; `None` once it has gone.
    pub(crate) async fn receive(&mut self) -> Option<Order> {
        self.orders.recv().await
    }
}
