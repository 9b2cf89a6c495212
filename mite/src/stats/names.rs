//! Names that come again and again, as small numbers.

use std::sync::Arc;

use rustc_hash::FxHashMap;

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

    /// The number of a name, or `None` when it is new and there is no room.
    pub(crate) fn number(&mut self, name: &str) -> Option<u32> {
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
    fn a_full_table_still_knows_its_names() {
        let mut names = Names::new(2);
        assert_eq!(names.number("a"), Some(0));
        assert_eq!(names.number("b"), Some(1));
        assert_eq!(names.number("c"), None);
        assert_eq!(names.number("a"), Some(0));
        assert_eq!(names.text(1).map(AsRef::as_ref), Some("b"));
    }
}
