//! GitHub-flavoured Markdown: tables, and texts that mean nothing but themselves in it.

use std::fmt::Write as _;

use crate::report::text;

/// Signs of a name or message shown.
const LONGEST: usize = 200;

/// A table whose last `figures` columns are of figures; nothing without a row.
pub(in crate::report) fn table(
    title: &str,
    head: &[&str],
    rows: &[Vec<String>],
    figures: usize,
) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let names = head.len().saturating_sub(figures);
    let rule = (0..head.len()).map(|column| if column < names { "---" } else { "---:" });
    let rule: Vec<_> = rule.collect();
    let mut text = format!(
        "{title}\n\n| {} |\n| {} |\n",
        head.join(" | "),
        rule.join(" | ")
    );
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text
}

/// A name as it is, in a cell of a table: as code, where nothing in it is a mark, a link or a mention
/// of anybody.
pub(in crate::report) fn code(name: &str) -> String {
    let mut text = text::cut_end(&text::clean(name), LONGEST);
    let longest_fence = text
        .split(|sign| sign != '`')
        .map(str::len)
        .max()
        .unwrap_or(0);
    let fence = "`".repeat(longest_fence + 1);
    if text.trim().is_empty() {
        return String::new();
    }
    if longest_fence > 0 {
        text = format!(" {text} ");
    }
    // A bar ends a cell, in code as well.
    format!("{fence}{}{fence}", text.replace('|', "\\|"))
}

/// A sentence whose signs mean nothing to Markdown, that links to nothing and mentions nobody.
pub(in crate::report) fn plain(sentence: &str) -> String {
    let text = text::clean(sentence);
    let mut out = String::with_capacity(text.len());
    // What a line begins with may make it an item of a list, or a rule.
    let number = text.trim_start_matches(|sign: char| sign.is_ascii_digit());
    let begins = text.len() - number.len();
    let ends_number = begins > 0;
    for (at, sign) in text.char_indices() {
        let rest = text.get(at..).unwrap_or_default();
        if at == begins && matches!((sign, ends_number), ('-' | '+', false) | ('.' | ')', true)) {
            out.extend(['\\', sign]);
            continue;
        }
        // An address is a link without any mark.
        let is_address = rest.starts_with("://") || out.ends_with("www") && sign == '.';
        if is_address {
            out.push('\u{2060}');
        }
        match sign {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '@' | '#' => {
                out.extend(['\\', sign, '\u{2060}']);
            }
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '!' | '$' => out.extend(['\\', sign]),
            sign => out.push(sign),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_sentence_begins_a_list_or_links_anywhere() {
        for (text, expected) in [
            ("- a", "\\- a"),
            ("+ a", "\\+ a"),
            ("12. a 1.5", "12\\. a 1.5"),
            ("1) a", "1\\) a"),
            ("12 a.", "12 a."),
            ("at http://a.test", "at http\u{2060}://a.test"),
            ("at www.a.test", "at www\u{2060}.a.test"),
            ("", ""),
        ] {
            assert_eq!(plain(text), expected, "{text}");
        }
    }

    #[test]
    fn no_name_is_taken_for_a_mark_a_cell_or_a_person() {
        assert_eq!(code("GET /a|b"), "`GET /a\\|b`");
        assert_eq!(code("a `b` ``c"), "``` a `b` ``c ```");
        assert_eq!(code("<script>\n@bob\u{1b}[2J"), "`<script> @bob [2J`");
        assert_eq!(code(" "), "");
        assert!(code(&"x".repeat(10_000_000)).len() < 250);
        assert_eq!(
            plain("<b> *x* [y](z) @bob #12 `c` | a_b"),
            "&lt;b&gt; \\*x\\* \\[y\\](z) \\@\u{2060}bob \\#\u{2060}12 \\`c\\` \\| a\\_b"
        );
    }
}
