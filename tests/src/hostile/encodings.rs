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
        "truncated" => ("gzip", half(gzip(PLAIN))),
        "trailing" => ("gzip", [gzip(PLAIN), b"and more".to_vec()].concat()),
        "plain" => ("gzip", PLAIN.into()),
        "br" => ("br", brotli(PLAIN)),
        "br-corrupt" => {
            let mut body = brotli(PLAIN);
            // A window that is reserved (RFC 7932, section 9.1).
            body[0] = 0x11;
            ("br", body)
        }
        "br-truncated" => ("br", half(brotli(PLAIN))),
        "br-plain" => ("br", PLAIN.into()),
        "zstd" => ("zstd", zstd(PLAIN)),
        "zstd-corrupt" => {
            let mut body = zstd(PLAIN);
            // A block of the reserved type (RFC 8878, section 3.1.1.2.2).
            body[6] |= 0b110;
            ("zstd", body)
        }
        "zstd-truncated" => ("zstd", half(zstd(PLAIN))),
        "zstd-plain" => ("zstd", PLAIN.into()),
        "deflate-truncated" => ("deflate", half(zlib(PLAIN))),
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

/// A stream of brotli (RFC 7932) in which nothing is compressed: its head, one block, its end.
fn brotli(plain: &str) -> Vec<u8> {
    let [low, high] = u16::try_from(plain.len() - 1).unwrap().to_le_bytes();
    // Four bits for the window and three that say that 16 bits of length follow, which therefore
    // begin at the eighth; the bit after them says that the block is as it is.
    let head = [0x0b | low << 7, low >> 1 | high << 7, high >> 1 | 0x80];
    [&head, plain.as_bytes(), &[3]].concat()
}

/// A frame of zstd (RFC 8878) in which nothing is compressed.
fn zstd(plain: &str) -> Vec<u8> {
    let length = u8::try_from(plain.len()).unwrap();
    // One segment, whose length has one byte; a block that is the last and as it is.
    let block = (u32::from(length) << 3 | 1).to_le_bytes();
    let head = [0x28, 0xb5, 0x2f, 0xfd, 0x20, length];
    [&head, &block[..3], plain.as_bytes()].concat()
}

fn half(mut body: Vec<u8>) -> Vec<u8> {
    body.truncate(body.len() / 2);
    body
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
