//! Names that come again and again, as small numbers.

use std::{borrow::Cow, sync::Arc};

use rustc_hash::FxHashMap;

/// How many bytes of a name are kept.
const LONGEST: usize = 1000;

/// A name as it is kept: one that is too long to be one is cut, so that no report is longer for a
/// page that a journey took for a name.
pub(super) fn kept(name: &str) -> Cow<'_, str> {
    if name.len() <= LONGEST {
        return Cow::Borrowed(name);
    }
    let beginning = (0..=LONGEST).rev().find_map(|end| name.get(..end));
    Cow::Owned(format!("{}…", beginning.unwrap_or_default()))
}

/// A table of at most so many names; looking one up that is there allocates nothing.
#[derive(Debug)]
pub(crate) struct Names {
    numbers: FxHashMap<Arc<str>, u32>,
    texts: Vec<Arc<str>>,
    cap: usize,
}

impl Names {
    pub(crate) fn new(cap: usize) -> Self {
        Self {
            numbers: FxHashMap::default(),
            texts: Vec::new(),
            cap,
        }
    }

    /// The number of a name, or `None` when it is new and there is no room. Of very long ones only
    /// the beginning counts.
    pub(crate) fn number(&mut self, name: &str) -> Option<u32> {
        let name = &*kept(name);
        if let Some(&number) = self.numbers.get(name) {
            return Some(number);
        }
        if self.texts.len() >= self.cap {
            return None;
        }
        let number = u32::try_from(self.texts.len()).ok()?;
        let text: Arc<str> = name.into();
        self.texts.push(text.clone());
        self.numbers.insert(text, number);
        Some(number)
    }

    /// The name of a number.
    pub(crate) fn text(&self, number: u32) -> Option<&Arc<str>> {
        self.texts.get(number as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_name_that_is_too_long_the_beginning_is_kept() {
        let mut names = Names::new(9);
        let long = format!("{}é", "x".repeat(LONGEST - 1));
        assert_eq!(names.number(&long), Some(0));
        assert_eq!(names.number(&long), Some(0));
        let text = names.text(0).unwrap();
        assert_eq!(**text, format!("{}…", "x".repeat(LONGEST - 1)));
        assert_eq!(kept(&"x".repeat(LONGEST)), "x".repeat(LONGEST));
    }

    #[test]
    fn a_full_table_still_knows_its_names() {
        let mut names = Names::new(2);
        assert_eq!(names.number("a"), Some(0));
        assert_eq!(names.number("b"), Some(1));
        assert_eq!(names.number("c"), None);
        assert_eq!(names.number("a"), Some(0));
        assert_eq!(names.text(1).map(AsRef::as_ref), Some("b"));
    }
}
