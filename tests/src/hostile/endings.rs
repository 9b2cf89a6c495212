//! Connections that end, or do not go on, where they should not.

use std::{io, time::Duration};

use super::{
    Then,
    peer::{Head, Peer},
    seen::Seen,
};

const HALF_STATUS_LINE: &str = "HTTP/1.1 2";
const HALF_HEADER: &str = "HTTP/1.1 200 OK\r\ncontent-ty";
const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n";
const HALF_BODY: &str = "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf of it";

/// A reset overtakes what was sent before it, unless the client has had the time to read that.
const TIME_TO_READ: Duration = Duration::from_millis(30);

pub(super) async fn close(peer: &mut Peer, how: &[&str]) -> io::Result<Then> {
    match how {
        ["before-a-byte"] => {}
        ["in-status-line"] => peer.send(HALF_STATUS_LINE).await?,
        ["in-header"] => peer.send(HALF_HEADER).await?,
        ["after-answer"] => {
            peer.answer("200 OK", "connection: keep-alive\r\n", "fine\n")
                .await?;
        }
        ["when-idle", pause] => {
            peer.ok("fine\n").await?;
            let Ok(pause) = pause.parse() else {
                return peer.unknown().await;
            };
            if peer.hears_within(Duration::from_millis(pause)).await? {
                return Ok(Then::Keep);
            }
        }
        _ => return peer.unknown().await,
    }
    Ok(Then::Close)
}

pub(super) async fn reset(peer: &mut Peer, how: &str) -> io::Result<Then> {
    let sent = match how {
        "before-head" => "",
        "in-head" => HALF_HEADER,
        "after-head" => HEAD,
        "in-body" => HALF_BODY,
        _ => return peer.unknown().await,
    };
    if !sent.is_empty() {
        peer.send(sent).await?;
        tokio::time::sleep(TIME_TO_READ).await;
    }
    Ok(Then::Reset)
}

/// Resets every n-th request of its path, whichever connection it comes by.
pub(super) async fn reset_every(
    peer: &mut Peer,
    nth: &str,
    head: &Head,
    seen: &Seen,
) -> io::Result<Then> {
    let Some(nth) = nth.parse().ok().filter(|nth| *nth > 0) else {
        return peer.unknown().await;
    };
    // A request without a body is counted and answered in one go.
    if seen.hits(head.path()).is_multiple_of(nth) {
        return Ok(Then::Reset);
    }
    peer.ok("fine\n").await
}

pub(super) async fn stall(peer: &mut Peer, how: &str) -> io::Result<Then> {
    match how {
        "before-head" => {}
        "in-header" => peer.send(HALF_HEADER).await?,
        "in-body" => peer.send(HALF_BODY).await?,
        _ => return peer.unknown().await,
    }
    peer.stall().await
}
