//! Frames of HTTP/2 (RFC 9113), as far as one looks at them from outside.

/// What a client says before its first frame.
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;

pub(super) const END_STREAM: u8 = 1;
pub(super) const ACK: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;

const HEAD: usize = 9;

/// What a frame says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FrameHead {
    pub(super) length: usize,
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
}

impl FrameHead {
    pub(super) fn parse(bytes: [u8; HEAD]) -> Self {
        let [a, b, c, kind, flags, stream @ ..] = bytes;
        Self {
            length: u32::from_be_bytes([0, a, b, c]) as usize,
            kind,
            flags,
            // The first bit is reserved.
            stream: u32::from_be_bytes(stream) & 0x7fff_ffff,
        }
    }

    pub(super) fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// A frame to write.
pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length.to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// Finds the heads of frames in bytes that come in pieces.
pub(super) struct Scanner {
    skip: usize,
    head: Vec<u8>,
}

impl Scanner {
    /// For bytes of which the first so many are no frames.
    pub(super) fn after(skip: usize) -> Self {
        Self {
            skip,
            head: Vec::with_capacity(HEAD),
        }
    }

    pub(super) fn scan(&mut self, mut bytes: &[u8], mut found: impl FnMut(FrameHead)) {
        while !bytes.is_empty() {
            if self.skip > 0 {
                let skipped = self.skip.min(bytes.len());
                self.skip -= skipped;
                bytes = &bytes[skipped..];
                continue;
            }
            let wanted = (HEAD - self.head.len()).min(bytes.len());
            self.head.extend_from_slice(&bytes[..wanted]);
            bytes = &bytes[wanted..];
            if let Ok(head) = <[u8; HEAD]>::try_from(self.head.as_slice()) {
                let head = FrameHead::parse(head);
                self.head.clear();
                self.skip = head.length;
                found(head);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_found_however_the_bytes_are_cut() {
        let mut bytes = PREFACE.to_vec();
        bytes.extend(frame(SETTINGS, 0, 0, b""));
        bytes.extend(frame(HEADERS, END_STREAM | END_HEADERS, 3, &[0x82; 300]));
        bytes.extend(frame(RST_STREAM, 0, 3, &[0, 0, 0, 8]));
        let wanted = [(SETTINGS, 0, 0), (HEADERS, 300, 3), (RST_STREAM, 4, 3)];
        for size in [1, 2, 9, 10, 100, bytes.len()] {
            let mut scanner = Scanner::after(PREFACE.len());
            let mut found = Vec::new();
            for piece in bytes.chunks(size) {
                scanner.scan(piece, |head| {
                    found.push((head.kind, head.length, head.stream));
                });
            }
            assert_eq!(found, wanted, "in pieces of {size}");
        }
    }
}
