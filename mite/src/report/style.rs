//! How text may look: its width, and whether colour and signs beyond ASCII will do.

use std::{
    env,
    io::{self, IsTerminal as _},
};

use console::Term;

/// The narrowest layout that is still readable; narrower terminals wrap it.
const NARROWEST: usize = 24;
/// Wider lines are hard to follow with the eye.
const WIDEST: usize = 120;
/// For pipes and files.
const USUAL: usize = 100;

/// How text may look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    /// The columns there are.
    pub(crate) width: usize,
    /// Whether to colour what matters.
    pub(crate) colour: bool,
    /// Whether the terminal shows more than ASCII.
    pub(crate) unicode: bool,
}

/// What a colour says.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tone {
    Heading,
    Good,
    Bad,
    Doubtful,
    Quiet,
}

impl Style {
    /// What suits the standard output as it is: no colour unless it is a terminal, and none with
    /// `NO_COLOR`.
    pub(crate) fn of_stdout() -> Self {
        Self::of(&Term::stdout(), io::stdout().is_terminal())
    }

    /// The same of the standard error.
    pub(crate) fn of_stderr() -> Self {
        Self::of(&Term::stderr(), io::stderr().is_terminal())
    }

    fn of(term: &Term, is_terminal: bool) -> Self {
        let columns = term.size_checked().map(|(_, columns)| usize::from(columns));
        Self {
            width: columns
                .filter(|_| is_terminal)
                .unwrap_or(USUAL)
                .clamp(NARROWEST, WIDEST),
            colour: is_terminal && allows_colour(|name| env::var(name).ok()),
            unicode: speaks_unicode(|name| env::var(name).ok()),
        }
    }

    /// `text` in the colour that says `tone`.
    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Heading => "1",
            Tone::Good => "1;32",
            Tone::Bad => "1;31",
            Tone::Doubtful => "1;33",
            Tone::Quiet => "2",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// The finished text in the signs there are; each stand-in is as wide as what it stands for.
    pub(crate) fn finish(self, text: String) -> String {
        if self.unicode {
            return text;
        }
        text.chars()
            .map(|sign| match sign {
                'µ' => 'u',
                '✓' => '+',
                '…' => '~',
                '›' => '>',
                '≤' => '<',
                '✗' | '×' => 'x',
                '━' => '=',
                '─' => '-',
                '·' => '.',
                other => other,
            })
            .collect()
    }
}

fn allows_colour(variable: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name| variable(name).is_some_and(|value| !value.is_empty());
    !set("NO_COLOR") && variable("TERM").as_deref() != Some("dumb")
}

/// Only a locale that names another encoding rules it out; without any the chances are good.
fn speaks_unicode(variable: impl Fn(&str) -> Option<String>) -> bool {
    ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| variable(name).filter(|value| !value.is_empty()))
        .is_none_or(|locale| {
            let locale = locale.to_ascii_lowercase();
            !locale.contains('.') || locale.contains("utf-8") || locale.contains("utf8")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<'a>(name: &'a str, value: &'a str) -> impl Fn(&str) -> Option<String> + 'a {
        move |asked| (asked == name).then(|| value.to_owned())
    }

    #[test]
    fn colour_is_refused_by_no_color_and_by_a_dumb_terminal() {
        assert!(allows_colour(with("TERM", "xterm-256color")));
        assert!(!allows_colour(with("NO_COLOR", "1")));
        assert!(allows_colour(with("NO_COLOR", "")), "an empty one is none");
        assert!(!allows_colour(with("TERM", "dumb")));
    }

    #[test]
    fn another_encoding_gets_ascii() {
        assert!(speaks_unicode(with("LANG", "de_DE.UTF-8")));
        assert!(speaks_unicode(with("LANG", "C")));
        assert!(!speaks_unicode(with("LC_ALL", "de_DE.ISO-8859-1")));
        let style = Style {
            width: 80,
            colour: false,
            unicode: false,
        };
        assert_eq!(style.finish("✓ 870µs …".into()), "+ 870us ~");
    }
}
