//! Heads that are odd, oversized or none, and interim answers before them.

use std::{fmt::Write as _, io};

use super::{Then, peer::Peer};

const END: &str = "content-length: 5\r\n\r\nfine\n";

pub(super) async fn head(peer: &mut Peer, how: &[&str]) -> io::Result<Then> {
    match how {
        ["not-http"] => {
            peer.send("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n").await?;
            Ok(Then::Close)
        }
        ["many", count] => {
            let Ok(count) = count.parse::<usize>() else {
                return peer.unknown().await;
            };
            let mut head = "HTTP/1.1 200 OK\r\n".to_owned();
            for number in 0..count {
                let _ = write!(head, "x-number-{number}: {number}\r\n");
            }
            peer.send(head + END).await?;
            Ok(Then::Keep)
        }
        ["huge", bytes] => {
            let Ok(bytes) = bytes.parse() else {
                return peer.unknown().await;
            };
            let value = "x".repeat(bytes);
            peer.send(format!("HTTP/1.1 200 OK\r\nx-huge: {value}\r\n{END}"))
                .await?;
            Ok(Then::Keep)
        }
        ["byte-by-byte"] => {
            peer.send_slowly(format!("HTTP/1.1 200 OK\r\n{END}"))
                .await?;
            Ok(Then::Keep)
        }
        ["bad-header"] => close_after(peer, "HTTP/1.1 200 OK\r\nno colon here\r\n").await,
        ["bad-status"] => close_after(peer, "HTTP/1.1 fine OK\r\n").await,
        ["bad-version"] => close_after(peer, "HTTP/9.7 200 OK\r\n").await,
        ["http-1.0"] => close_after(peer, "HTTP/1.0 200 OK\r\n").await,
        ["status", code] => match code.parse::<u16>() {
            // These have neither a body nor a length (RFC 9110, 8.6).
            Ok(code @ (204 | 304)) => {
                peer.send(format!("HTTP/1.1 {code} Nothing\r\n\r\n"))
                    .await?;
                Ok(Then::Keep)
            }
            Ok(code) => peer.answer(&format!("{code} So"), "", "").await,
            Err(_) => peer.unknown().await,
        },
        _ => peer.unknown().await,
    }
}

async fn close_after(peer: &mut Peer, head: &str) -> io::Result<Then> {
    peer.send(format!("{head}{END}")).await?;
    Ok(Then::Close)
}

pub(super) async fn interim(peer: &mut Peer, how: &[&str]) -> io::Result<Then> {
    let hint = "HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n";
    match how {
        ["endless"] => return peer.send_for_ever(hint).await,
        ["switching"] => {
            let switch = "HTTP/1.1 101 Switching Protocols\r\n\
                          connection: upgrade\r\nupgrade: tea\r\n\r\n";
            peer.send(switch).await?;
            return peer.stall().await;
        }
        ["many", count] => {
            let Ok(count) = count.parse() else {
                return peer.unknown().await;
            };
            for _ in 0..count {
                peer.send(hint).await?;
            }
        }
        [code] => {
            let Ok(code @ (100 | 102..=199)) = code.parse::<u16>() else {
                return peer.unknown().await;
            };
            peer.send(format!("HTTP/1.1 {code} So\r\n\r\n")).await?;
        }
        _ => return peer.unknown().await,
    }
    peer.ok("fine\n").await
}
