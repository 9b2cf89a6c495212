//! Encoded bodies, good and bad, each in proper framing.

use std::io::{self, Write as _};

use flate2::{
    Compress, Compression, Crc, FlushCompress,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};

use super::{Then, peer::Peer};

/// What the encoded bodies hold.
pub const PLAIN: &str = "It was the best of times, it was the worst of times.\n";

/// Of the zeros of the bomb, what is encoded once and sent so many times.
const BOMB_BLOCK: usize = 1 << 20;
const BOMB_BLOCKS: u32 = 1 << 10;

pub(super) async fn answer(peer: &mut Peer, how: &str) -> io::Result<Then> {
    let (encoding, body) = match how {
        "gzip" => ("gzip", gzip(PLAIN)),
        "deflate" => ("deflate", zlib(PLAIN)),
        "raw-deflate" => ("deflate", raw_deflate(PLAIN)),
        "twice" => ("gzip, gzip", gzip(gzip(PLAIN))),
        "members" => {
            let (first, second) = PLAIN.split_at(10);
            ("gzip", [gzip(first), gzip(second)].concat())
        }
        "empty" => ("gzip", Vec::new()),
        "corrupt" => {
            let mut body = gzip(PLAIN);
            // Past the ten bytes of gzip's own head.
            body[10..20].fill(0xff);
            ("gzip", body)
        }
        "truncated" => {
            let mut body = gzip(PLAIN);
            body.truncate(body.len() / 2);
            ("gzip", body)
        }
        "trailing" => ("gzip", [gzip(PLAIN), b"and more".to_vec()].concat()),
        "plain" => ("gzip", PLAIN.into()),
        "unknown" => ("rot13", "Vg jnf gur orfg bs gvzrf.\n".into()),
        "bomb" => return bomb(peer).await,
        _ => return peer.unknown().await,
    };
    peer.answer("200 OK", &format!("content-encoding: {encoding}\r\n"), body)
        .await
}

fn gzip(plain: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain.as_ref()).unwrap();
    encoder.finish().unwrap()
}

fn zlib(plain: &str) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn raw_deflate(plain: &str) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// One member of gzip with 1 GiB of zeros. To encode so many takes long; a block of them that ends
/// at a byte and refers to nothing before it can be sent again and again.
async fn bomb(peer: &mut Peer) -> io::Result<Then> {
    let zeros = vec![0; BOMB_BLOCK];
    let mut block = Vec::with_capacity(BOMB_BLOCK);
    Compress::new(Compression::best(), false)
        .compress_vec(&zeros, &mut block, FlushCompress::Full)
        .map_err(io::Error::other)?;
    let mut of_block = Crc::new();
    of_block.update(&zeros);
    let mut crc = Crc::new();
    for _ in 0..BOMB_BLOCKS {
        crc.combine(&of_block);
    }
    let beginning: &[u8] = &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    // An empty last block, then the checksum and the length.
    let mut end = vec![3, 0];
    end.extend(crc.sum().to_le_bytes());
    end.extend(crc.amount().to_le_bytes());
    let length = beginning.len() + block.len() * BOMB_BLOCKS as usize + end.len();
    peer.send(format!(
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {length}\r\n\r\n"
    ))
    .await?;
    peer.send(beginning).await?;
    for _ in 0..BOMB_BLOCKS {
        peer.send(&block).await?;
    }
    peer.send(end).await?;
    Ok(Then::Keep)
}
