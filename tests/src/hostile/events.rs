//! Server-sent events.

use std::{io, time::Duration};

use tokio::time::sleep;

use super::{Then, peer::Peer};

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                    cache-control: no-store\r\ntransfer-encoding: chunked\r\n\r\n";

/// The data of the events of `/events/forms`. The third is of type `news` and has the id `7`, and
/// with the fourth comes a time to wait of 1500 ms.
pub const FORMED_EVENTS: [&str; 4] = ["first", "second\nline", "", "naïve"];

/// Each form of the standard once: a byte order mark, comments, the three ends of a line, data of
/// several lines, with a space after the colon, without, and without the colon; a type, an id, a
/// time to wait, an unknown field, an event without data, which is none, and one without an end,
/// which is none either.
const FORMS: &str = "\u{feff}: welcome\n\ndata: first\n\ndata:second\r\ndata: line\r\n\r\n\
                     event: news\rid: 7\rdata\r\rflavour: oat\nevent: nothing\n\nretry: 1500\n\
                     data: naïve\n\ndata: never ended\n";

pub(super) async fn answer(peer: &mut Peer, how: &[&str]) -> io::Result<Then> {
    match how {
        ["forms"] => {
            peer.send(HEAD).await?;
            // One byte at a time cuts every line end and every letter of two bytes.
            for byte in FORMS.as_bytes() {
                chunk(peer, &[*byte]).await?;
                tokio::task::yield_now().await;
            }
        }
        [count, pause] => {
            let count = match *count {
                "endless" => u64::MAX,
                count => match count.parse() {
                    Ok(count) => count,
                    Err(_) => return peer.unknown().await,
                },
            };
            let Ok(pause) = pause.parse() else {
                return peer.unknown().await;
            };
            peer.send(HEAD).await?;
            for number in 0..count {
                sleep(Duration::from_millis(pause)).await;
                let event = format!("id: {number}\nevent: tick\ndata: number {number}\n\n");
                chunk(peer, event.as_bytes()).await?;
            }
        }
        _ => return peer.unknown().await,
    }
    peer.send("0\r\n\r\n").await?;
    Ok(Then::Keep)
}

async fn chunk(peer: &mut Peer, bytes: &[u8]) -> io::Result<()> {
    let head = format!("{:x}\r\n", bytes.len());
    peer.send([head.as_bytes(), bytes, b"\r\n"].concat()).await
}
