//! What becomes of the body of an answer: kept, counted or handed on, decompressed in any case.

use std::{
    future::{Future, poll_fn},
    ops::ControlFlow,
    task::{Poll, ready},
};

use crate::http::{
    connection::{self, Connection, Piece},
    decode::Decoder,
    error::{Error, Kind},
    head::Head,
};
use bytes::{Bytes, BytesMut};

/// How many pieces of a body are taken before other tasks get their turn.
const PIECES_A_TURN: usize = 16;

/// The most that is reserved for a body before it has come.
const MOST_RESERVED: u64 = 1024 * 1024;

/// An answer with its body, as far as that is kept.
#[derive(Debug)]
pub(in crate::http) struct Answer {
    pub(in crate::http) head: Head,
    pub(in crate::http) body: Bytes,
}

/// Why a body could not be read to its end.
#[derive(Debug)]
pub(in crate::http) enum Broken {
    Connection(connection::Error),
    Decode(String),
    TooLong(u64),
}

impl Broken {
    /// What a request says of it.
    pub(in crate::http) fn into_error(self, request: String) -> Error {
        match self {
            Broken::Connection(error) => Error::connection(request, &error, true),
            Broken::Decode(cause) => Error::new(Kind::Decode, request, cause),
            Broken::TooLong(most) => {
                let cause = format!(
                    "the body is longer than {most} bytes: discard_body() reads it without \
                     keeping it, stream() bit by bit, and max_body_size allows more"
                );
                Error::new(Kind::Body, request, cause)
            }
        }
    }
}

/// What a body is read into.
pub(in crate::http) struct Intake {
    decoder: Option<Box<Decoder>>,
    /// How long a body that is kept may be; nothing is kept without.
    most: Option<u64>,
    encoded: u64,
    decoded: u64,
    collected: Collected,
}

impl Intake {
    /// One for the body that follows this head; it keeps up to `most` bytes.
    pub(in crate::http) fn new(head: &Head, most: Option<u64>) -> Result<Self, Broken> {
        Ok(Self {
            decoder: decoder(head)?,
            most,
            encoded: 0,
            decoded: 0,
            collected: Collected::default(),
        })
    }

    /// Reads a body to its end. `stir` is called for each piece.
    pub(in crate::http) fn read(
        &mut self,
        connection: &mut Connection,
        stir: impl Fn(&Self),
    ) -> impl Future<Output = Result<(), Broken>> {
        poll_fn(move |cx| {
            for _ in 0..PIECES_A_TURN {
                let to_come = connection.left();
                match ready!(connection.poll_piece(cx, |piece| self.take(piece, to_come))) {
                    None => return Poll::Ready(self.finish()),
                    Some(Err(error)) => return Poll::Ready(Err(Broken::Connection(error))),
                    Some(Ok(taken)) => {
                        stir(self);
                        if let Err(broken) = taken {
                            return Poll::Ready(Err(broken));
                        }
                    }
                }
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
    }

    /// Bytes of the body so far, as they came and decompressed.
    pub(in crate::http) fn sizes(&self) -> (u64, u64) {
        (self.encoded, self.decoded)
    }

    /// What was kept.
    pub(in crate::http) fn into_bytes(self) -> Bytes {
        self.collected.into_bytes()
    }

    /// Takes a piece of what was still to come.
    fn take(&mut self, piece: Piece<'_>, to_come: Option<u64>) -> Result<(), Broken> {
        self.encoded += piece.len() as u64;
        let Some(decoder) = &mut self.decoder else {
            self.decoded = self.encoded;
            let Some(most) = self.most else {
                return Ok(());
            };
            if self.encoded > most {
                return Err(Broken::TooLong(most));
            }
            self.collected.push(piece, to_come);
            return Ok(());
        };
        let (decoded, collected, most) = (&mut self.decoded, &mut self.collected, self.most);
        let _ = decoder
            .push(&piece, &mut |piece: &[u8]| {
                *decoded += piece.len() as u64;
                match most {
                    None => {}
                    Some(most) if *decoded > most => return ControlFlow::Break(()),
                    Some(_) => collected.copy(piece),
                }
                ControlFlow::Continue(())
            })
            .map_err(|error| Broken::Decode(error.to_string()))?;
        match self.most {
            Some(most) if self.decoded > most => Err(Broken::TooLong(most)),
            _ => Ok(()),
        }
    }

    fn finish(&mut self) -> Result<(), Broken> {
        match &self.decoder {
            Some(decoder) if self.encoded > 0 => decoder
                .finish()
                .map_err(|error| Broken::Decode(error.to_string())),
            _ => Ok(()),
        }
    }
}

/// What decompresses the body that follows this head, if it says that it is compressed.
pub(in crate::http) fn decoder(head: &Head) -> Result<Option<Box<Decoder>>, Broken> {
    if !head.names_encoding {
        return Ok(None);
    }
    let decoder =
        Decoder::new(head.headers()).map_err(|error| Broken::Decode(error.to_string()))?;
    Ok(decoder.map(Box::new))
}

/// A body as far as it came: the usual one, of a single piece, is not copied.
#[derive(Default)]
struct Collected {
    first: Bytes,
    all: Option<BytesMut>,
}

impl Collected {
    fn push(&mut self, piece: Piece<'_>, to_come: Option<u64>) {
        if let Some(all) = &mut self.all {
            all.extend_from_slice(&piece);
        } else if self.first.is_empty()
            && (matches!(piece, Piece::Shared(_)) || to_come == Some(piece.len() as u64))
        {
            self.first = piece.into_bytes();
        } else {
            // What the server announces is believed up to a point.
            let to_come = to_come.map_or(0, |length| length.min(MOST_RESERVED) as usize);
            let length = self.first.len() + to_come.max(piece.len());
            let mut all = BytesMut::with_capacity(length);
            all.extend_from_slice(&self.first);
            all.extend_from_slice(&piece);
            self.all = Some(all);
        }
    }

    fn copy(&mut self, piece: &[u8]) {
        self.all.get_or_insert_default().extend_from_slice(piece);
    }

    fn into_bytes(self) -> Bytes {
        self.all.map_or(self.first, BytesMut::freeze)
    }
}
