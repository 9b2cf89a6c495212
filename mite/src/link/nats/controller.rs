//! The controller's side of the bus, on a thread of its own, so that neither waits for the other.

use std::{thread::Builder, time::Duration};

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
    journal::{ABANDONED, LastEntry, left_behind},
    subjects::Subjects,
    talk::{Down, Hello, Welcome, publish},
};
use crate::{
    id::RunnerId,
    link::{
        ControllerEnd, Heard, Word,
        conversation::Frame,
        sessions::{Hearing, Sessions},
        wire::{decode, encode},
    },
};

/// How often what is late is looked after.
const BEAT: Duration = Duration::from_millis(100);
/// How long another controller may take to say that it is there.
const ANSWER: Duration = Duration::from_millis(500);
/// How long NATS may take to say what has been left behind; where it may not be asked it says nothing.
const LOOK: Duration = Duration::from_secs(2);
/// Another controller takes over only after a longer silence than this.
const FRESH: Duration = Duration::from_secs(2);
/// How long the last words may take to be heard.
const FAREWELL: Duration = Duration::from_secs(2);

/// How a controller leads.
#[derive(Clone, Debug)]
pub(crate) enum Lead {
    /// Its run ends with it.
    Alone,
    /// Another can take its place: runners are told of what was heard when that is kept.
    Kept(LastEntry),
    /// It takes the place of another, whose words it is told before it speaks.
    Successor(LastEntry),
}

/// Opens the controller's end of a link over NATS. Its clock shows the time since `epoch`.
///
/// # Errors
/// When NATS cannot be reached or does not let us in.
pub(crate) async fn open(
    options: Options,
    assignment: Assignment,
    fingerprint: Fingerprint,
    epoch: Instant,
    lead: Lead,
) -> Result<ControllerEnd, BusError> {
    let subjects = Subjects::new(&options.prefix)?;
    let (words, heard_words) = unbounded_channel();
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
            let listening = Listening::start(&options, &subjects, &lead).await;
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
                sessions: match lead {
                    Lead::Alone => Sessions::default(),
                    Lead::Kept(_) | Lead::Successor(_) => Sessions::confirmed_by_hand(),
                },
                last_entry: match &lead {
                    Lead::Alone => None,
                    Lead::Kept(last) | Lead::Successor(last) => Some(last.clone()),
                },
                messages,
            };
            // Whoever asked may have gone.
            let _ = opened.send(Ok(()));
            bus.serve(ears, heard_words, &lead).await;
        });
    };
    Builder::new()
        .name("mite-bus".to_owned())
        .spawn(bus)
        .map_err(BusError::Thread)?;
    let gone = || BusError::Thread(std::io::Error::other("it ended at once"));
    is_open.await.map_err(|_| gone())??;
    Ok(ControllerEnd {
        words,
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
    async fn start(options: &Options, subjects: &Subjects, lead: &Lead) -> Result<Self, BusError> {
        let client = options.connect("mite controller").await?;
        // Whoever takes over knows that nobody else leads.
        if !matches!(lead, Lead::Successor(_)) && is_taken(&client, subjects).await {
            return Err(BusError::Taken(options.prefix.clone()));
        }
        if let Lead::Alone = lead
            && let Some(age) = run_without_controller(&client, subjects).await
        {
            return Err(BusError::LeftBehind(options.prefix.clone(), age));
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

/// For how long a run has been without its controller that another can go on with: who knows nothing
/// of it would send its runners away.
async fn run_without_controller(client: &Client, subjects: &Subjects) -> Option<Duration> {
    let left = timeout(LOOK, left_behind(client, subjects)).await;
    left.ok().flatten().filter(|age| *age <= ABANDONED)
}

struct Bus {
    client: Client,
    subjects: Subjects,
    welcome: Bytes,
    entries: Vec<AssignedEntry>,
    fingerprint: Fingerprint,
    epoch: Instant,
    sessions: Sessions,
    /// When something was kept last, where things are.
    last_entry: Option<LastEntry>,
    messages: UnboundedSender<Heard>,
}

impl Bus {
    async fn serve(mut self, mut ears: Ears, mut words: UnboundedReceiver<Word>, lead: &Lead) {
        if matches!(lead, Lead::Successor(_)) && !self.follow(&mut words).await {
            return;
        }
        self.sessions.is_deaf(self.epoch.elapsed());
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
                word = words.recv() => match word {
                    Some(word) => self.obey(&word),
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
        // Some may wait only to hear that their last word was kept.
        self.send_to_all().await;
        let farewell = async {
            while !self.sessions.are_heard() {
                tokio::select! {
                    Some(frame) = ears.frames.next() => { self.hear(&frame).await; }
                    _ = beat.tick() => self.send_to_all().await,
                }
            }
        };
        let _ = timeout(FAREWELL, farewell).await;
        let _ = timeout(FAREWELL, self.client.flush()).await;
    }

    /// Learns what the former controller has said; whether this one is to go on.
    async fn follow(&mut self, words: &mut UnboundedReceiver<Word>) -> bool {
        loop {
            match words.recv().await {
                Some(Word::TakeOver) => return true,
                Some(word) => {
                    self.obey(&word);
                }
                None => return false,
            }
        }
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
        self.sessions.greet(self.epoch.elapsed(), conversation);
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
        match self.sessions.hear(self.epoch.elapsed(), frame) {
            Hearing::Said(runner, said) => {
                said.into_iter().for_each(|heard| self.pass_on(heard));
                Some(runner)
            }
            // Another may have taken over, and know who that is.
            Hearing::Unknown(_) if self.is_out_of_date() => None,
            Hearing::Unknown(name) => {
                let gone = encode(&Down::Gone);
                self.publish(self.subjects.down(name), gone).await;
                None
            }
        }
    }

    /// Whether it is so long since something was kept that another controller may lead.
    fn is_out_of_date(&self) -> bool {
        let last = self.last_entry.as_ref();
        last.is_some_and(|last| last.age() > FRESH)
    }

    fn pass_on(&self, heard: Heard) {
        // Nobody listens any more when the run is over.
        let _ = self.messages.send(heard);
    }

    /// Does what the controller says; the runner that is to be sent something now.
    fn obey(&mut self, word: &Word) -> Option<RunnerId> {
        match word {
            Word::Order(runner, order) => {
                self.sessions.say(*runner, order);
                Some(*runner)
            }
            Word::Confirm(runner, mark) => {
                self.sessions.confirm(self.epoch.elapsed(), *runner, *mark);
                Some(*runner)
            }
            Word::Over(runner, is_lost) => {
                self.sessions.over(*runner, *is_lost);
                None
            }
            Word::NothingIsKept => {
                self.last_entry = None;
                self.sessions.confirm_all();
                None
            }
            Word::TakeOver => None,
        }
    }

    /// Takes note of runners that have not been heard of for too long.
    fn look_after(&mut self) {
        let now = self.epoch.elapsed();
        if self.client.connection_state() != State::Connected {
            self.sessions.is_deaf(now);
        }
        for lost in self.sessions.lost(now) {
            self.pass_on(lost);
        }
    }

    async fn send_to_all(&mut self) {
        for runner in self.sessions.runners() {
            self.send(runner).await;
        }
    }

    /// Sends a runner what is due.
    async fn send(&mut self, runner: RunnerId) {
        // What is sent into a closed door waits in front of it and keeps others from going in.
        if self.client.connection_state() != State::Connected {
            return;
        }
        let (name, due) = self.sessions.due(self.epoch.elapsed(), runner);
        let subject = self.subjects.down(name);
        for frame in due {
            self.publish(subject.clone(), encode(&Down::Frame(frame)))
                .await;
        }
    }

    async fn publish(&self, subject: String, payload: Bytes) {
        publish(&self.client, subject, payload).await;
    }
}
