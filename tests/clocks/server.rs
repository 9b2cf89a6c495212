//! A server that is fast for four seconds of each five and holds every answer during the other.

use std::{
    net::SocketAddr,
    sync::mpsc,
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
}

impl Stalling {
    pub(crate) fn start() -> Self {
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                sender.send(listener.local_addr().unwrap()).unwrap();
                let mut began = None;
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    // The run begins with its first connection.
                    let began = *began.get_or_insert_with(Instant::now);
                    tokio::spawn(serve(stream, began));
                }
            });
        });
        Self {
            address: receiver.recv().unwrap(),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn serve(mut stream: TcpStream, began: Instant) {
    stream.set_nodelay(true).unwrap();
    let mut head = Vec::with_capacity(1024);
    // The client is gone when reading ends.
    while let Ok(1..) = stream.read_buf(&mut head).await {
        if !head.ends_with(b"\r\n\r\n") {
            continue;
        }
        head.clear();
        hold(began).await;
        if stream.write_all(ANSWER).await.is_err() {
            return;
        }
    }
}

/// Waits for the end of the stall, if there is one.
async fn hold(began: Instant) {
    let elapsed = began.elapsed();
    let periods = u32::try_from(elapsed.as_secs() / PERIOD.as_secs()).unwrap();
    let age = elapsed - PERIOD * periods;
    if (STALL_BEGINS..STALL_ENDS).contains(&age) {
        sleep_until((began + PERIOD * periods + STALL_ENDS).into()).await;
    }
}
