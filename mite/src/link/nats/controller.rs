//! The controller's side of the bus, on a thread of its own, so that neither waits for the other.

use std::{
    collections::{BTreeMap, HashMap},
    thread::Builder,
    time::Duration,
};

use async_nats::{Client, Message as Post, Subscriber, connection::State};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::{
    sync::{
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
        oneshot,
    },
    time::{Instant, interval, timeout},
};

use super::{
    AssignedEntry, Assignment, BusError, Fingerprint, Options,
    subjects::Subjects,
    talk::{Down, Hello, Welcome, decode, encode, publish},
};
use crate::{
    id::RunnerId,
    link::{
        ControllerEnd, Message, Order,
        conversation::{Conversation, Frame},
    },
};

/// How often what is late is looked after.
const BEAT: Duration = Duration::from_millis(100);
/// Each side says something so often at least, were it only what it has heard.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(1);
/// A runner of which nothing was heard for so long is lost.
const LOST: Duration = Duration::from_secs(3);
/// How long another controller may take to say that it is there.
const ANSWER: Duration = Duration::from_millis(500);
/// How long the last words may take to be heard.
const FAREWELL: Duration = Duration::from_secs(2);

/// Opens the controller's end of a link over NATS. Its clock shows the time since `epoch`.
///
/// # Errors
/// When NATS cannot be reached or does not let us in.
pub(crate) async fn open(
    options: Options,
    assignment: Assignment,
    fingerprint: Fingerprint,
    epoch: Instant,
) -> Result<ControllerEnd, BusError> {
    let subjects = Subjects::new(&options.prefix)?;
    let (orders, heard_orders) = unbounded_channel();
    let (messages, heard_messages) = unbounded_channel();
    let (opened, is_open) = oneshot::channel();
    let bus = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => {
                let _ = opened.send(Err(BusError::Thread(error)));
                return;
            }
        };
        runtime.block_on(async {
            let listening = Listening::start(&options, &subjects).await;
            let (client, ears) = match listening {
                Ok(Listening { client, ears }) => (client, ears),
                Err(error) => {
                    let _ = opened.send(Err(error));
                    return;
                }
            };
            let bus = Bus {
                client,
                subjects,
                welcome: encode(&Welcome::Work(Box::new(assignment.clone()))),
                entries: assignment.entries,
                fingerprint,
                epoch,
                connected_since: epoch,
                members: BTreeMap::new(),
                names: HashMap::new(),
                messages,
            };
            // Whoever asked may have gone.
            let _ = opened.send(Ok(()));
            bus.serve(ears, heard_orders).await;
        });
    };
    Builder::new()
        .name("mite-bus".to_owned())
        .spawn(bus)
        .map_err(BusError::Thread)?;
    let gone = || BusError::Thread(std::io::Error::other("it ended at once"));
    is_open.await.map_err(|_| gone())??;
    Ok(ControllerEnd {
        orders,
        messages: heard_messages,
    })
}

/// What the controller listens to.
struct Ears {
    hellos: Subscriber,
    clocks: Subscriber,
    frames: Subscriber,
}

struct Listening {
    client: Client,
    ears: Ears,
}

impl Listening {
    async fn start(options: &Options, subjects: &Subjects) -> Result<Self, BusError> {
        let client = options.connect("mite controller").await?;
        if is_taken(&client, subjects).await {
            return Err(BusError::Taken(options.prefix.clone()));
        }
        let listen = async |subject: String| {
            let listening = client.subscribe(subject).await;
            listening.map_err(|error| BusError::Subscribe(error.to_string()))
        };
        let ears = Ears {
            frames: listen(subjects.all_up()).await?,
            clocks: listen(subjects.clock()).await?,
            hellos: listen(subjects.hello()).await?,
        };
        Ok(Self { client, ears })
    }
}

/// Whether a controller is there already: both would take the same runners for theirs.
async fn is_taken(client: &Client, subjects: &Subjects) -> bool {
    let question = client.request(subjects.clock(), Bytes::new());
    matches!(timeout(ANSWER, question).await, Ok(Ok(_)))
}

/// Whether a runner takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Here,
    /// It has said its last word; what it repeats of it is still answered.
    Gone,
    Lost,
}

/// A runner, as the bus knows it.
struct Member {
    conversation: Conversation,
    /// What it is called on the bus.
    name: u64,
    heard: Instant,
    spoken: Instant,
    state: Standing,
}

struct Bus {
    client: Client,
    subjects: Subjects,
    welcome: Bytes,
    entries: Vec<AssignedEntry>,
    fingerprint: Fingerprint,
    epoch: Instant,
    connected_since: Instant,
    members: BTreeMap<RunnerId, Member>,
    names: HashMap<u64, RunnerId>,
    messages: UnboundedSender<(RunnerId, Message)>,
}

impl Bus {
    async fn serve(mut self, mut ears: Ears, mut orders: UnboundedReceiver<(RunnerId, Order)>) {
        let mut beat = interval(BEAT);
        loop {
            let touched = tokio::select! {
                Some(hello) = ears.hellos.next() => {
                    self.greet(&hello).await;
                    None
                }
                Some(question) = ears.clocks.next() => {
                    self.tell_time(question).await;
                    None
                }
                Some(frame) = ears.frames.next() => self.hear(&frame).await,
                order = orders.recv() => match order {
                    Some((runner, order)) => self.say(runner, &order),
                    None => break,
                },
                _ = beat.tick() => {
                    self.look_after();
                    self.send_to_all().await;
                    None
                }
            };
            if let Some(runner) = touched {
                self.send(runner).await;
            }
        }
        let farewell = async {
            let waits =
                |member: &Member| member.state == Standing::Here && !member.conversation.is_heard();
            while self.members.values().any(waits) {
                tokio::select! {
                    Some(frame) = ears.frames.next() => { self.hear(&frame).await; }
                    _ = beat.tick() => {
                        self.send_to_all().await;
                    }
                }
            }
        };
        let _ = timeout(FAREWELL, farewell).await;
        let _ = timeout(FAREWELL, self.client.flush()).await;
    }

    /// A runner says hello.
    async fn greet(&mut self, hello: &Post) {
        let Some(reply) = hello.reply.clone() else {
            return;
        };
        let Some(Hello {
            fingerprint,
            conversation,
        }) = decode(&hello.payload)
        else {
            return;
        };
        let differences = self.fingerprint.differences(&fingerprint, &self.entries);
        if !differences.is_empty() {
            let refusal = encode(&Welcome::Refused(differences));
            self.publish(reply.to_string(), refusal).await;
            return;
        }
        if !self.names.contains_key(&conversation) {
            let runner = RunnerId(u32::try_from(self.members.len()).unwrap_or(u32::MAX));
            let now = Instant::now();
            let member = Member {
                conversation: Conversation::new(conversation),
                name: conversation,
                heard: now,
                spoken: now,
                state: Standing::Here,
            };
            self.names.insert(conversation, runner);
            self.members.insert(runner, member);
        }
        self.publish(reply.to_string(), self.welcome.clone()).await;
    }

    async fn tell_time(&self, question: Post) {
        if let Some(reply) = question.reply {
            let shows = u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(u64::MAX);
            self.publish(reply.to_string(), encode(&shows)).await;
        }
    }

    /// A runner says something; who it is.
    async fn hear(&mut self, post: &Post) -> Option<RunnerId> {
        let frame: Frame = decode(&post.payload)?;
        let now = self.epoch.elapsed();
        let name = frame.conversation;
        let runner = self.names.get(&name).copied();
        let member = runner.and_then(|runner| self.members.get_mut(&runner));
        let member = member.filter(|member| member.state != Standing::Lost);
        let Some((runner, member)) = runner.zip(member) else {
            let gone = encode(&Down::Gone);
            self.publish(self.subjects.down(name), gone).await;
            return None;
        };
        member.heard = Instant::now();
        for said in member.conversation.hear(now, frame) {
            let Some(message) = decode::<Message>(&said) else {
                continue;
            };
            if matches!(message, Message::Bye | Message::Died) {
                member.state = Standing::Gone;
            }
            // Nobody listens any more when the run is over.
            let _ = self.messages.send((runner, message));
        }
        Some(runner)
    }

    fn say(&mut self, runner: RunnerId, order: &Order) -> Option<RunnerId> {
        let member = self.members.get_mut(&runner)?;
        member.conversation.say(encode(order));
        Some(runner)
    }

    /// Takes note of runners that have not been heard of for too long, unless that is because the
    /// controller itself hears nothing.
    fn look_after(&mut self) {
        let now = Instant::now();
        if self.client.connection_state() != State::Connected {
            self.connected_since = now;
        }
        let deaf_until = self.connected_since;
        for (runner, member) in &mut self.members {
            let silent = now.saturating_duration_since(member.heard.max(deaf_until));
            if member.state == Standing::Here && silent >= LOST {
                member.state = Standing::Lost;
                let _ = self.messages.send((*runner, Message::Lost));
            }
        }
    }

    async fn send_to_all(&mut self) {
        for runner in self.members.keys().copied().collect::<Vec<_>>() {
            self.send(runner).await;
        }
    }

    /// Sends a runner what is due.
    async fn send(&mut self, runner: RunnerId) {
        // What is sent into a closed door waits in front of it and keeps others from going in.
        if self.client.connection_state() != State::Connected {
            return;
        }
        let now = self.epoch.elapsed();
        let Some(member) = self.members.get_mut(&runner) else {
            return;
        };
        if member.state == Standing::Lost {
            return;
        }
        let mut due = member.conversation.due(now);
        let is_here = member.state == Standing::Here;
        if due.is_empty() && is_here && member.spoken.elapsed() >= HEARTBEAT {
            due.push(member.conversation.word());
        }
        if due.is_empty() {
            return;
        }
        member.spoken = Instant::now();
        let subject = self.subjects.down(member.name);
        for frame in due {
            self.publish(subject.clone(), encode(&Down::Frame(frame)))
                .await;
        }
    }

    async fn publish(&self, subject: String, payload: Bytes) {
        publish(&self.client, subject, payload).await;
    }
}
