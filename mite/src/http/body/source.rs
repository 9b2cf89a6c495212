//! Where the bytes of a body that is streamed come from.

use std::{
    fs::{File, Metadata},
    io::{self, Read},
    path::Path,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_util::{
    Stream, StreamExt,
    stream::{self, LocalBoxStream},
};
use tokio::task::spawn_blocking;

use super::SendError;

/// How much of a file is read at once.
const PIECE: u64 = 64 * 1024;

/// A stream of bytes and how many it gives, where that is known.
pub(super) struct Source {
    pub(super) length: Option<u64>,
    pub(super) pieces: LocalBoxStream<'static, Result<Bytes, SendError>>,
}

impl Source {
    /// Gives `pieces`, and sees to it that they are as long as was said.
    pub(super) fn new(
        length: Option<u64>,
        pieces: impl Stream<Item = Result<Bytes, SendError>> + 'static,
    ) -> Self {
        let pieces = match length {
            Some(length) => Measured::new(length, pieces.boxed_local()).boxed_local(),
            None => pieces.boxed_local(),
        };
        Self { length, pieces }
    }

    pub(super) fn bytes(bytes: Bytes) -> Self {
        Self {
            length: Some(bytes.len() as u64),
            pieces: stream::iter([Ok(bytes)]).boxed_local(),
        }
    }

    /// Gives one after the other.
    pub(super) fn chain(sources: Vec<Self>) -> Self {
        Self {
            length: sources.iter().map(|source| source.length).sum(),
            pieces: stream::iter(sources)
                .flat_map(|source| source.pieces)
                .boxed_local(),
        }
    }
}

/// The length of a regular file that is there.
pub(super) fn file_length(path: &Path) -> Option<u64> {
    let metadata = path.metadata().ok()?;
    metadata.is_file().then_some(metadata.len())
}

/// Opens a file, and reads it piece by piece on the threads for what blocks.
pub(super) async fn open_file(path: &Path) -> Result<Source, SendError> {
    let owned = path.to_owned();
    let (file, metadata) = blocking(path, move || open(&owned)).await?;
    let length = metadata.is_file().then_some(metadata.len());
    let reading = Reading {
        name: path.to_owned().into_boxed_path(),
        file,
        left: length.unwrap_or(u64::MAX),
    };
    let pieces = stream::try_unfold(reading, Reading::next);
    Ok(Source::new(length, pieces))
}

fn open(path: &Path) -> io::Result<(File, Metadata)> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    Ok((file, metadata))
}

struct Reading {
    name: Box<Path>,
    file: File,
    left: u64,
}

impl Reading {
    async fn next(self) -> Result<Option<(Bytes, Self)>, SendError> {
        let Self { name, file, left } = self;
        if left == 0 {
            return Ok(None);
        }
        let (piece, file) = blocking(&name, move || {
            let most = left.min(PIECE);
            let mut piece = Vec::with_capacity(most as usize);
            (&file).take(most).read_to_end(&mut piece)?;
            Ok((piece, file))
        })
        .await?;
        if piece.is_empty() {
            return Ok(None);
        }
        let left = left - piece.len() as u64;
        Ok(Some((piece.into(), Self { name, file, left })))
    }
}

/// Does what blocks elsewhere; its error names the file.
async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, SendError> {
    let outcome = spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(error.into()));
    outcome.map_err(|error| {
        let path = path.display();
        SendError::new(format!(
            "the file {path} of the body cannot be read: {error}"
        ))
    })
}

/// Gives what a stream gives as long as it is of the length that was said.
struct Measured {
    pieces: LocalBoxStream<'static, Result<Bytes, SendError>>,
    length: u64,
    given: u64,
    done: bool,
}

impl Measured {
    fn new(length: u64, pieces: LocalBoxStream<'static, Result<Bytes, SendError>>) -> Self {
        Self {
            pieces,
            length,
            given: 0,
            done: false,
        }
    }

    /// The next piece that has something in it, or what is wrong with it.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, SendError>> {
        loop {
            let Some(piece) = ready!(self.pieces.poll_next_unpin(cx)).transpose()? else {
                return Poll::Ready(Ok(None));
            };
            if piece.is_empty() {
                continue;
            }
            self.given += piece.len() as u64;
            if self.given > self.length {
                let length = self.length;
                let lie = format!("the body is longer than the {length} bytes it was said to have");
                return Poll::Ready(Err(SendError::new(lie)));
            }
            return Poll::Ready(Ok(Some(piece)));
        }
    }

    fn poll_checked(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, SendError>> {
        let piece = ready!(self.poll_piece(cx))?;
        if self.given < self.length {
            if piece.is_some() {
                return Poll::Ready(Ok(piece));
            }
            let (given, length) = (self.given, self.length);
            let lie = format!("the body ended after {given} of the {length} bytes it was to have");
            return Poll::Ready(Err(SendError::new(lie)));
        }
        // Nobody asks for more once the length is reached, so what the stream has beyond it is
        // looked for now. It is not waited for.
        if piece.is_some()
            && let Poll::Ready(beyond) = self.poll_piece(cx)
        {
            beyond?;
        }
        self.done = true;
        Poll::Ready(Ok(piece))
    }
}

impl Stream for Measured {
    type Item = Result<Bytes, SendError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.done {
            return Poll::Ready(None);
        }
        let outcome = ready!(this.poll_checked(cx));
        this.done |= !matches!(outcome, Ok(Some(_)));
        Poll::Ready(outcome.transpose())
    }
}
