//! Taking a body in chunks apart (RFC 9112, section 7.1).

/// The most that the extensions of all chunks may be long: nothing here means anything to a client.
const MOST_EXTENSIONS: usize = 16 * 1024;

/// The most that the trailers may be long.
const MOST_TRAILERS: usize = 64 * 1024;

/// What is wrong with the chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) &'static str);

/// How far a body in chunks has been read.
#[derive(Clone, Debug)]
pub(super) struct Chunked {
    state: State,
    extensions: usize,
    trailers: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In a chunk's size, of which there have been so many digits.
    Size {
        size: u64,
        digits: u8,
    },
    /// In white space behind the size, which is bad, and common (RFC 9112, section 7.1.1).
    Space {
        size: u64,
    },
    /// In what a chunk may have beside its size.
    Extension {
        size: u64,
    },
    /// At the end of the line of the size.
    SizeEnd {
        size: u64,
    },
    /// In the data, of which so much is left.
    Data {
        left: u64,
    },
    /// Behind the data, at the first and at the second byte of its end.
    DataEnd,
    DataEnded,
    /// At the beginning of a trailer, or of the end.
    TrailerStart,
    Trailer,
    TrailerEnd,
    /// At the last byte.
    LastByte,
    Over,
}

/// What comes next in the bytes at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// After so many bytes of framing, so many of data.
    Data { skip: usize, length: usize },
    /// Only framing; more is to come.
    Framing,
    /// After so many bytes the body is over.
    End { skip: usize },
}

impl Chunked {
    pub(super) fn new() -> Self {
        Self {
            state: State::SIZE,
            extensions: 0,
            trailers: 0,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// Looks at what has come; of data, all that is at hand is taken for read.
    pub(super) fn next(&mut self, bytes: &[u8]) -> Result<Next, Malformed> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if let State::Data { left } = self.state {
                let here = bytes.len() - at;
                let length = usize::try_from(left).map_or(here, |left| left.min(here));
                let left = left - length as u64;
                self.state = match left {
                    0 => State::DataEnd,
                    left => State::Data { left },
                };
                return Ok(Next::Data { skip: at, length });
            }
            self.state = self.after(byte)?;
            at += 1;
            if self.state == State::Over {
                return Ok(Next::End { skip: at });
            }
        }
        Ok(Next::Framing)
    }

    /// The state after a byte of framing.
    fn after(&mut self, byte: u8) -> Result<State, Malformed> {
        match (self.state, byte) {
            (State::Size { size, digits }, _) => size_after(size, digits, byte),
            (State::Space { size } | State::Extension { size }, b'\r') => {
                Ok(State::SizeEnd { size })
            }
            (State::Space { .. }, b' ' | b'\t') => self.extended(),
            (State::Space { size }, b';') => Ok(State::Extension { size }),
            (State::Space { .. }, _) => Err(Malformed("the size of a chunk is no number")),
            (State::Extension { .. }, b'\n') => {
                Err(Malformed("the line of a chunk's size ends with LF alone"))
            }
            (State::Extension { .. }, _) => self.extended(),
            (State::SizeEnd { size: 0 } | State::TrailerEnd, b'\n') => Ok(State::TrailerStart),
            (State::SizeEnd { size }, b'\n') => Ok(State::Data { left: size }),
            (State::SizeEnd { .. }, _) => Err(Malformed("CR without LF behind a chunk's size")),
            (State::DataEnd, b'\r') => Ok(State::DataEnded),
            (State::DataEnded, b'\n') => Ok(State::SIZE),
            (State::DataEnd | State::DataEnded, _) => {
                Err(Malformed("a chunk is longer than its size says"))
            }
            (State::TrailerStart, b'\r') => Ok(State::LastByte),
            (State::LastByte, b'\n') => Ok(State::Over),
            (State::LastByte, _) => Err(Malformed("CR without LF behind the last chunk")),
            (State::TrailerStart | State::Trailer, _) => {
                self.trailers += 1;
                if self.trailers > MOST_TRAILERS {
                    return Err(Malformed("the trailers are too long"));
                }
                Ok(match byte {
                    b'\r' => State::TrailerEnd,
                    _ => State::Trailer,
                })
            }
            (State::TrailerEnd, _) => Err(Malformed("CR without LF in a trailer")),
            (State::Data { .. } | State::Over, _) => Ok(self.state),
        }
    }
}

impl Chunked {
    /// One more byte that means nothing.
    fn extended(&mut self) -> Result<State, Malformed> {
        self.extensions += 1;
        if self.extensions > MOST_EXTENSIONS {
            return Err(Malformed("the extensions of the chunks are too long"));
        }
        Ok(self.state)
    }
}

impl State {
    const SIZE: Self = State::Size { size: 0, digits: 0 };
}

fn size_after(size: u64, digits: u8, byte: u8) -> Result<State, Malformed> {
    let digit = match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'f' => byte - b'a' + 10,
        b'A'..=b'F' => byte - b'A' + 10,
        _ if digits == 0 => return Err(Malformed("a chunk has no size")),
        b'\r' => return Ok(State::SizeEnd { size }),
        b';' => return Ok(State::Extension { size }),
        b' ' | b'\t' => return Ok(State::Space { size }),
        _ => return Err(Malformed("the size of a chunk is no number")),
    };
    // Leading zeros count as digits, or they could go on for ever.
    if digits >= 16 {
        return Err(Malformed("the size of a chunk has too many digits"));
    }
    Ok(State::Size {
        size: size * 16 + u64::from(digit),
        digits: digits + 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The data in what comes in these pieces, and how much of the last piece is left over.
    fn read(pieces: &[&[u8]]) -> Result<(Vec<u8>, Option<usize>), Malformed> {
        let mut chunked = Chunked::new();
        let mut data = Vec::new();
        for piece in pieces {
            let mut rest = *piece;
            loop {
                match chunked.next(rest)? {
                    Next::Data { skip, length } => {
                        data.extend_from_slice(&rest[skip..skip + length]);
                        rest = &rest[skip + length..];
                    }
                    Next::Framing => break,
                    Next::End { skip } => {
                        assert!(chunked.is_over());
                        return Ok((data, Some(rest.len() - skip)));
                    }
                }
            }
        }
        Ok((data, None))
    }

    const MESSAGE: &[u8] =
        b"4\r\nWiki\r\n6;a=\"b\"\r\npedia \r\n00E \r\nin \r\n\r\nchunks.\r\n0\r\n\
        X-Sum: 17\r\n\r\n";

    #[test]
    fn data_comes_out_wherever_the_pieces_are_cut() {
        let wanted = b"Wikipedia in \r\n\r\nchunks.".to_vec();
        assert_eq!(read(&[MESSAGE]), Ok((wanted.clone(), Some(0))));
        for cut in 0..MESSAGE.len() {
            let (before, after) = MESSAGE.split_at(cut);
            assert_eq!(
                read(&[before, after]),
                Ok((wanted.clone(), Some(0))),
                "{cut}"
            );
        }
        let single: Vec<_> = MESSAGE.chunks(1).collect();
        assert_eq!(read(&single), Ok((wanted, Some(0))));
    }

    #[test]
    fn what_follows_the_end_is_left() {
        assert_eq!(read(&[b"0\r\n\r\nHTTP/1.1"]), Ok((Vec::new(), Some(8))));
    }

    #[test]
    fn what_is_cut_short_is_not_over() {
        for cut in 0..MESSAGE.len() {
            assert_eq!(read(&[&MESSAGE[..cut]]).unwrap().1, None, "{cut}");
        }
    }

    #[test]
    fn bad_framing_is_refused() {
        let long = [b"1;".as_slice(), &[b'x'; 20_000], b"\r\n"].concat();
        let trailers = [b"0\r\n".as_slice(), &[b'x'; 70_000], b"\r\n"].concat();
        for bad in [
            b"\r\n".as_slice(),
            b"x\r\n",
            b"-1\r\n",
            b"4 x\r\nWiki",
            b"4\nWiki",
            b"4;a\nWiki",
            b"4\rWiki",
            b"4\r\nWiki!\r\n",
            b"4\r\nWiki\rx",
            b"10000000000000000\r\n",
            b"00000000000000001\r\n",
            b"0\r\n\rx",
            b"0\r\nA: b\rx",
            &long,
            &trailers,
        ] {
            let shown = String::from_utf8_lossy(&bad[..bad.len().min(20)]).into_owned();
            assert!(read(&[bad]).is_err(), "{shown:?}");
        }
    }

    #[test]
    fn the_largest_size_there_is_does_no_harm() {
        let (data, left) = read(&[b"ffffffffffffffff\r\nabc"]).unwrap();
        assert_eq!((data.as_slice(), left), (b"abc".as_slice(), None));
    }
}
