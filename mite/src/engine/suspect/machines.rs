//! The machines that the load came from: one, or those of all runners.

use crate::{controller::MemberOutcome, report::Suspicion, stats::MachineFigures};

/// What was seen of each machine that ran journeys.
#[derive(Clone, Debug)]
pub(in crate::engine) struct Machines<'a>(Vec<Machine<'a>>);

#[derive(Clone, Copy, Debug)]
struct Machine<'a> {
    name: &'a str,
    figures: &'a MachineFigures,
}

impl<'a> Machines<'a> {
    /// Those of the crew; where none of it is on a machine of its own, this one.
    pub(in crate::engine) fn new(crew: &'a [MemberOutcome], here: &'a MachineFigures) -> Self {
        if crew.iter().all(|member| member.recruit.host.is_empty()) {
            return Self::alone(here);
        }
        let each = crew.iter().filter_map(|member| {
            Some(Machine {
                name: &member.recruit.host,
                figures: member.machine.as_deref()?,
            })
        });
        Self(each.collect())
    }

    /// This machine.
    pub(in crate::engine) fn alone(here: &'a MachineFigures) -> Self {
        Self(vec![Machine {
            name: "",
            figures: here,
        }])
    }

    /// How many there are, and one where nothing is known of any.
    pub(super) fn count(&self) -> u64 {
        self.0.len().max(1) as u64
    }

    /// What they come to together.
    pub(in crate::engine) fn together(&self) -> MachineFigures {
        MachineFigures::together(self.0.iter().map(|machine| machine.figures))
    }

    /// What `check` holds against the machine that is worst off, and how many others are in the same
    /// trouble.
    pub(super) fn worst(
        &self,
        check: impl Fn(&MachineFigures) -> Option<Suspicion>,
    ) -> Option<Suspicion> {
        let held: Vec<_> = self
            .0
            .iter()
            .filter_map(|machine| Some((machine.name, check(machine.figures)?)))
            .collect();
        let of = held.len();
        let (name, worst) = held
            .into_iter()
            .max_by(|(_, one), (_, other)| excess(one).total_cmp(&excess(other)))?;
        if name.is_empty() {
            return Some(worst);
        }
        let message = match (self.0.len(), of) {
            (1, _) => format!("On {name}: {}", worst.message),
            (all, 1) => format!("On {name}, one of {all} runners: {}", worst.message),
            (all, of) => format!(
                "On {of} of {all} runners, worst on {name}: {}",
                worst.message
            ),
        };
        Some(Suspicion { message, ..worst })
    }
}

/// How far a limit was passed, upwards or downwards.
fn excess(suspicion: &Suspicion) -> f64 {
    let part = suspicion.value / suspicion.limit;
    part.max(1.0 / part)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{id::RunnerId, link::Recruit, report::Cause};

    fn member(host: &str, steal: Option<f64>) -> MemberOutcome {
        MemberOutcome {
            runner: RunnerId(0),
            recruit: Recruit {
                workers: 1,
                weight: 1,
                max_in_flight: 1000,
                host: host.to_owned(),
            },
            machine: steal.map(|steal| {
                Box::new(MachineFigures {
                    steal: Some(steal),
                    ..MachineFigures::default()
                })
            }),
            joined: Duration::ZERO,
            left: None,
            lost: false,
        }
    }

    fn stolen(figures: &MachineFigures) -> Option<Suspicion> {
        let value = figures.steal.filter(|steal| *steal > 0.05)?;
        Some(Suspicion {
            name: "steal".to_owned(),
            value,
            limit: 0.05,
            invalid: false,
            cause: Cause::Generator,
            message: format!("{value} was stolen."),
        })
    }

    #[track_caller]
    fn told(crew: &[MemberOutcome], here: f64) -> Option<String> {
        let here = MachineFigures {
            steal: Some(here),
            ..MachineFigures::default()
        };
        let machines = Machines::new(crew, &here);
        machines.worst(stolen).map(|suspicion| suspicion.message)
    }

    #[test]
    fn the_worst_of_the_machines_speaks_for_those_in_the_same_trouble() {
        let text = |text: &str| Some(text.to_owned());
        let (a, b, c) = (
            member("a", Some(0.06)),
            member("b", Some(0.3)),
            member("c", Some(0.01)),
        );
        let all = [a.clone(), b.clone(), c.clone()];
        assert_eq!(
            told(&all, 0.9),
            text("On 2 of 3 runners, worst on b: 0.3 was stolen.")
        );
        assert_eq!(
            told(&[b.clone(), c.clone()], 0.0),
            text("On b, one of 2 runners: 0.3 was stolen.")
        );
        assert_eq!(told(&[b], 0.0), text("On b: 0.3 was stolen."));
        assert_eq!(told(&[c, member("d", None)], 0.9), None);
        assert_eq!(told(&[member("", None)], 0.9), text("0.9 was stolen."));
    }
}
