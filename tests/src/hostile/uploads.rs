//! Answers to a request whose body has not come yet.

use std::{io, time::Duration};

use super::{
    Then,
    peer::{Head, Peer},
    seen::Seen,
};

/// A reset overtakes what was sent before it, unless the client has had the time to read that.
const TIME_TO_READ: Duration = Duration::from_millis(30);

/// To a client that has said `Expect: 100-continue`, or has not.
pub(super) async fn expect(
    peer: &mut Peer,
    how: &str,
    head: &Head,
    seen: &Seen,
) -> io::Result<Then> {
    match how {
        "granted" => {
            peer.send("HTTP/1.1 100 Continue\r\n\r\n").await?;
            peer.read_body(head, seen).await?;
            peer.ok("thank you\n").await
        }
        "ignored" => {
            peer.read_body(head, seen).await?;
            peer.ok("thank you\n").await
        }
        "refused" => {
            let refusal = "HTTP/1.1 417 Expectation Failed\r\nconnection: close\r\n\
                           content-length: 0\r\n\r\n";
            peer.send(refusal).await?;
            read_on(peer, head, seen).await
        }
        "final" => {
            let answer = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
            peer.send(answer).await?;
            read_on(peer, head, seen).await
        }
        _ => peer.unknown().await,
    }
}

/// To a client that sends at once.
pub(super) async fn early(
    peer: &mut Peer,
    how: &str,
    head: &Head,
    seen: &Seen,
) -> io::Result<Then> {
    let answer = "HTTP/1.1 413 Content Too Large\r\nconnection: close\r\n\
                  content-length: 0\r\n\r\n";
    match how {
        "answer" => {
            peer.send(answer).await?;
            read_on(peer, head, seen).await
        }
        "close" => {
            peer.send(answer).await?;
            Ok(Then::Close)
        }
        "reset" => {
            peer.send(answer).await?;
            tokio::time::sleep(TIME_TO_READ).await;
            Ok(Then::Reset)
        }
        _ => peer.unknown().await,
    }
}

/// Counts what still comes, and closes when the client has.
async fn read_on(peer: &mut Peer, head: &Head, seen: &Seen) -> io::Result<Then> {
    peer.read_all(head.path(), seen).await?;
    Ok(Then::Close)
}
