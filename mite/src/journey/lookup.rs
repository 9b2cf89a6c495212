//! What the macros marked: found by name, in one order, no name twice.
//!
//! Journeys, scenarios and datapools are registered alike. Each kind implements [`Registered`] and
//! has the same look-up.

use std::fmt::Write as _;

/// Where a marked function is, and what it says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The path of its module and its own name: `shop::checkout::sign_in`.
    pub name: &'static str,
    /// The source file, as the compiler was given it.
    pub file: &'static str,
    /// The line of the function's name.
    pub line: u32,
    /// The first line of its documentation; empty without any.
    pub doc: &'static str,
}

/// A kind of function that a macro registers.
pub(crate) trait Registered: inventory::Collect {
    /// What one of them is called in a message: `journey`.
    const KIND: &'static str;

    /// Where it is.
    fn definition(&self) -> Definition;
}

/// Everything of a kind that is linked into this program, in order of name.
pub(crate) fn all<E: Registered>() -> Vec<&'static E> {
    let mut entries: Vec<&'static E> = inventory::iter::<E>.into_iter().collect();
    entries.sort_by_key(|entry| {
        let definition = entry.definition();
        (definition.name, definition.file, definition.line)
    });
    entries
}

/// The one of that name; the end of its path will do where only one ends so.
pub(crate) fn find<E: Registered>(name: &str) -> Result<&'static E, LookupError> {
    let entries = all::<E>();
    let named = entries
        .into_iter()
        .map(|entry| (entry.definition().name, entry))
        .collect();
    choose(E::KIND, named, name)
}

/// Makes sure that each name of a kind is given once.
pub(crate) fn check_unique<E: Registered>() -> Result<(), DuplicateName> {
    let entries = all::<E>();
    first_duplicate(E::KIND, entries.iter().map(|entry| entry.definition()))
}

/// A name that does not say which one is meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LookupError {
    /// Nothing has that name.
    #[error("{}", tell_unknown(kind, name, *nearest, known))]
    Unknown {
        /// What was looked for: `journey`.
        kind: &'static str,
        /// The name that was asked for.
        name: String,
        /// The name that looks most like it, if one does.
        nearest: Option<&'static str>,
        /// All there are, in order.
        known: Vec<&'static str>,
    },
    /// More than one ends with that name.
    #[error(
        "the {kind} name \"{name}\" may be any of {}; write more of the path",
        candidates.join(", ")
    )]
    Ambiguous {
        /// What was looked for: `journey`.
        kind: &'static str,
        /// The name that was asked for.
        name: String,
        /// Those that end with it, in order.
        candidates: Vec<&'static str>,
    },
}

/// Two functions that are registered under one name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "two {kind}s are named {name}, one at {}:{} and one at {}:{}; rename one of them",
    first.0, first.1, second.0, second.1
)]
pub(crate) struct DuplicateName {
    kind: &'static str,
    name: &'static str,
    first: (&'static str, u32),
    second: (&'static str, u32),
}

/// Names told in a message about an unknown one; the rest is only counted.
const NAMES_TOLD: usize = 20;

/// From this likeness on (1 is equal) a known name is taken for what was meant.
const LIKENESS: f64 = 0.6;

fn choose<T: Copy>(
    kind: &'static str,
    named: Vec<(&'static str, T)>,
    wanted: &str,
) -> Result<T, LookupError> {
    if let Some((_, exact)) = named.iter().find(|(name, _)| *name == wanted) {
        return Ok(*exact);
    }
    let matching: Vec<(&'static str, T)> = named
        .iter()
        .filter(|(name, _)| ends_with(name, wanted))
        .copied()
        .collect();
    let names = |named: Vec<(&'static str, T)>| named.into_iter().map(|(name, _)| name).collect();
    match matching.as_slice() {
        [(_, only)] => Ok(*only),
        [] => {
            let known: Vec<&'static str> = names(named);
            Err(LookupError::Unknown {
                kind,
                name: wanted.to_owned(),
                nearest: nearest(&known, wanted),
                known,
            })
        }
        _ => Err(LookupError::Ambiguous {
            kind,
            name: wanted.to_owned(),
            candidates: names(matching),
        }),
    }
}

/// Whether `end` is the last of the path's segments, whole ones only.
fn ends_with(path: &str, end: &str) -> bool {
    path.strip_suffix(end)
        .is_some_and(|front| front.is_empty() || front.ends_with("::"))
}

/// The name most like `wanted`, compared with as many of its last segments as `wanted` has.
fn nearest(names: &[&'static str], wanted: &str) -> Option<&'static str> {
    let segments = wanted.split("::").count();
    names
        .iter()
        .map(|name| {
            let end = last_segments(name, segments);
            (strsim::normalized_damerau_levenshtein(end, wanted), *name)
        })
        .filter(|(likeness, _)| *likeness >= LIKENESS)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}

fn last_segments(path: &str, count: usize) -> &str {
    path.rmatch_indices("::")
        .nth(count.saturating_sub(1))
        .and_then(|(at, separator)| path.get(at + separator.len()..))
        .unwrap_or(path)
}

fn tell_unknown(kind: &str, name: &str, nearest: Option<&str>, known: &[&str]) -> String {
    let mut text = format!("there is no {kind} \"{name}\"");
    if let Some(nearest) = nearest {
        let _ = write!(text, "; did you mean {nearest}?");
    } else if known.is_empty() {
        let _ = write!(
            text,
            ", nor any other: mark a function with #[{kind}], and name its crate in the program \
             (`use that_crate as _;`)"
        );
        return text;
    } else {
        text.push(';');
    }
    let told: Vec<&str> = known.iter().take(NAMES_TOLD).copied().collect();
    let _ = write!(text, " the {kind}s are {}", told.join(", "));
    if let Some(more) = known.len().checked_sub(NAMES_TOLD).filter(|more| *more > 0) {
        let _ = write!(text, " and {more} more");
    }
    text
}

/// Looks at neighbours, so the definitions come in order of name.
fn first_duplicate(
    kind: &'static str,
    definitions: impl Iterator<Item = Definition>,
) -> Result<(), DuplicateName> {
    let mut before: Option<Definition> = None;
    for second in definitions {
        if let Some(first) = before.filter(|first| first.name == second.name) {
            return Err(DuplicateName {
                kind,
                name: first.name,
                first: (first.file, first.line),
                second: (second.file, second.line),
            });
        }
        before = Some(second);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 4] = [
        "forum::sign_in",
        "shop::basket::add",
        "shop::sign_in",
        "sign_in",
    ];

    fn named(names: &[&'static str]) -> Vec<(&'static str, &'static str)> {
        names.iter().map(|name| (*name, *name)).collect()
    }

    fn look_up(wanted: &str) -> Result<&'static str, String> {
        choose("journey", named(&NAMES), wanted).map_err(|error| error.to_string())
    }

    #[test]
    fn the_end_of_a_path_serves_where_only_one_ends_so() {
        assert_eq!(look_up("add"), Ok("shop::basket::add"));
        assert_eq!(look_up("basket::add"), Ok("shop::basket::add"));
        assert_eq!(look_up("shop::sign_in"), Ok("shop::sign_in"));
    }

    #[test]
    fn a_full_name_wins_over_longer_ones_that_end_with_it() {
        assert_eq!(look_up("sign_in"), Ok("sign_in"));
    }

    #[test]
    fn half_a_segment_is_no_name() {
        assert!(look_up("in").is_err());
        assert!(look_up("::add").is_err());
        assert!(look_up("").is_err());
    }

    #[test]
    fn an_ambiguous_end_lists_those_it_may_mean() {
        let error = choose("journey", named(&NAMES[..3]), "sign_in").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the journey name \"sign_in\" may be any of forum::sign_in, shop::sign_in; \
             write more of the path"
        );
    }

    #[test]
    fn an_unknown_name_gets_the_nearest_and_the_list() {
        assert_eq!(
            look_up("basket::ad").unwrap_err(),
            "there is no journey \"basket::ad\"; did you mean shop::basket::add? the journeys are \
             forum::sign_in, shop::basket::add, shop::sign_in, sign_in"
        );
        assert_eq!(
            look_up("pay").unwrap_err(),
            "there is no journey \"pay\"; the journeys are \
             forum::sign_in, shop::basket::add, shop::sign_in, sign_in"
        );
    }

    #[test]
    fn a_long_list_is_cut() {
        let text = tell_unknown("journey", "pay", None, &["x"; 23]);
        assert!(text.ends_with("x, x and 3 more"), "{text}");
        let text = tell_unknown("journey", "pay", None, &["x"; 20]);
        assert!(text.ends_with("x, x"), "{text}");
    }

    #[test]
    fn a_program_without_any_is_told_how_they_get_in() {
        let error = choose("journey", named(&[]), "pay").unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no journey \"pay\", nor any other: mark a function with #[journey], and name \
             its crate in the program (`use that_crate as _;`)"
        );
    }

    #[test]
    fn a_name_given_twice_is_told_with_both_places() {
        let at = |name, line| Definition {
            name,
            file: "src/main.rs",
            line,
            doc: "",
        };
        let unique = [at("a", 1), at("b", 2)];
        assert_eq!(first_duplicate("journey", unique.into_iter()), Ok(()));
        let double = [at("a", 1), at("b", 2), at("b", 9)];
        assert_eq!(
            first_duplicate("journey", double.into_iter())
                .unwrap_err()
                .to_string(),
            "two journeys are named b, one at src/main.rs:2 and one at src/main.rs:9; \
             rename one of them"
        );
    }
}
