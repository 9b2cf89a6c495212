//! A server that is right most of the time, and breaks off anywhere else.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::net::TcpStream;

use super::{listener::Listener, peer::Peer, seen::Seen, tls};
use crate::certificates::Identity;

/// A server of HTTP/1.1 that answers two of three requests well and keeps their connection, and
/// breaks off the other answers at any byte but after the last: it closes, resets or says no more.
///
/// What it does comes from a seed, whatever the path. It reads each request to its end first.
#[derive(Debug)]
pub struct Faulty {
    listener: Listener,
    counts: Arc<Counts>,
    scheme: &'static str,
}

#[derive(Debug, Default)]
struct Counts {
    requests: AtomicU64,
    answered: AtomicU64,
    stalled: AtomicU64,
}

/// What is done to an answer.
enum Fault {
    Close,
    Reset,
    Stall,
}

impl Faulty {
    /// Starts one in the clear.
    pub fn start(seed: u64) -> Self {
        Self::launch(seed, None)
    }

    /// Starts one behind TLS, whose handshake is without fault.
    pub fn https(seed: u64, identity: &Identity) -> Self {
        Self::launch(seed, Some(identity))
    }

    fn launch(seed: u64, identity: Option<&Identity>) -> Self {
        let acceptor = identity.map(|identity| tls::acceptor(identity, &[]));
        let scheme = if acceptor.is_some() { "https" } else { "http" };
        let counts = Arc::new(Counts::default());
        let (random, seen) = (
            Arc::new(Mutex::new(Random(seed))),
            Arc::new(Seen::default()),
        );
        let to_count = Arc::clone(&counts);
        let listener = Listener::start(move |stream: TcpStream| {
            let (random, seen) = (Arc::clone(&random), Arc::clone(&seen));
            let (counts, acceptor) = (Arc::clone(&to_count), acceptor.clone());
            async move {
                let peer = match acceptor {
                    Some(acceptor) => Peer::new(acceptor.accept(stream).await?),
                    None => Peer::new(stream),
                };
                converse(peer, &random, &counts, &seen).await
            }
        });
        Self {
            listener,
            counts,
            scheme,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// The URL of its root, without a slash at the end.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address())
    }

    /// How many connections it has accepted.
    pub fn connections(&self) -> u64 {
        self.listener.accepted()
    }

    /// How many requests have come.
    pub fn requests(&self) -> u64 {
        self.counts.requests.load(Ordering::SeqCst)
    }

    /// How many of them it has answered to the end.
    pub fn answered(&self) -> u64 {
        self.counts.answered.load(Ordering::SeqCst)
    }

    /// With how many of them it has said no more.
    pub fn stalled(&self) -> u64 {
        self.counts.stalled.load(Ordering::SeqCst)
    }
}

async fn converse(
    mut peer: Peer,
    random: &Mutex<Random>,
    counts: &Counts,
    seen: &Seen,
) -> io::Result<()> {
    while let Some(head) = peer.read_head().await? {
        counts.requests.fetch_add(1, Ordering::SeqCst);
        peer.read_body(&head, seen).await?;
        let (answer, fault) = {
            let mut random = random.lock().unwrap_or_else(PoisonError::into_inner);
            (random.answer(), random.fault())
        };
        let Some((fault, part)) = fault else {
            counts.answered.fetch_add(1, Ordering::SeqCst);
            peer.send(answer).await?;
            continue;
        };
        let length = answer.len() as u64 * part / 1000;
        if length > 0 {
            peer.send(&answer[..length as usize]).await?;
        }
        match fault {
            Fault::Close => break,
            Fault::Reset => return peer.reset(),
            Fault::Stall => {
                counts.stalled.fetch_add(1, Ordering::SeqCst);
                peer.stall().await?;
                break;
            }
        }
    }
    peer.close().await
}

/// Numbers as random as a test needs them (splitmix64).
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % end
    }

    /// A valid answer of any length, with a length or in chunks, after interim ones or not.
    fn answer(&mut self) -> Vec<u8> {
        let longest = [1, 100, 10_000, 200_000][self.below(4) as usize];
        let body = vec![b'x'; self.below(longest) as usize];
        let interim = match self.below(8) {
            0 => "HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n",
            _ => "",
        };
        let mut answer = format!("{interim}HTTP/1.1 200 OK\r\nx-padding: {:1$}\r\n", "", 40);
        if self.below(2) == 0 {
            answer += &format!("content-length: {}\r\n\r\n", body.len());
            return [answer.into_bytes(), body].concat();
        }
        answer += "transfer-encoding: chunked\r\n\r\n";
        let mut answer = answer.into_bytes();
        let size = 1 + self.below(5000) as usize;
        for chunk in body.chunks(size) {
            answer.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
            answer.extend_from_slice(chunk);
            answer.extend(b"\r\n");
        }
        answer.extend(b"0\r\n\r\n");
        answer
    }

    /// What goes wrong, and after how many thousandths of the answer.
    fn fault(&mut self) -> Option<(Fault, u64)> {
        let fault = match self.below(60) {
            0..40 => return None,
            40..50 => Fault::Close,
            50..58 => Fault::Reset,
            _ => Fault::Stall,
        };
        Some((fault, self.below(1000)))
    }
}
