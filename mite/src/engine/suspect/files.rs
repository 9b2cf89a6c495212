//! Files of the kernel that are read again and again, and the numbers in them.

use std::{fs::File, os::unix::fs::FileExt as _};

/// What a file says now.
///
/// It stays open, since a process that has no descriptor left is just what is to be seen.
pub(super) fn text(file: &File) -> Option<String> {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        match file.read_at(&mut part, bytes.len() as u64).ok()? {
            0 => return String::from_utf8(bytes).ok(),
            length => bytes.extend_from_slice(part.get(..length)?),
        }
    }
}

/// The number of the line that begins with `name`.
pub(super) fn number_after(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_file_is_read_whole_and_again() {
        let mut file = tempfile::tempfile().unwrap();
        let long = format!("{}\nlast 17 kB\n", "x".repeat(10_000));
        file.write_all(long.as_bytes()).unwrap();
        assert_eq!(text(&file).unwrap(), long);
        assert_eq!(number_after(&text(&file).unwrap(), "last "), Some(17));
        assert_eq!(number_after(&long, "first "), None);
    }
}
