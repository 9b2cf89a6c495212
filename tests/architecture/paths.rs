//! Which modules at the root of a crate a source file names.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::Path,
};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A place that names a module at the root, or something the root re-exports from one.
#[derive(Debug)]
pub(crate) struct Reference {
    /// The module; `*` for all of them.
    pub(crate) module: String,
    /// The line in the file.
    pub(crate) line: usize,
}

/// The root of a crate: its name, and which module each re-exported name is from.
pub(crate) struct Root {
    name: String,
    modules: HashSet<String>,
    exports: HashMap<String, String>,
}

impl Root {
    /// Reads the root, and which files beside and below it define macros for it.
    pub(crate) fn read(lib: &Path, name: &str) -> Self {
        let text = fs::read_to_string(lib).expect("the root of the crate");
        let mut root = Self::parse(&text, name);
        let folder = lib.parent().expect("a folder of sources");
        root.add_macros(folder, folder);
        root
    }

    /// The root with this source.
    pub(crate) fn parse(text: &str, name: &str) -> Self {
        let mut root = Self {
            name: name.to_owned(),
            modules: HashSet::new(),
            exports: HashMap::new(),
        };
        let tokens: Vec<TokenTree> = parsed(text).into_iter().collect();
        for statement in tokens.split(|token| is_punct(Some(token), ';')) {
            let after = |word| {
                statement
                    .iter()
                    .position(|token| is_word(Some(token), word))
            };
            if let Some(at) = after("use") {
                export(rest(statement, at + 1), None, &mut root.exports);
            } else if let Some(at) = after("mod") {
                root.modules
                    .extend(rest(statement, at + 1).iter().map(ToString::to_string));
            }
        }
        root
    }

    /// The root with a macro that lives in `module`.
    pub(crate) fn with_macro(mut self, name: &str, module: &str) -> Self {
        self.modules.insert(module.to_owned());
        self.exports.insert(name.to_owned(), module.to_owned());
        self
    }

    fn add_macros(&mut self, folder: &Path, sources: &Path) {
        for entry in fs::read_dir(folder).expect("a readable folder of sources") {
            let path = entry.expect("a readable folder of sources").path();
            if path.is_dir() {
                self.add_macros(&path, sources);
                continue;
            }
            let Ok(text) = fs::read_to_string(&path) else {
                continue;
            };
            let relative = path
                .strip_prefix(sources)
                .expect("a file below the sources");
            let Some(module) = module_of(relative).into_iter().next() else {
                continue;
            };
            if !text.contains("#[macro_export]") {
                continue;
            }
            for line in text.lines() {
                if let Some(rest) = line.strip_prefix("macro_rules! ") {
                    let name = rest.trim_end_matches([' ', '{']);
                    self.exports.insert(name.to_owned(), module.clone());
                    self.modules.insert(module.clone());
                }
            }
        }
    }

    /// The module that has what the root calls `name`; none when it is from another crate.
    fn module<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        match self.exports.get(name) {
            _ if self.modules.contains(name) => Some(name),
            None => Some(name),
            Some(from) => self.modules.get(from).map(String::as_str),
        }
    }
}

/// Notes under each name at the end of a `use` the first segment of its path.
fn export(tree: &[TokenTree], first: Option<&str>, exports: &mut HashMap<String, String>) {
    for branch in tree.split(|token| is_punct(Some(token), ',')) {
        let words: Vec<String> = branch
            .iter()
            .filter_map(|token| match token {
                TokenTree::Ident(word) => Some(word.to_string()),
                _ => None,
            })
            .filter(|word| !["crate", "self", "as"].contains(&word.as_str()))
            .collect();
        let Some(from) = first.or(words.first().map(String::as_str)) else {
            continue;
        };
        if let Some(TokenTree::Group(group)) = branch.last() {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            export(&inner, Some(from), exports);
        } else if let Some(name) = words.last() {
            exports.insert(name.clone(), from.to_owned());
        }
    }
}

/// The module path of a file relative to the folder of sources: `a/b.rs` and `a/b/mod.rs` are a, b.
pub(crate) fn module_of(file: &Path) -> Vec<String> {
    let mut path: Vec<String> = file
        .with_extension("")
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    if path
        .last()
        .is_some_and(|name| name == "mod" || name == "lib")
    {
        path.pop();
    }
    path
}

/// What the text of `file`, relative to the folder of sources, names at the root.
pub(crate) fn modules_used(text: &str, file: &Path, root: &Root) -> Vec<Reference> {
    let mut scan = Scan {
        root,
        found: Vec::new(),
    };
    scan.tokens(parsed(text), &module_of(file));
    scan.found
}

fn parsed(text: &str) -> TokenStream {
    text.parse().expect("source that the compiler takes")
}

struct Scan<'a> {
    root: &'a Root,
    found: Vec<Reference>,
}

impl Scan<'_> {
    /// Searches what stands in the module `at`.
    fn tokens(&mut self, tokens: TokenStream, at: &[String]) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut next = 0;
        while let Some(token) = tokens.get(next) {
            if let Some((from, length)) = self.start_of_path(&tokens, next, at) {
                next += length;
                next += self.path(&tokens[next..], &from);
                continue;
            }
            if let TokenTree::Group(group) = token {
                self.tokens(group.stream(), &inside(&tokens, next, at));
            }
            next += 1;
        }
    }

    /// Where a path beginning here begins (no segment is the root), and how many tokens say so.
    fn start_of_path(
        &self,
        tokens: &[TokenTree],
        here: usize,
        at: &[String],
    ) -> Option<(Vec<String>, usize)> {
        if goes_on(&tokens[..here]) || !colons(tokens.get(here + 1..)?) {
            return None;
        }
        let TokenTree::Ident(word) = &tokens[here] else {
            return None;
        };
        let word = word.to_string();
        if word == "crate" || word == self.root.name {
            return Some((Vec::new(), 3));
        }
        if word == "super" {
            return Some((above(at), 3));
        }
        None
    }

    /// Follows a path or a tree of paths from `from`, and says how many tokens it took.
    fn path(&mut self, tokens: &[TokenTree], from: &[String]) -> usize {
        match tokens.first() {
            Some(TokenTree::Ident(word)) if word == "super" && colons(rest(tokens, 1)) => {
                3 + self.path(rest(tokens, 3), &above(from))
            }
            Some(TokenTree::Ident(word)) if word == "self" => 1,
            Some(TokenTree::Ident(word)) => {
                if from.is_empty() {
                    let word_text = word.to_string();
                    if let Some(module) = self.root.module(&word_text) {
                        self.note(module.to_owned(), word.span());
                    }
                }
                1
            }
            Some(TokenTree::Punct(punct)) if punct.as_char() == '*' => {
                if from.is_empty() {
                    self.note("*".to_owned(), punct.span());
                }
                1
            }
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                for branch in inner.split(|token| is_punct(Some(token), ',')) {
                    self.path(branch, from);
                }
                1
            }
            _ => 0,
        }
    }

    fn note(&mut self, module: String, span: proc_macro2::Span) {
        let line = span.start().line;
        self.found.push(Reference { module, line });
    }
}

/// The module that the group at `here` is in: a new one when it is the body of a `mod`.
fn inside(tokens: &[TokenTree], here: usize, at: &[String]) -> Vec<String> {
    let mut path = at.to_vec();
    if let Some([TokenTree::Ident(word), TokenTree::Ident(name)]) = here
        .checked_sub(2)
        .and_then(|start| tokens.get(start..here))
        && word == "mod"
    {
        path.push(name.to_string());
    }
    path
}

fn above(path: &[String]) -> Vec<String> {
    path.split_last()
        .map_or_else(Vec::new, |(_, above)| above.to_vec())
}

fn rest(tokens: &[TokenTree], from: usize) -> &[TokenTree] {
    tokens.get(from..).unwrap_or_default()
}

fn colons(tokens: &[TokenTree]) -> bool {
    is_punct(tokens.first(), ':') && is_punct(tokens.get(1), ':')
}

/// Whether what follows these tokens is a later segment of a path, as `b` is in `a::b`.
fn goes_on(before: &[TokenTree]) -> bool {
    /// Words that a path with a leading `::` may follow.
    const NO_SEGMENTS: [&str; 11] = [
        "use", "as", "in", "return", "mut", "dyn", "impl", "for", "match", "if", "const",
    ];
    let Some((colons_before, segment)) = before
        .len()
        .checked_sub(2)
        .map(|at| (colons(&before[at..]), &before[..at]))
    else {
        return false;
    };
    let [.., last] = segment else {
        return false;
    };
    let is_segment = match last {
        TokenTree::Ident(word) => !NO_SEGMENTS.contains(&word.to_string().as_str()),
        TokenTree::Punct(punct) if punct.as_char() == '>' => !ends_an_arrow(segment),
        _ => false,
    };
    colons_before && is_segment
}

fn ends_an_arrow(tokens: &[TokenTree]) -> bool {
    let before = tokens.len().checked_sub(2).and_then(|at| tokens.get(at));
    is_punct(before, '-') || is_punct(before, '=')
}

fn is_punct(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

fn is_word(token: Option<&TokenTree>, wanted: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(word)) if word == wanted)
}
