use std::io::Write;

use flate2::{Compression, GzBuilder, write};
use http::HeaderValue;
use proptest::{collection::vec, prelude::*};

use super::*;

/// An encoding and what applies it.
type Encoder = (&'static str, fn(&[u8]) -> Vec<u8>);

const ENCODERS: &[Encoder] = &[
    ("gzip", gzip),
    ("deflate", zlib),
    ("deflate", bare),
    #[cfg(feature = "brotli")]
    ("br", brotli),
    #[cfg(feature = "zstd")]
    ("zstd", zstd),
];

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = write::GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = write::ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn bare(data: &[u8]) -> Vec<u8> {
    let mut encoder = write::DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

#[cfg(feature = "brotli")]
fn brotli(data: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::new();
    let mut encoder = brotli_encoder::CompressorWriter::new(&mut encoded, 4096, 3, 18);
    encoder.write_all(data).unwrap();
    drop(encoder);
    encoded
}

#[cfg(feature = "zstd")]
fn zstd(data: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(data, ruzstd::encoding::CompressionLevel::Fastest)
}

fn decoder(encodings: &[&'static str]) -> Result<Option<Decoder>, DecodeError> {
    let mut headers = HeaderMap::new();
    for encoding in encodings {
        headers.append(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    Decoder::new(&headers)
}

/// What comes of data given in these pieces.
fn decode<'a>(
    encodings: &[&'static str],
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<u8>, String> {
    let mut decoder = decoder(encodings).unwrap().unwrap();
    let mut decoded = Vec::new();
    for piece in pieces {
        let pushed = decoder.push(piece, &mut |piece| {
            assert!(!piece.is_empty() && piece.len() <= PIECE);
            decoded.extend_from_slice(piece);
            ControlFlow::Continue(())
        });
        assert!(pushed.map_err(|error| error.to_string())?.is_continue());
    }
    decoder.finish().map_err(|error| error.to_string())?;
    Ok(decoded)
}

fn decode_whole(encodings: &[&'static str], data: &[u8]) -> Result<Vec<u8>, String> {
    decode(encodings, [data])
}

/// Something that can be made shorter, and is longer than what is handed over at once.
fn text() -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(7);
    let words = [
        "mite ", "gives ", "an ", "answer ", "you ", "can ", "defend\n",
    ];
    let text: String = (0..20_000)
        .map(|_| words[random.usize(..words.len())])
        .collect();
    text.into_bytes()
}

#[test]
fn every_encoding_is_undone() {
    for (encoding, encode) in ENCODERS {
        for data in [
            b"".to_vec(),
            b"x".to_vec(),
            text(),
            vec![0; PIECE],
            vec![0; 4 * PIECE],
        ] {
            let encoded = encode(&data);
            assert!(
                decode_whole(&[encoding], &encoded).unwrap() == data,
                "{encoding}"
            );
            let bytes = encoded.chunks(1);
            assert!(
                decode(&[encoding], bytes).unwrap() == data,
                "{encoding} byte by byte"
            );
        }
    }
}

#[test]
fn what_is_asked_for_is_what_can_be_undone() {
    for encoding in ACCEPTED.split(", ") {
        assert!(
            ENCODERS.iter().any(|(name, _)| *name == encoding),
            "{encoding}"
        );
        assert!(decoder(&[encoding]).unwrap().is_some());
    }
}

#[test]
fn several_encodings_are_undone_from_the_last_to_the_first() {
    let data = text();
    let twice = zlib(&gzip(&data));
    assert_eq!(decode_whole(&["gzip, deflate"], &twice).unwrap(), data);
    assert_eq!(
        decode_whole(&["X-GZip", "identity , DEFLATE,"], &twice).unwrap(),
        data
    );
    let five = (0..5).fold(data.clone(), |data, _| gzip(&data));
    assert_eq!(
        decode_whole(&["gzip,gzip,gzip,gzip,gzip"], &five).unwrap(),
        data
    );
    assert_eq!(
        decoder(&["gzip,gzip,gzip", "gzip,gzip,gzip"])
            .unwrap_err()
            .to_string(),
        "the body is encoded 6 times over; at most 5 are undone"
    );
}

#[test]
fn what_nobody_knows_stays_as_it_came() {
    for encodings in [
        &[][..],
        &["identity"],
        &[""],
        &["compress"],
        &["gzip, exi"],
        &["gzip\u{80}"],
    ] {
        let mut headers = HeaderMap::new();
        for encoding in encodings {
            let value = HeaderValue::from_bytes(encoding.as_bytes()).unwrap();
            headers.append(CONTENT_ENCODING, value);
        }
        assert!(Decoder::new(&headers).unwrap().is_none(), "{encodings:?}");
    }
}

#[cfg(not(feature = "zstd"))]
#[test]
fn an_encoding_that_is_not_compiled_in_names_its_feature() {
    assert_eq!(
        decoder(&["zstd"]).unwrap_err().to_string(),
        "the body is encoded as zstd, which mite decodes with its feature `zstd`, and that is not \
         turned on"
    );
}

#[test]
fn a_body_that_is_not_there_is_whole() {
    for encodings in [&["gzip"][..], &["deflate"], &["gzip, deflate"]] {
        assert_eq!(decode(encodings, []).unwrap(), b"");
        assert_eq!(decode_whole(encodings, b"").unwrap(), b"");
    }
    // Encoded, nothing is.
    assert_eq!(decode_whole(&["gzip, deflate"], &zlib(b"")).unwrap(), b"");
}

#[test]
fn data_that_is_cut_short_is_an_error_wherever_it_is_cut() {
    for (encoding, encode) in ENCODERS {
        let encoded = encode(b"some text, some more text, and text again");
        for length in 1..encoded.len() {
            let error = decode_whole(&[encoding], &encoded[..length]).unwrap_err();
            assert_eq!(
                error,
                format!("the {encoding} data is cut short"),
                "at {length}"
            );
        }
    }
}

#[test]
fn data_that_is_broken_says_how() {
    let good = gzip(b"some text, some more text, and text again");
    let broken = |at: usize, byte: u8| {
        let mut data = good.clone();
        data[at] = byte;
        decode_whole(&["gzip"], &data).unwrap_err()
    };
    let end = good.len();
    let prefix = "the gzip data is broken: ";
    for (error, how) in [
        (broken(0, b'<'), "it does not begin as gzip data does"),
        (broken(1, b'<'), "it does not begin as gzip data does"),
        (broken(2, 7), "it is compressed by method 7, not by deflate"),
        (broken(3, 0x80), "its header has flags that mean nothing"),
        (
            broken(10, 0xff),
            "it is not deflate data, or does not match its checksum",
        ),
        (
            broken(end - 8, !good[end - 8]),
            "it does not match its checksum",
        ),
        (broken(end - 1, 1), "it is not of the length it says"),
    ] {
        assert_eq!(error, format!("{prefix}{how}"));
    }
    let html = decode_whole(&["gzip"], b"<!doctype html>").unwrap_err();
    assert_eq!(html, format!("{prefix}it does not begin as gzip data does"));
    let mut wrong = zlib(b"text");
    *wrong.last_mut().unwrap() ^= 1;
    assert_eq!(
        decode_whole(&["deflate"], &wrong).unwrap_err(),
        "the deflate data is broken: it is not deflate data, or does not match its checksum"
    );
    for (encoding, _) in ENCODERS {
        let error = decode_whole(&[encoding], &[0xff; 1000]).unwrap_err();
        assert!(
            error.starts_with(&format!("the {encoding} data is broken: ")),
            "{error}"
        );
    }
}

#[test]
fn what_follows_the_end_is_an_error() {
    for (encoding, encode) in ENCODERS {
        let mut data = encode(b"text");
        data.extend_from_slice(b"<!-- more -->");
        let error = decode_whole(&[encoding], &data).unwrap_err();
        assert!(
            error.starts_with(&format!("the {encoding} data is broken: ")),
            "{error}"
        );
    }
}

#[test]
fn gzip_data_may_have_several_members_all_fields_and_zeros_at_the_end() {
    let mut encoder = GzBuilder::new()
        .filename("text.txt")
        .comment("a comment")
        .extra(vec![1; 300])
        .write(Vec::new(), Compression::best());
    encoder.write_all(b"one, ").unwrap();
    let mut data = encoder.finish().unwrap();
    data.extend(gzip(b"two, "));
    // One with an empty extra field and a checksum of the header.
    data.extend([0x1f, 0x8b, 8, 0b110, 0, 0, 0, 0, 0, 255, 0, 0, 0xab, 0xcd]);
    data.extend(&gzip(b"three")[10..]);
    data.extend([0; 20]);
    assert_eq!(decode_whole(&["gzip"], &data).unwrap(), b"one, two, three");
    assert_eq!(
        decode(&["gzip"], data.chunks(1)).unwrap(),
        b"one, two, three"
    );
}

#[test]
fn what_came_so_far_is_handed_over_at_once() {
    let mut decoder = decoder(&["gzip"]).unwrap().unwrap();
    let mut encoder = write::GzEncoder::new(Vec::new(), Compression::default());
    for line in ["data: one\n\n", "data: two\n\n"] {
        encoder.write_all(line.as_bytes()).unwrap();
        encoder.flush().unwrap();
        assert_eq!(push_all(&mut decoder, encoder.get_mut()), line);
    }
}

#[cfg(feature = "brotli")]
#[test]
fn what_came_so_far_of_brotli_is_handed_over_at_once() {
    let mut decoder = decoder(&["br"]).unwrap().unwrap();
    let mut encoder = brotli_encoder::CompressorWriter::new(Vec::new(), 4096, 3, 18);
    for line in ["data: one\n\n", "data: two\n\n"] {
        encoder.write_all(line.as_bytes()).unwrap();
        encoder.flush().unwrap();
        assert_eq!(push_all(&mut decoder, encoder.get_mut()), line);
    }
}

#[cfg(feature = "zstd")]
#[test]
fn what_came_so_far_of_zstd_is_handed_over_at_the_end_of_its_frame() {
    let mut decoder = decoder(&["zstd"]).unwrap().unwrap();
    for line in ["data: one\n\n", "data: two\n\n"] {
        assert_eq!(push_all(&mut decoder, &mut zstd(line.as_bytes())), line);
    }
}

/// What comes at once of what has been encoded so far.
fn push_all(decoder: &mut Decoder, encoded: &mut Vec<u8>) -> String {
    let mut decoded = Vec::new();
    let pushed = decoder.push(encoded, &mut |piece| {
        decoded.extend_from_slice(piece);
        ControlFlow::Continue(())
    });
    assert!(pushed.unwrap().is_continue());
    encoded.clear();
    String::from_utf8(decoded).unwrap()
}

#[test]
fn a_bomb_is_handed_over_in_small_pieces_until_the_sink_has_enough() {
    for (encoding, encode) in ENCODERS {
        let bomb = encode(&vec![0; 8 << 20]);
        assert!(bomb.len() < 16 << 10, "{} bytes of {encoding}", bomb.len());
        let mut decoder = decoder(&[encoding]).unwrap().unwrap();
        let mut given = 0;
        let pushed = decoder.push(&bomb, &mut |piece| {
            given += piece.len();
            if given < 100_000 {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
        assert!(pushed.unwrap().is_break());
        assert!(
            (100_000..100_000 + PIECE).contains(&given),
            "{given} of {encoding}"
        );
    }
}

#[cfg(feature = "zstd")]
#[test]
fn zstd_data_may_have_several_frames_and_some_to_be_skipped() {
    let mut data = zstd(b"one, ");
    // One that is to be skipped.
    data.extend([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    data.extend(zstd(b"two"));
    assert_eq!(decode(&["zstd"], data.chunks(1)).unwrap(), b"one, two");
}

#[cfg(feature = "zstd")]
#[test]
fn zstd_data_that_is_broken_says_how() {
    let good = zstd(b"some text, some more text, and text again");
    let mut wrong = good.clone();
    *wrong.last_mut().unwrap() ^= 1;
    let of_length = |length: u8| {
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x20, length, 0x11, 0, 0, b'a', b'b'];
        decode_whole(&["zstd"], &frame)
    };
    assert_eq!(of_length(2).unwrap(), b"ab");
    let prefix = "the zstd data is broken: ";
    for (outcome, how) in [
        (
            decode_whole(&["zstd"], b"<!doctype html>"),
            "it does not begin as zstd data does",
        ),
        (
            decode_whole(&["zstd"], &wrong),
            "it does not match its checksum",
        ),
        (of_length(3), "it is not of the length it says"),
        (
            // A window of 16 MiB.
            decode_whole(&["zstd"], &[0x28, 0xb5, 0x2f, 0xfd, 0, 14 << 3, 1, 0, 0]),
            "its window is of more than 8 MiB",
        ),
        (
            decode_whole(&["zstd"], &[0x28, 0xb5, 0x2f, 0xfd, 0x21, 7, 0, 1, 0, 0]),
            "it needs a dictionary",
        ),
        (
            // A block of the reserved type, and one that is too long.
            decode_whole(&["zstd"], &[0x28, 0xb5, 0x2f, 0xfd, 0, 0, 7, 0, 0]),
            "it has a block of no known kind",
        ),
        (
            decode_whole(&["zstd"], &[0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0xfd, 0xff, 0xff]),
            "it has a block of more than 128 KiB",
        ),
    ] {
        assert_eq!(outcome.unwrap_err(), format!("{prefix}{how}"));
    }
}

/// Cuts data into pieces of these lengths, again and again.
fn cut<'a>(mut data: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for length in lengths.iter().cycle() {
        if data.is_empty() {
            break;
        }
        let (piece, rest) = data.split_at((*length).min(data.len()));
        pieces.push(piece);
        data = rest;
    }
    pieces
}

proptest! {
    #[test]
    fn however_data_is_cut_the_same_comes_of_it(
        seeds in vec(any::<u8>(), 0..300),
        repeats in 1..200_usize,
        lengths in vec(1..3000_usize, 1..6),
    ) {
        let data = seeds.repeat(repeats);
        for (encoding, encode) in ENCODERS {
            let encoded = encode(&data);
            let pieces = cut(&encoded, &lengths);
            prop_assert!(decode(&[encoding], pieces).unwrap() == data, "{}", encoding);
        }
    }

    #[test]
    fn no_data_is_too_broken_and_however_it_is_cut_it_is_as_broken(
        mut data in vec(any::<u8>(), 0..200),
        from_good in any::<bool>(),
        place in any::<proptest::sample::Index>(),
        lengths in vec(1..50_usize, 1..6),
    ) {
        for (encoding, encode) in ENCODERS {
            if from_good {
                data = encode(&data);
                let at = place.index(data.len());
                data[at] ^= 0x55;
            }
            let whole = decode_whole(&[encoding], &data);
            let cut = decode(&[encoding], cut(&data, &lengths));
            prop_assert_eq!(whole.is_ok(), cut.is_ok(), "{}", encoding);
            if let (Ok(whole), Ok(cut)) = (whole, cut) {
                prop_assert_eq!(whole, cut);
            }
        }
    }
}
