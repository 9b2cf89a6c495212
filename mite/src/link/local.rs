//! Controller and runner in one process: two channels.

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{Message, Order};

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
    /// Tells the runner something; nobody hears it once the runner has gone.
    pub(crate) fn send(&self, order: Order) {
        let _ = self.orders.send(order);
    }

    /// What the runner says next; `None` once it has gone.
    pub(crate) async fn receive(&mut self) -> Option<Message> {
        self.messages.recv().await
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
