//! A server that misbehaves: the path of a request says how.
//!
//! HTTP/1.1 is written by hand, byte by byte; [`Http2`] is its sibling for HTTP/2. Each counts what
//! it is asked for, so that a test can compare that with what a client says it has done.
//!
//! A request's body is read to its end before the answer, unless the path is of `/expect` or
//! `/early`. What is `{so}` written is a number.
//!
//! | Path | What happens |
//! |---|---|
//! | `/ok` | 200 `fine`, and the connection is kept |
//! | `/echo` | 200 with the head of the request as the body |
//! | `/close/before-a-byte` | closes |
//! | `/close/in-status-line`, `/close/in-header` | closes after half of it |
//! | `/close/after-answer` | answers as if it kept the connection, and closes |
//! | `/close/when-idle/{ms}` | answers, and closes when nothing has come for so long |
//! | `/reset/before-head`, `/reset/in-head`, `/reset/after-head`, `/reset/in-body` | RST |
//! | `/reset/every/{n}` | RST to every n-th request of this path, else as `/ok` |
//! | `/stall/before-head`, `/stall/in-header`, `/stall/in-body` | says no more, for ever |
//! | `/length/too-long` | announces 100 bytes, sends 10, closes |
//! | `/length/too-short` | announces 10 bytes, sends 15, goes on |
//! | `/length/twice`, `/length/negative`, `/length/no-number`, `/length/and-chunked` | not valid |
//! | `/length/none` | no length; the end of the connection is the end of the body: valid |
//! | `/length/none-and-cut` | the same, but without the goodbye that TLS has for an end |
//! | `/chunked/byte-by-byte` | 20 bytes in chunks of one, each byte sent on its own: valid |
//! | `/chunked/trailers` | with two trailer fields: valid |
//! | `/chunked/bad-size`, `/chunked/bad-end`, `/chunked/huge-size` | broken framing |
//! | `/chunked/no-last-chunk` | closes where the last chunk would be |
//! | `/endless/length`, `/endless/chunked` | a body of [`ENDLESS`] bytes: valid |
//! | `/drip/{bytes}/{ms}` | a body of so many bytes, one each so many milliseconds: valid |
//! | `/head/not-http` | an SSH greeting |
//! | `/head/many/{n}` | 200 with so many header fields |
//! | `/head/huge/{bytes}` | 200 with a header field of so many bytes |
//! | `/head/byte-by-byte` | a head that comes byte by byte: valid |
//! | `/head/bad-header`, `/head/bad-status`, `/head/bad-version` | not valid |
//! | `/head/status/{code}` | this status, without a body: valid |
//! | `/head/http-1.0` | an answer of HTTP/1.0, which ends the connection: valid |
//! | `/interim/{code}`, `/interim/many/{n}` | interim answers 1xx before the 200: valid |
//! | `/interim/endless` | interim answers for ever |
//! | `/interim/switching` | 101 to who has not asked for it |
//! | `/encoding/gzip`, `/encoding/deflate`, `/encoding/raw-deflate` | [`PLAIN`], encoded: valid |
//! | `/encoding/twice` | [`PLAIN`] in gzip in gzip: valid |
//! | `/encoding/members` | [`PLAIN`] in two gzip members, one after the other: valid |
//! | `/encoding/empty` | gzip is announced, and there is no body |
//! | `/encoding/corrupt`, `/encoding/truncated`, `/encoding/trailing` | broken gzip, well framed |
//! | `/encoding/plain` | gzip is announced, and it is plain text |
//! | `/encoding/br`, `/encoding/zstd` | [`PLAIN`], encoded: valid |
//! | `/encoding/br-corrupt`, `/encoding/br-truncated`, `/encoding/br-plain` | broken brotli |
//! | `/encoding/zstd-corrupt`, `/encoding/zstd-truncated`, `/encoding/zstd-plain` | broken zstd |
//! | `/encoding/deflate-truncated` | broken deflate |
//! | `/encoding/unknown` | in an encoding nobody knows |
//! | `/encoding/bomb` | 1 GiB of zeros in 1 MiB of gzip: valid |
//! | `/redirect/loop` | 302 to itself |
//! | `/redirect/chain/{n}` | so many redirections, then `/ok` |
//! | `/redirect/no-location`, `/redirect/bad-location`, `/redirect/other-scheme` | 302 |
//! | `/redirect/to/{code}?{url}` | this status with this location, as it stands |
//! | `/expect/granted` | 100, reads the body, 200 |
//! | `/expect/refused` | 417 without 100; reads on |
//! | `/expect/ignored` | no 100; reads the body, 200 |
//! | `/expect/final` | 200 at once without 100; reads on |
//! | `/early/answer`, `/early/close`, `/early/reset` | 413 before the body, then so |
//! | `/cookies/set?{cookie}&{cookie}` | a `set-cookie` for each, percent-decoded |
//! | `/cookies/odd` | a `set-cookie` for each of [`ODD_COOKIES`] |
//! | `/events/{n}/{ms}` | so many server-sent events, one each so many milliseconds: valid |
//! | `/events/endless/{ms}` | events for ever |
//! | `/events/forms` | [`FORMED_EVENTS`], in each form a stream may have, byte by byte: valid |
//! | anything else | 404 |
//!
//! A TLS handshake that meets the plain server is never answered.

mod bodies;
mod cookies;
mod deaf;
mod encodings;
mod endings;
mod events;
mod faulty;
mod heads;
mod http2;
mod listener;
mod peer;
mod redirects;
mod seen;
mod tls;
mod uploads;

use std::{io, net::SocketAddr, sync::Arc};

use tokio::net::TcpStream;

use self::{
    listener::Listener,
    peer::{Head, Peer},
    seen::Seen,
};
use crate::certificates::Identity;

pub use bodies::ENDLESS;
pub use cookies::ODD_COOKIES;
pub use deaf::Deaf;
pub use encodings::PLAIN;
pub use events::FORMED_EVENTS;
pub use faulty::Faulty;
pub use http2::{GoAway, Http2, Http2Config};
pub use tls::{Handshake, NoTls};

/// A server that misbehaves over HTTP/1.1; dropping it ends all it is at. [How](self).
#[derive(Debug)]
pub struct Hostile {
    listener: Listener,
    seen: Arc<Seen>,
    scheme: &'static str,
}

impl Hostile {
    /// Starts one in the clear.
    pub fn start() -> Self {
        let seen = Arc::new(Seen::default());
        let counts = Arc::clone(&seen);
        let listener = Listener::start(move |stream| {
            let seen = Arc::clone(&counts);
            async move {
                if tls::greets(&stream).await? {
                    seen.handshake();
                    return tls::ignore(stream).await;
                }
                converse(Peer::new(stream), &seen).await
            }
        });
        Self {
            listener,
            seen,
            scheme: "http",
        }
    }

    /// Starts one behind TLS, whose handshake is without fault.
    pub fn https(identity: &Identity) -> Self {
        let seen = Arc::new(Seen::default());
        let counts = Arc::clone(&seen);
        let acceptor = tls::acceptor(identity, &[]);
        let listener = Listener::start(move |stream: TcpStream| {
            let (seen, acceptor) = (Arc::clone(&counts), acceptor.clone());
            async move {
                seen.handshake();
                let stream = acceptor.accept(stream).await?;
                converse(Peer::new(stream), &seen).await
            }
        });
        Self {
            listener,
            seen,
            scheme: "https",
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

    /// How many TLS handshakes were begun.
    pub fn handshakes(&self) -> u64 {
        self.seen.handshakes()
    }

    /// How many connections it has reset.
    pub fn resets(&self) -> u64 {
        self.seen.resets()
    }

    /// How many requests there were of this path, whatever their query; counted when the head was
    /// there.
    pub fn hits(&self, path: &str) -> u64 {
        self.seen.hits(path)
    }

    /// How many requests there were.
    pub fn requests(&self) -> u64 {
        self.seen.requests()
    }

    /// The bytes of the bodies of requests of this path that have arrived, chunk framing left out.
    pub fn body_bytes(&self, path: &str) -> u64 {
        self.seen.body_bytes(path)
    }

    /// The head of the last request of this path, as it came.
    pub fn last_head(&self, path: &str) -> Option<String> {
        self.seen.last_head(path)
    }
}

/// What becomes of a connection after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Keep,
    Close,
    /// Closes without a word of TLS.
    Cut,
    Reset,
}

/// Answers what comes on one connection until one of both has had enough.
async fn converse(mut peer: Peer, seen: &Seen) -> io::Result<()> {
    while let Some(head) = peer.read_head().await? {
        seen.hit(&head);
        let early = ["/expect/", "/early/"];
        if !early.iter().any(|prefix| head.path().starts_with(prefix)) {
            // What has not been read when a connection is closed turns the close into a reset.
            peer.read_body(&head, seen).await?;
        }
        match answer(&mut peer, &head, seen).await? {
            Then::Keep => {}
            Then::Close => break,
            Then::Cut => return Ok(()),
            Then::Reset => {
                seen.reset();
                return peer.reset();
            }
        }
    }
    peer.close().await
}

async fn answer(peer: &mut Peer, head: &Head, seen: &Seen) -> io::Result<Then> {
    let path: Vec<&str> = head.path().split('/').skip(1).collect();
    match path.as_slice() {
        ["ok"] => peer.ok("fine\n").await,
        ["echo"] => peer.ok(head.text()).await,
        ["close", how @ ..] => endings::close(peer, how).await,
        ["reset", "every", nth] => endings::reset_every(peer, nth, head, seen).await,
        ["reset", how] => endings::reset(peer, how).await,
        ["stall", how] => endings::stall(peer, how).await,
        ["length", how] => bodies::length(peer, how).await,
        ["chunked", how] => bodies::chunked(peer, how).await,
        ["endless", how] => bodies::endless(peer, how).await,
        ["drip", bytes, pause] => bodies::drip(peer, bytes, pause).await,
        ["head", how @ ..] => heads::head(peer, how).await,
        ["interim", how @ ..] => heads::interim(peer, how).await,
        ["encoding", how] => encodings::answer(peer, how).await,
        ["redirect", how @ ..] => redirects::answer(peer, how, head).await,
        ["cookies", how] => cookies::answer(peer, how, head.query()).await,
        ["events", how @ ..] => events::answer(peer, how).await,
        ["expect", how] => uploads::expect(peer, how, head, seen).await,
        ["early", how] => uploads::early(peer, how, head, seen).await,
        _ => peer.unknown().await,
    }
}
