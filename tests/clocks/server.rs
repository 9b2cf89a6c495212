//! A server that is fast for four seconds of each five and holds every answer during the other.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    ops::Range,
    sync::{Arc, Mutex, OnceLock, mpsc},
    thread,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Builder,
    time::sleep_until,
};

/// From one stall to the next.
pub(crate) const PERIOD: Duration = Duration::from_secs(5);
/// When in each period it begins; away from its ends, so that a run of whole periods ends in quiet.
const STALL_BEGINS: Duration = Duration::from_secs(2);
/// When it ends; all that was held is answered at once.
const STALL_ENDS: Duration = Duration::from_secs(3);

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// A stalling server on a thread of its own, until the test process ends.
pub(crate) struct Stalling {
    address: SocketAddr,
    log: Arc<Log>,
}

/// What the server itself saw.
#[derive(Default)]
struct Log {
    /// The run begins with its first connection.
    began: OnceLock<Instant>,
    answers: Mutex<Vec<Answer>>,
}

/// An answer, when it was begun.
#[derive(Clone, Copy)]
pub(crate) struct Answer {
    /// The number that was asked for.
    pub(crate) number: usize,
    pub(crate) at: Instant,
    /// The period in whose stall it was held.
    held: Option<u32>,
}

impl Stalling {
    pub(crate) fn start() -> Self {
        let (sender, receiver) = mpsc::channel();
        let log = Arc::new(Log::default());
        let writes = Arc::clone(&log);
        thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                sender.send(listener.local_addr().unwrap()).unwrap();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    writes.began.get_or_init(Instant::now);
                    tokio::spawn(serve(stream, Arc::clone(&writes)));
                }
            });
        });
        Self {
            address: receiver.recv().unwrap(),
            log,
        }
    }

    /// All answers so far.
    pub(crate) fn answers(&self) -> Vec<Answer> {
        self.log.answers.lock().unwrap().clone()
    }

    /// When nothing was answered: from the beginning of each stall to the first answer after it,
    /// however late that was.
    pub(crate) fn holds(&self) -> Vec<Range<Instant>> {
        let began = *self.log.began.get().unwrap();
        let mut ends = BTreeMap::new();
        for answer in self.answers() {
            if let Some(period) = answer.held {
                let end = ends.entry(period).or_insert(answer.at);
                *end = answer.at.min(*end);
            }
        }
        let begins = |period| began + PERIOD * period + STALL_BEGINS;
        ends.into_iter()
            .map(|(period, end)| begins(period)..end)
            .collect()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn serve(mut stream: TcpStream, log: Arc<Log>) {
    stream.set_nodelay(true).unwrap();
    let mut head = Vec::with_capacity(1024);
    // The client is gone when reading ends.
    while let Ok(1..) = stream.read_buf(&mut head).await {
        if !head.ends_with(b"\r\n\r\n") {
            continue;
        }
        let number = number(&head);
        head.clear();
        let held = hold(*log.began.get().unwrap()).await;
        let at = Instant::now();
        let answer = Answer { number, at, held };
        log.answers.lock().unwrap().push(answer);
        if stream.write_all(ANSWER).await.is_err() {
            return;
        }
    }
}

/// Of `GET /17 HTTP/1.1`, the number.
fn number(head: &[u8]) -> usize {
    let head = std::str::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap();
    path.trim_start_matches('/').parse().unwrap()
}

/// Waits for the end of the stall, if there is one, and says of which period it was.
async fn hold(began: Instant) -> Option<u32> {
    let elapsed = began.elapsed();
    let periods = u32::try_from(elapsed.as_secs() / PERIOD.as_secs()).unwrap();
    let age = elapsed - PERIOD * periods;
    let holds = (STALL_BEGINS..STALL_ENDS).contains(&age);
    if holds {
        sleep_until((began + PERIOD * periods + STALL_ENDS).into()).await;
    }
    holds.then_some(periods)
}
