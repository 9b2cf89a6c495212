//! The secrets of connections, for whoever reads recorded traffic.

use std::{
    fmt::Write as _,
    fs::{File, OpenOptions},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::Arc,
};

use rustls::{KeyLog, KeyLogFile};

/// What writes to the file given, else to that of the environment, if there is one.
pub(super) fn open(given: Option<&Path>) -> Result<Option<Arc<dyn KeyLog>>, String> {
    let Some(path) = given else {
        let named = std::env::var_os("SSLKEYLOGFILE").is_some_and(|name| !name.is_empty());
        return Ok(named.then(|| Arc::new(KeyLogFile::new()) as Arc<dyn KeyLog>));
    };
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| format!("cannot write to the key log {}: {error}", path.display()))?;
    Ok(Some(Arc::new(GivenFile(file))))
}

#[derive(Debug)]
struct GivenFile(File);

impl KeyLog for GivenFile {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let line = format!("{label} {} {}\n", hex(client_random), hex(secret));
        // In one piece, since all workers append to it.
        if let Err(error) = (&self.0).write_all(line.as_bytes()) {
            tracing::warn!("cannot write to the key log: {error}");
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
