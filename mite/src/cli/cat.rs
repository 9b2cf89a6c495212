//! `cat` and `uncat`: files of records as text, and back.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, ErrorKind, Write as _},
    path::Path,
};

use super::{
    args::Files,
    exit::{Exit, Failure},
    output::tell,
};
use crate::archive::{self, Trouble};

/// Shows MessagePack as lines of JSON.
pub(super) fn cat(arguments: &Files) -> Result<Exit, Failure> {
    each(arguments, archive::cat)
}

/// Turns lines of JSON into MessagePack.
pub(super) fn uncat(arguments: &Files) -> Result<Exit, Failure> {
    each(arguments, archive::uncat)
}

type Out = BufWriter<io::StdoutLock<'static>>;

/// Goes through the files one after the other; what is wrong with one costs no other.
fn each(
    arguments: &Files,
    convert: impl Fn(Box<dyn BufRead>, &mut Out) -> Result<(), Trouble>,
) -> Result<Exit, Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    let mut exit = Exit::Passed;
    for path in &arguments.files {
        let converted = open(path)
            .map_err(Trouble::Unreadable)
            .and_then(|source| convert(source, &mut out))
            .and_then(|()| out.flush().map_err(Trouble::Unwritable));
        let Err(trouble) = converted else { continue };
        if let Trouble::Unwritable(error) = &trouble {
            // A reader that has gone away, as in `cat … | head -1`, is no failure.
            if error.kind() == ErrorKind::BrokenPipe {
                return Ok(exit);
            }
            return Err(Failure::new(format!(
                "cannot write to the standard output: {error}"
            )));
        }
        // What came before stands before what is said of it.
        let _ = out.flush();
        tell(&format!("{}: {trouble}", shown(path)));
        exit = match (exit, trouble) {
            (Exit::Passed, Trouble::CutOff { .. }) => Exit::Failed,
            (exit, Trouble::CutOff { .. }) => exit,
            _ => Exit::Usage,
        };
    }
    Ok(exit)
}

fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::other("it is a directory; name the files in it"));
    }
    Ok(Box::new(BufReader::new(file)))
}

fn shown(path: &Path) -> String {
    if path == Path::new("-") {
        return "the standard input".to_owned();
    }
    path.display().to_string()
}
