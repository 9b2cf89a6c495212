//! What a runner is to do, and whether it is made for that.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{config::Config, datapool::Policy};

/// What a runner runs, and within which limits: all that it learns of the scenario.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Assignment {
    /// The scenario's name.
    pub(crate) scenario: String,
    /// Its entries, in order.
    pub(crate) entries: Vec<AssignedEntry>,
    /// The settings of the run, secrets among them.
    pub(crate) config: Config,
    /// How many series a metric may have.
    pub(crate) series_cap: usize,
    /// Users added each second over the whole run.
    pub(crate) spawn_rate: f64,
    /// A start later than this is dropped.
    pub(crate) max_start_delay: Duration,
    /// What all random numbers of the run come from.
    pub(crate) seed: u64,
    /// Whether another controller may take over: then it is worth waiting for one.
    pub(crate) durable: bool,
    /// What is kept of the run elsewhere.
    pub(crate) keeping: Keeping,
}

/// What is kept of a run elsewhere, and under which number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Keeping {
    /// What tells this run from all others.
    pub(crate) run: u64,
    /// How events are collected, if anybody does.
    pub(crate) collect: Option<Collecting>,
    /// How journeys record for a later run, if anybody takes it.
    pub(crate) record: Option<Recording>,
}

/// How events are collected, as a collector wants it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Collecting {
    /// The form of records.
    pub(crate) format: String,
    /// How many bytes may wait in a runner for the stream.
    pub(crate) waiting: u64,
    /// The stream they go to.
    pub(crate) stream: String,
}

/// How journeys record, as the recorder wants it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recording {
    /// How many bytes may wait in a runner for the stream.
    pub(crate) waiting: u64,
}

/// One entry of the scenario, as a runner needs it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AssignedEntry {
    /// The full name of the journey.
    pub(crate) journey: String,
    /// What becomes of its data.
    pub(crate) policy: Policy,
}

/// What a program is made of, as far as controller and runners have to be alike in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fingerprint {
    /// The version of mite.
    pub(crate) version: String,
    /// The journeys it has, each with the type of its data.
    pub(crate) journeys: BTreeMap<String, String>,
}

impl Fingerprint {
    /// What keeps a runner of that make from running these entries for a controller of this one;
    /// nothing when it can.
    pub(crate) fn differences(&self, runner: &Self, entries: &[AssignedEntry]) -> Vec<String> {
        if self.version != runner.version {
            return vec![format!(
                "it is made with mite {}, and the controller with {}",
                runner.version, self.version
            )];
        }
        let mut names: Vec<_> = entries.iter().map(|entry| entry.journey.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let different = names.into_iter().filter_map(|name| {
            let ours = self.journeys.get(name)?;
            match runner.journeys.get(name) {
                None => Some(format!("it has no journey {name}")),
                Some(theirs) if theirs != ours => Some(format!(
                    "its {name} takes {theirs}, and the controller's {ours}"
                )),
                Some(_) => None,
            }
        });
        different.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made_of(version: &str, journeys: &[(&str, &str)]) -> Fingerprint {
        Fingerprint {
            version: version.into(),
            journeys: journeys
                .iter()
                .map(|(name, data)| ((*name).into(), (*data).into()))
                .collect(),
        }
    }

    fn entries(names: &[&str]) -> Vec<AssignedEntry> {
        let entry = |name: &&str| AssignedEntry {
            journey: (*name).into(),
            policy: Policy::Shared,
        };
        names.iter().map(entry).collect()
    }

    #[test]
    fn what_keeps_a_runner_from_a_scenario_is_named_and_nothing_else() {
        let controller = made_of("1.0.0", &[("shop::buy", "User"), ("shop::look", "()")]);
        let buy = entries(&["shop::buy", "shop::buy"]);
        let more = made_of("1.0.0", &[("shop::buy", "User"), ("other", "u8")]);
        assert!(controller.differences(&more, &buy).is_empty());
        let other = made_of("1.0.0", &[("shop::buy", "(User, u32)")]);
        assert_eq!(
            controller.differences(&other, &buy),
            ["its shop::buy takes (User, u32), and the controller's User"]
        );
        assert_eq!(
            controller.differences(&more, &entries(&["shop::look"])),
            ["it has no journey shop::look"]
        );
        let older = made_of("0.9.0", &[]);
        assert_eq!(
            controller.differences(&older, &buy),
            ["it is made with mite 0.9.0, and the controller with 1.0.0"]
        );
    }
}
