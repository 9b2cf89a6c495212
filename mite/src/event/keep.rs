//! What a journey gives away to be kept for a later run.

/// Where journeys put what a later run is to use.
///
/// It is asked by all workers of a runner, and holds none of them up: what it takes, it writes down
/// later.
pub(crate) trait Keep: Send + Sync {
    /// Keeps an item, as `MessagePack`, under a name that has been [checked](check_name).
    ///
    /// # Errors
    /// When it cannot be kept, in words.
    fn keep(&self, name: &str, item: Vec<u8>) -> Result<(), String>;

    /// Forgets all that was kept under the name.
    ///
    /// # Errors
    /// When it cannot be forgotten, in words.
    fn purge(&self, name: &str) -> Result<(), String>;
}

/// The longest name: with its ending, no file system refuses it.
const LONGEST: usize = 100;

/// Refuses what cannot be the name of a file everywhere, or leads elsewhere.
///
/// # Errors
/// What is wrong with the name, and what would be right.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let allowed = |sign: char| sign.is_alphanumeric() || ['-', '_', '.'].contains(&sign);
    let wrong = if name.is_empty() {
        "is empty"
    } else if name.starts_with(['.', '-']) {
        "begins with a dot or a dash"
    } else if name.len() > LONGEST {
        "is longer than 100 bytes"
    } else if !name.chars().all(allowed) {
        "has other signs in it than letters, digits, `-`, `_` and `.`"
    } else {
        return Ok(());
    };
    Err(format!(
        "{name:?} cannot be the name of what is recorded: it {wrong}; it becomes the name of a file, \
         such as \"users\" for users.msgpack"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in ["users", "new-users_2.eu", "Käufer", "7"] {
            assert_eq!(check_name(name), Ok(()));
        }
        let long = "x".repeat(101);
        for name in [
            "",
            ".",
            "..",
            "../users",
            "a/b",
            "a\\b",
            "/etc/passwd",
            "a b",
            "a\0",
            "-rf",
            "C:x",
            &long,
        ] {
            let message = check_name(name).unwrap_err();
            assert!(message.contains("cannot be the name"), "{message}");
        }
    }
}
