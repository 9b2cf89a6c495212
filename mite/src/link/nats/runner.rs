//! The runner's side of the bus: it says hello until somebody has work for it.

use std::time::Duration;

use async_nats::{Client, RequestErrorKind, Subscriber, connection::State};
use futures_util::StreamExt;
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::{JoinHandle, spawn_local},
    time::{Instant, interval, sleep, timeout},
};

use super::{
    Assignment, BusError, Fingerprint, Options,
    clock::{Reading, zero},
    subjects::Subjects,
    talk::{Down, Hello, Welcome, publish},
};
use crate::{
    id::RunnerId,
    link::{
        Heard, Message, Order, RunnerEnd, Word,
        conversation::Conversation,
        sessions::HEARTBEAT,
        wire::{decode, encode},
    },
};

/// How often what is late is looked after.
const BEAT: Duration = Duration::from_millis(100);
/// How long to wait before saying hello again.
const AGAIN: Duration = Duration::from_secs(1);
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often the clock of the controller is read at the beginning.
const READINGS: usize = 8;
/// How long the last words may take to be heard where no other controller could come.
const FAREWELL: Duration = Duration::from_secs(5);
/// How long journeys may go on when there is no controller any more.
const GRACE: Duration = Duration::from_secs(30);

/// What a runner has from the controller whose run it has joined.
#[derive(Debug)]
pub(crate) struct Post {
    /// The link.
    pub(crate) end: RunnerEnd,
    /// What is to be done.
    pub(crate) assignment: Assignment,
    /// When the clock of the controller showed nothing, on this machine.
    pub(crate) epoch: Instant,
    /// By how much that may be wrong.
    pub(crate) error: Duration,
    /// Ends when the last word has been heard; before that nobody may go.
    pub(crate) farewell: JoinHandle<()>,
}

/// Waits for a controller and joins its run.
///
/// `waiting` is called when there is none yet, once. A runner that hears nothing of its controller
/// for `orphan_grace` lets its journeys come to their end and goes.
///
/// # Errors
/// When NATS cannot be reached, or the controller refuses a runner of this make.
pub(crate) async fn join(
    options: &Options,
    fingerprint: &Fingerprint,
    orphan_grace: Duration,
    waiting: impl FnOnce(),
) -> Result<Post, BusError> {
    let subjects = Subjects::new(&options.prefix)?;
    let client = options.connect("mite runner").await?;
    let name = fastrand::u64(..);
    // To hear what comes after the welcome it listens before.
    let downs = client.subscribe(subjects.down(name)).await;
    let downs = downs.map_err(|error| BusError::Subscribe(error.to_string()))?;
    let hello = Hello {
        fingerprint: fingerprint.clone(),
        conversation: name,
    };
    let assignment = say_hello(&client, &subjects, &hello, waiting).await?;
    let (epoch, error) = read_clock(&client, &subjects).await?;
    let (orders, heard_orders) = unbounded_channel();
    let (messages, heard_messages) = unbounded_channel();
    let bus = Bus {
        client,
        subject: subjects.up(name),
        conversation: Conversation::new(name),
        epoch,
        heard: Instant::now(),
        spoken: Instant::now(),
        orders,
        begun: None,
        orphan_grace,
        ending: None,
        stood_still: false,
        patience: match assignment.durable {
            true => orphan_grace.max(FAREWELL),
            false => FAREWELL,
        },
    };
    let farewell = spawn_local(bus.serve(downs, heard_messages));
    Ok(Post {
        end: RunnerEnd {
            runner: RunnerId(0),
            orders: heard_orders,
            messages,
        },
        assignment,
        epoch,
        error,
        farewell,
    })
}

async fn say_hello(
    client: &Client,
    subjects: &Subjects,
    hello: &Hello,
    waiting: impl FnOnce(),
) -> Result<Assignment, BusError> {
    let mut waiting = Some(waiting);
    loop {
        let asked = client.request(subjects.hello(), encode(hello));
        match timeout(PATIENCE, asked).await {
            Ok(Ok(answer)) => {
                return match decode(&answer.payload) {
                    Some(Welcome::Work(assignment)) => Ok(*assignment),
                    Some(Welcome::Refused(why)) => Err(BusError::Refused(why.join("; "))),
                    None => Err(BusError::Garbled("the answer to hello")),
                };
            }
            Ok(Err(error)) if error.kind() == RequestErrorKind::MaxPayloadExceeded => {
                return Err(BusError::Subscribe(error.to_string()));
            }
            // Nobody is there yet, or does not answer.
            Ok(Err(_)) | Err(_) => {}
        }
        if let Some(waiting) = waiting.take() {
            waiting();
        }
        sleep(AGAIN).await;
    }
}

/// Reads the clock of the controller.
async fn read_clock(client: &Client, subjects: &Subjects) -> Result<(Instant, Duration), BusError> {
    let mut readings = Vec::with_capacity(READINGS);
    for _ in 0..READINGS {
        let asked = Instant::now();
        let question = client.request(subjects.clock(), bytes::Bytes::new());
        if let Ok(Ok(answer)) = timeout(PATIENCE, question).await {
            let showed = decode::<u64>(&answer.payload).ok_or(BusError::Garbled("the time"))?;
            readings.push(Reading {
                asked,
                answered: Instant::now(),
                showed: Duration::from_nanos(showed),
            });
        }
    }
    zero(&readings).ok_or(BusError::Garbled("no word of the time"))
}

struct Bus {
    client: Client,
    subject: String,
    conversation: Conversation,
    epoch: Instant,
    /// When something was heard of the controller.
    heard: Instant,
    spoken: Instant,
    orders: UnboundedSender<Word>,
    /// When the run began, once that is known.
    begun: Option<Instant>,
    orphan_grace: Duration,
    /// When journeys are cut, once the controller is given up.
    ending: Option<Instant>,
    /// Whether the runner waits to hear that it is still counted on.
    stood_still: bool,
    /// How long the last words may take to be heard.
    patience: Duration,
}

impl Bus {
    async fn serve(mut self, mut downs: Subscriber, mut messages: UnboundedReceiver<Heard>) {
        let mut beat = interval(BEAT);
        loop {
            tokio::select! {
                Some(down) = downs.next() => self.hear(decode(&down.payload)),
                message = messages.recv() => match message {
                    Some(heard) => self.say(&heard.message),
                    None => break,
                },
                _ = beat.tick() => self.look_after(),
            }
            self.send().await;
        }
        let patience = self.patience;
        let farewell = async {
            while !self.conversation.is_heard() {
                tokio::select! {
                    Some(down) = downs.next() => match decode(&down.payload) {
                        Some(Down::Gone) => break,
                        down => self.hear(down),
                    },
                    _ = beat.tick() => {}
                }
                self.send().await;
            }
        };
        let _ = timeout(patience, farewell).await;
        let _ = timeout(FAREWELL, self.client.flush()).await;
    }

    fn hear(&mut self, down: Option<Down>) {
        let now = self.epoch.elapsed();
        match down {
            Some(Down::Frame(frame)) => {
                self.heard = Instant::now();
                for said in self.conversation.hear(now, frame) {
                    if let Some(order) = decode::<Order>(&said.bytes) {
                        if let Order::Begin { at } = order {
                            self.begun = Some(self.epoch + at);
                        }
                        self.order(order);
                    }
                }
                // What was sent before it stood still may come only now; the answer to what has been
                // said since comes from a controller that still talks to us.
                if self.stood_still && self.conversation.is_heard() {
                    self.stood_still = false;
                    self.order(Order::GoOn);
                }
            }
            // It counts us among the lost, and others do what is ours.
            Some(Down::Gone) => self.order(Order::Cut),
            None => {}
        }
    }

    fn order(&self, order: Order) {
        // The runner may have gone already.
        let _ = self.orders.send(Word::Order(RunnerId(0), order));
    }

    fn say(&mut self, message: &Message) {
        if self.ending.is_some() && *message == Message::Drained {
            self.order(Order::Cut);
        }
        self.stood_still |= *message == Message::StoodStill;
        self.conversation.say(encode(message));
    }

    /// Gives up a controller of which nothing has been heard for too long.
    fn look_after(&mut self) {
        let now = Instant::now();
        if let Some(cut) = self.ending {
            if now >= cut {
                self.order(Order::Cut);
            }
        } else if now.saturating_duration_since(self.heard) >= self.orphan_grace {
            let begun = self.begun.unwrap_or(now);
            let at = now.saturating_duration_since(begun);
            self.order(Order::Drain { at });
            self.ending = Some(now + GRACE);
        }
    }

    async fn send(&mut self) {
        if self.client.connection_state() != State::Connected {
            return;
        }
        let mut due = self.conversation.due(self.epoch.elapsed());
        if due.is_empty() && self.spoken.elapsed() >= HEARTBEAT {
            due.push(self.conversation.word());
        }
        for frame in due {
            self.spoken = Instant::now();
            publish(&self.client, self.subject.clone(), encode(&frame)).await;
        }
    }
}
