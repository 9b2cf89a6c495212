//! Redirections to anywhere.

use std::io;

use super::{
    Then,
    peer::{Head, Peer},
};

pub(super) async fn answer(peer: &mut Peer, how: &[&str], head: &Head) -> io::Result<Then> {
    let (code, location) = match how {
        ["loop"] => (302, "/redirect/loop".to_owned()),
        ["chain", count] => match count.parse::<u32>() {
            Ok(0 | 1) => (302, "/ok".to_owned()),
            Ok(count) => (302, format!("/redirect/chain/{}", count - 1)),
            Err(_) => return peer.unknown().await,
        },
        ["no-location"] => return peer.answer("302 Found", "", "nowhere to go\n").await,
        ["bad-location"] => (302, "http://[no such address]:port/".to_owned()),
        ["other-scheme"] => (302, "ftp://127.0.0.1/file".to_owned()),
        ["to", code] => match code.parse() {
            Ok(code @ 300..=399) => (code, head.query().to_owned()),
            _ => return peer.unknown().await,
        },
        _ => return peer.unknown().await,
    };
    let headers = format!("location: {location}\r\n");
    peer.answer(&format!("{code} Elsewhere"), &headers, "")
        .await
}
