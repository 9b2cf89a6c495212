//! What a collector that was killed has left behind: files under their first names.
//!
//! What it had written whole is kept and known again when the stream says it once more. What it had
//! written half is cut off: the stream still has it.

use std::{
    collections::HashSet,
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use serde_json::Value as Json;

use super::{
    gathering::Mark,
    value::{Reader, Value},
};

/// What was found and done.
#[derive(Debug, Default)]
pub(super) struct Mended {
    /// What is in the files whole.
    pub(super) written: HashSet<Mark>,
    /// What there is to say.
    pub(super) notes: Vec<String>,
}

/// Finishes the files in this directory that a killed collector was writing.
///
/// # Errors
/// When one cannot be read, cut or named.
pub(super) fn mend(directory: &Path) -> io::Result<Mended> {
    let mut mended = Mended::default();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "part") {
            one(&path, &mut mended)?;
        }
    }
    Ok(mended)
}

fn one(part: &Path, mended: &mut Mended) -> io::Result<()> {
    let file = OpenOptions::new().read(true).write(true).open(part)?;
    // Somebody is writing it.
    if file.try_lock().is_err() {
        return Ok(());
    }
    let Some(found) = look_through(&file, is_json(part))? else {
        return Ok(());
    };
    if found.marks.is_empty() {
        // Not even its first block is whole.
        return fs::remove_file(part);
    }
    file.set_len(found.whole)?;
    file.sync_all()?;
    let name: PathBuf = part.with_extension("");
    fs::rename(part, &name)?;
    mended.notes.push(format!(
        "{} was left by a collector that was killed; it has been finished, up to its last whole block",
        name.display()
    ));
    mended.written.extend(found.marks);
    Ok(())
}

fn is_json(part: &Path) -> bool {
    let name = part.file_stem().map(Path::new);
    name.and_then(Path::extension)
        .is_some_and(|form| form == "jsonl")
}

/// The blocks of a file that are whole, and where the last of them ends.
#[derive(Default)]
struct Found {
    marks: Vec<Mark>,
    whole: u64,
}

/// Looks at one block after the other; nothing when it is no file with blocks.
fn look_through(file: &File, json: bool) -> io::Result<Option<Found>> {
    let length = file.metadata()?.len();
    let mut found = Found::default();
    let mut source = BufReader::new(file);
    while found.whole < length {
        source.seek(SeekFrom::Start(found.whole))?;
        let head = if json {
            json_head(&mut source)?
        } else {
            binary_head(&mut source)
        };
        let Some(Head { mark, bytes, size }) = head else {
            break;
        };
        let end = found.whole + size + bytes;
        if end > length {
            break;
        }
        found.whole = end;
        found.marks.push(mark);
    }
    let ours = !found.marks.is_empty() || begins_with_block(file, json)?;
    Ok(ours.then_some(found))
}

/// What stands before the records of a block.
struct Head {
    mark: Mark,
    /// How long the records are.
    bytes: u64,
    /// How long itself is.
    size: u64,
}

/// Whether the first record of a file, which may be cut off, is one that stands before a block.
fn begins_with_block(mut file: &File, json: bool) -> io::Result<bool> {
    file.seek(SeekFrom::Start(0))?;
    let mut source = BufReader::new(file);
    let first = source.fill_buf()?;
    let begins: &[u8] = if json {
        br#"{"type":"block""#
    } else {
        b"\x88\xa4type\xa5block"
    };
    Ok(first.starts_with(begins))
}

fn json_head(source: &mut impl BufRead) -> io::Result<Option<Head>> {
    let mut line = Vec::new();
    source.read_until(b'\n', &mut line)?;
    let Ok(record) = serde_json::from_slice::<Json>(&line) else {
        return Ok(None);
    };
    let text = |key: &str| record.get(key)?.as_str().map(str::to_owned);
    let count = |key: &str| record.get(key)?.as_u64();
    Ok(head(line.len() as u64, text, count))
}

fn binary_head(source: &mut impl BufRead) -> Option<Head> {
    let mut reader = Reader::new(source);
    let Ok(Some(Value::Map(fields))) = reader.next_value() else {
        return None;
    };
    let field = |key: &str| {
        let mut named = fields.iter();
        named.find(|(name, _)| matches!(name, Value::Text(name) if name == key))
    };
    let text = |key: &str| match field(key)? {
        (_, Value::Text(text)) => Some(text.clone()),
        _ => None,
    };
    let count = |key: &str| match field(key)? {
        (_, Value::Count(count)) => Some(*count),
        _ => None,
    };
    head(reader.offset(), text, count)
}

fn head(
    size: u64,
    text: impl Fn(&str) -> Option<String>,
    count: impl Fn(&str) -> Option<u64>,
) -> Option<Head> {
    if text("type")? != "block" {
        return None;
    }
    let name = |key: &str| u64::from_str_radix(&text(key)?, 16).ok();
    Some(Head {
        mark: (name("run")?, name("sender")?, count("number")?),
        bytes: count("bytes")?,
        size,
    })
}
