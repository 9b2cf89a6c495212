//! Metrics in the text format of Prometheus, read strictly.

use std::collections::BTreeMap;

/// One number.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

/// Every number of a text.
#[track_caller]
pub(crate) fn samples(text: &str) -> Vec<Sample> {
    assert!(text.ends_with('\n'));
    text.split_terminator('\n')
        .filter(|line| !line.starts_with("# HELP ") && !line.starts_with("# TYPE "))
        .map(sample)
        .collect()
}

/// The sum of the numbers of this name that have all of these labels.
pub(crate) fn sum(samples: &[Sample], name: &str, labels: &[(&str, &str)]) -> f64 {
    let these = samples.iter().filter(|sample| {
        let has = |(label, value): &(&str, &str)| {
            sample.labels.get(*label).map(String::as_str) == Some(*value)
        };
        sample.name == name && labels.iter().all(has)
    });
    these.map(|sample| sample.value).sum()
}

fn sample(line: &str) -> Sample {
    let end = line.find(['{', ' ']).unwrap_or_else(|| panic!("{line:?}"));
    let (name, mut rest) = line.split_at(end);
    assert!(is_name(name), "{line:?}");
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, value) = rest.split_once("=\"").unwrap_or_else(|| panic!("{line:?}"));
            assert!(is_name(label), "{line:?}");
            let (value, after) = quoted(value);
            labels.insert(label.to_owned(), value);
            match after.strip_prefix(',') {
                Some(more) => rest = more,
                None => {
                    rest = after
                        .strip_prefix('}')
                        .unwrap_or_else(|| panic!("{line:?}"));
                    break;
                }
            }
        }
    }
    Sample {
        name: name.to_owned(),
        labels,
        value: rest
            .trim_start()
            .parse()
            .unwrap_or_else(|_| panic!("{line:?}")),
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|sign| sign.is_ascii_alphanumeric() || sign == '_')
}

/// A value up to its closing quote, and what comes behind.
fn quoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut signs = text.char_indices();
    while let Some((at, sign)) = signs.next() {
        match sign {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.push(match signs.next() {
                Some((_, 'n')) => '\n',
                Some((_, sign @ ('\\' | '"'))) => sign,
                other => panic!("{other:?} is escaped in {text:?}"),
            }),
            sign => value.push(sign),
        }
    }
    panic!("{text:?} has no end");
}
