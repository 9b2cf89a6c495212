//! `docs/distributed.md` says what is true of the programs and of the files.

use std::collections::BTreeSet;

use crate::{
    files::{read, repository},
    programs::help,
};

const PAGE: &str = "docs/distributed.md";

#[test]
fn every_option_of_a_runner_and_of_the_link_is_on_the_page() {
    let page = read(PAGE);
    let word = |c: char| !(c.is_ascii_alphanumeric() || c == '-');
    let options = |command: &str| -> BTreeSet<String> {
        let help = help(command);
        let words = help.split(word).filter(|word| word.starts_with("--"));
        words.map(str::to_owned).collect()
    };
    let of_the_link = options("controller")
        .into_iter()
        .filter(|option| option.starts_with("--nats") || option.starts_with("--wait-for-"));
    let of_all = ["--", "--help", "--quiet", "--log-level"];
    let all = ["runner", "collector", "recorder", "exporter"];
    let mut options: BTreeSet<_> = all.into_iter().flat_map(options).collect();
    options.extend(of_the_link);
    options.retain(|option| !of_all.contains(&option.as_str()));
    assert!(options.len() >= 11, "{options:?}");
    for option in options {
        let begins = [format!("`{option}`"), format!("`{option} ")];
        assert!(
            begins.iter().any(|begin| page.contains(begin)),
            "{option} is not on the page"
        );
    }
}

#[test]
fn the_permissions_on_the_page_are_those_of_the_config() {
    let page = read(PAGE);
    let config = read("deploy/nats/nats.conf");
    for user in ["controller", "runner", "collector", "recorder", "exporter"] {
        let row = page
            .lines()
            .find(|line| line.starts_with(&format!("| `{user}` | `mite.")));
        let mut cells = row.unwrap().split('|').skip(2);
        let after = config.split_once(&format!("  {user}: {{")).unwrap().1;
        let mut lines = after.lines().filter(|line| line.contains("allow: ["));
        for side in ["publish", "subscribe"] {
            let (cell, line) = (cells.next().unwrap(), lines.next().unwrap());
            assert!(line.trim().starts_with(side), "{line}");
            let told: Vec<_> = cell.split('`').skip(1).step_by(2).collect();
            let set: Vec<_> = line.split('"').skip(1).step_by(2).collect();
            assert_eq!(told, set, "{user} may {side}");
        }
    }
}

#[test]
fn what_the_pages_link_to_is_there() {
    for (page, folder) in [
        (PAGE, "docs"),
        ("deploy/kubernetes/README.md", "deploy/kubernetes"),
    ] {
        let text = read(page);
        let links = text.split("](").skip(1);
        let links = links.filter_map(|rest| rest.split_once(')').map(|(link, _)| link));
        let mut files = 0;
        for link in links.filter(|link| !link.starts_with("http")) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let file = match file {
                "" => repository(page),
                file => repository(folder).join(file),
            };
            assert!(file.exists(), "{page}: {link}");
            if !heading.is_empty() {
                let linked = std::fs::read_to_string(file).unwrap();
                let heading = heading.replace('-', " ");
                let has = |line: &str| {
                    let title = line.trim_start_matches('#').trim().to_lowercase();
                    line.starts_with('#') && title.replace(['`', '?', ',', ':'], "") == heading
                };
                assert!(linked.lines().any(has), "{page}: {link}");
            }
            files += 1;
        }
        assert!(files > 0, "{page}");
    }
}
