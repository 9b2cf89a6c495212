//! Bodies that are not what their heads say, or more than one wants.

use std::{io, time::Duration};

use tokio::time::sleep;

use super::{Then, peer::Peer};

/// The length of an endless body, bytes: 1 GiB.
pub const ENDLESS: u64 = 1 << 30;

const BLOCK: usize = 64 << 10;

const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

pub(super) async fn length(peer: &mut Peer, how: &str) -> io::Result<Then> {
    let (headers, body) = match how {
        "too-long" => ("content-length: 100\r\n", "ten bytes\n"),
        "too-short" => ("content-length: 10\r\n", "fifteen bytes!\n"),
        "twice" => ("content-length: 10\r\ncontent-length: 5\r\n", "ten bytes\n"),
        "negative" => ("content-length: -10\r\n", "ten bytes\n"),
        "no-number" => ("content-length: ten\r\n", "ten bytes\n"),
        "and-chunked" => (
            "content-length: 10\r\ntransfer-encoding: chunked\r\n",
            "a\r\nten bytes\n\r\n0\r\n\r\n",
        ),
        "none" | "none-and-cut" => ("", "ten bytes\n"),
        _ => return peer.unknown().await,
    };
    peer.send(format!("HTTP/1.1 200 OK\r\n{headers}\r\n{body}"))
        .await?;
    Ok(match how {
        "too-short" | "and-chunked" => Then::Keep,
        "none-and-cut" => Then::Cut,
        _ => Then::Close,
    })
}

pub(super) async fn chunked(peer: &mut Peer, how: &str) -> io::Result<Then> {
    let chunks = match how {
        "byte-by-byte" => {
            peer.send(CHUNKED).await?;
            peer.send_slowly("1\r\n.\r\n".repeat(20) + "0\r\n\r\n")
                .await?;
            return Ok(Then::Keep);
        }
        "trailers" => "a\r\nten bytes\n\r\n0\r\nx-first: 1\r\nx-second: 2\r\n\r\n",
        "bad-size" => "a\r\nten bytes\n\r\nnumber\r\nmore\r\n0\r\n\r\n",
        "bad-end" => "5\r\nten bytes\n\r\n0\r\n\r\n",
        "huge-size" => "a\r\nten bytes\n\r\nfffffffffffffffff\r\nmore",
        "no-last-chunk" => "a\r\nten bytes\n\r\n",
        _ => return peer.unknown().await,
    };
    peer.send(format!("{CHUNKED}{chunks}")).await?;
    Ok(match how {
        "trailers" => Then::Keep,
        _ => Then::Close,
    })
}

pub(super) async fn endless(peer: &mut Peer, how: &str) -> io::Result<Then> {
    let (head, block, end) = match how {
        "length" => {
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {ENDLESS}\r\n\r\n");
            (head, "x".repeat(BLOCK), "")
        }
        "chunked" => {
            let chunk = format!("{BLOCK:x}\r\n{}\r\n", "x".repeat(BLOCK));
            (CHUNKED.to_owned(), chunk, "0\r\n\r\n")
        }
        _ => return peer.unknown().await,
    };
    peer.send(head).await?;
    for _ in 0..ENDLESS / BLOCK as u64 {
        peer.send(&block).await?;
    }
    peer.send(end).await?;
    Ok(Then::Keep)
}

pub(super) async fn drip(peer: &mut Peer, bytes: &str, pause: &str) -> io::Result<Then> {
    let (Ok(bytes), Ok(pause)) = (bytes.parse::<usize>(), pause.parse()) else {
        return peer.unknown().await;
    };
    peer.send(format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {bytes}\r\n\r\n"
    ))
    .await?;
    for _ in 0..bytes {
        sleep(Duration::from_millis(pause)).await;
        peer.send(".").await?;
    }
    Ok(Then::Keep)
}
