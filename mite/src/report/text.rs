//! Text that has to fit: how wide it is, and what to cut.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// The columns a terminal gives to `text`.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// `text` in at most `room` columns, its middle replaced by `…`: names differ at their ends.
pub(crate) fn cut_middle(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let Some(kept) = room.checked_sub(1) else {
        return String::new();
    };
    let end = kept / 2;
    let start = kept - end;
    let tail: Vec<char> = take(text.chars().rev(), end);
    take(text.chars(), start)
        .into_iter()
        .chain(['…'])
        .chain(tail.into_iter().rev())
        .collect()
}

/// `text` in at most `room` columns, its end replaced by `…`.
pub(crate) fn cut_end(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let Some(kept) = room.checked_sub(1) else {
        return String::new();
    };
    take(text.chars(), kept).into_iter().chain(['…']).collect()
}

/// `text` on one line and without anything a terminal would obey, such as a sign that turns round
/// what follows.
///
/// Messages and names come from servers too.
pub(crate) fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for character in text.chars() {
        if !character.is_control() && !is_unseen(character) {
            cleaned.push(character);
        } else if !cleaned.ends_with(' ') {
            cleaned.push(' ');
        }
    }
    cleaned.trim_end().to_owned()
}

/// Marks of direction (Unicode Standard Annex 9), line ends of Unicode's own, and a mark of byte
/// order.
fn is_unseen(character: char) -> bool {
    matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
    )
}

/// Fills lines of at most `room` columns with `items`, `gap` between two of them.
///
/// A line that is not the last ends with the gap's own sign, such as a comma. An item that is wider
/// than a line gets one to itself.
pub(crate) fn flow<'a>(
    items: impl IntoIterator<Item = &'a str>,
    gap: &str,
    room: usize,
) -> Vec<String> {
    let sign = gap.trim_end();
    let room = room.saturating_sub(width(sign));
    let mut lines: Vec<String> = Vec::new();
    for item in items {
        if let Some(line) = lines.last_mut() {
            if width(line) + width(gap) + width(item) <= room {
                line.push_str(gap);
                line.push_str(item);
                continue;
            }
            line.push_str(sign);
        }
        lines.push(item.to_owned());
    }
    lines
}

/// A sentence in lines of at most `room` columns.
pub(crate) fn wrap(sentence: &str, room: usize) -> Vec<String> {
    flow(sentence.split_whitespace(), " ", room)
}

fn take(characters: impl Iterator<Item = char>, room: usize) -> Vec<char> {
    let mut used = 0;
    characters
        .take_while(|character| {
            used += character.width().unwrap_or(0);
            used <= room
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_keeps_both_ends() {
        assert_eq!(cut_middle("GET /basket", 11), "GET /basket");
        assert_eq!(cut_middle("GET /shop/basket/items", 11), "GET /…items");
        assert_eq!(cut_middle("abc", 1), "…");
        assert_eq!(cut_middle("abc", 0), "");
        assert_eq!(cut_end("the basket is not empty", 11), "the basket…");
    }

    #[test]
    fn wide_characters_are_counted_as_the_terminal_does() {
        assert_eq!(width("買い物"), 6);
        assert_eq!(cut_middle("買い物かご", 7), "買…ご");
        assert!(width(&cut_middle("買い物かご", 6)) <= 6);
    }

    #[test]
    fn what_a_terminal_would_obey_is_taken_out() {
        assert_eq!(clean("bad\u{1b}[2Jthing\r\n\tmore\n"), "bad [2Jthing more");
        assert_eq!(clean("a\u{202e}b\u{2028}c\u{feff}"), "a b c");
    }

    #[test]
    fn sentences_break_between_words() {
        assert_eq!(wrap("one two three four", 9), ["one two", "three", "four"]);
        assert_eq!(wrap("unbreakable", 4), ["unbreakable"]);
        assert_eq!(flow(["one", "two", "six"], ", ", 9), ["one, two,", "six"]);
    }
}
