//! The runner's side of the bus: it says hello until somebody has work for it.

use std::time::Duration;

use async_nats::{Client, RequestErrorKind, Subscriber, connection::State};
use futures_util::StreamExt;
use tokio::{
    sync::{
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
        watch,
    },
    task::{JoinHandle, spawn_local},
    time::{Instant, interval, sleep, timeout},
};

use super::{
    Assignment, BusError, Fingerprint, Options,
    clock::{ClockFigures, Reading, watch_drift, zero},
    subjects::Subjects,
    talk::{Down, Hello, Welcome, publish},
};
use crate::{
    id::RunnerId,
    link::{
        Heard, Order, RunnerEnd, Word,
        lifeline::Lifeline,
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
/// How often when it is looked whether it is still the same.
const MORE_READINGS: usize = 4;
/// How long the last words may take to be heard where no other controller could come.
const FAREWELL: Duration = Duration::from_secs(5);

/// What a runner has from the controller whose run it has joined.
#[derive(Debug)]
pub(crate) struct Post {
    /// The link.
    pub(crate) end: RunnerEnd,
    /// What is to be done.
    pub(crate) assignment: Assignment,
    /// When the clock of the controller showed nothing, on this machine.
    pub(crate) epoch: Instant,
    /// How well that is known, and whether the clocks drift apart.
    pub(crate) clock: watch::Receiver<ClockFigures>,
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
    let (epoch, error) = read_clock(&client, &subjects, READINGS).await?;
    let clock = ClockFigures { error, drift: None };
    let (sender, clock) = watch::channel(clock);
    let asking = client.clone();
    let on = subjects.clone();
    spawn_local(async move {
        let read = async || read_clock(&asking, &on, MORE_READINGS).await.ok();
        watch_drift(sender, epoch, read).await;
    });
    let (orders, heard_orders) = unbounded_channel();
    let (messages, heard_messages) = unbounded_channel();
    let bus = Bus {
        client,
        subject: subjects.up(name),
        epoch,
        lifeline: Lifeline::new(epoch.elapsed(), name, orphan_grace),
        orders,
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
        clock,
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
async fn read_clock(
    client: &Client,
    subjects: &Subjects,
    times: usize,
) -> Result<(Instant, Duration), BusError> {
    let mut readings = Vec::with_capacity(times);
    for _ in 0..times {
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

/// Carries what the lifeline says, and to it what comes.
struct Bus {
    client: Client,
    subject: String,
    epoch: Instant,
    lifeline: Lifeline,
    orders: UnboundedSender<Word>,
    /// How long the last words may take to be heard.
    patience: Duration,
}

impl Bus {
    async fn serve(mut self, mut downs: Subscriber, mut messages: UnboundedReceiver<Heard>) {
        let mut beat = interval(BEAT);
        loop {
            let orders = tokio::select! {
                Some(down) = downs.next() => self.hear(decode(&down.payload)),
                message = messages.recv() => match message {
                    Some(heard) => self.lifeline.say(&heard.message).into_iter().collect(),
                    None => break,
                },
                _ = beat.tick() => {
                    self.lifeline.look_after(self.epoch.elapsed()).into_iter().collect()
                }
            };
            self.pass_on(orders);
            self.send().await;
        }
        let patience = self.patience;
        let farewell = async {
            while !self.lifeline.is_heard() {
                tokio::select! {
                    Some(down) = downs.next() => match decode(&down.payload) {
                        Some(Down::Gone) => break,
                        // Nobody is left to do what it says.
                        down => drop(self.hear(down)),
                    },
                    _ = beat.tick() => {}
                }
                self.send().await;
            }
        };
        let _ = timeout(patience, farewell).await;
        let _ = timeout(FAREWELL, self.client.flush()).await;
    }

    fn hear(&mut self, down: Option<Down>) -> Vec<Order> {
        let now = self.epoch.elapsed();
        down.map_or_else(Vec::new, |down| self.lifeline.hear(now, down))
    }

    fn pass_on(&self, orders: Vec<Order>) {
        for order in orders {
            // The runner may have gone already.
            let _ = self.orders.send(Word::Order(RunnerId(0), order));
        }
    }

    async fn send(&mut self) {
        if self.client.connection_state() != State::Connected {
            return;
        }
        for frame in self.lifeline.due(self.epoch.elapsed()) {
            publish(&self.client, self.subject.clone(), encode(&frame)).await;
        }
    }
}
