//! Runners on other machines: waits for them, or finds those that another controller has left.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use super::{Muster, RunError, Settings};
use crate::{
    clock::RunClock,
    engine::{
        elsewhere::Elsewhere,
        ledger::{Beginning, Past, Record, Succession},
        remote::fingerprint,
        settings::Bus,
        telemetry::Ready,
    },
    id::RunnerId,
    link::{
        ControllerEnd, Mark, Message, Recruit, Word, encode,
        nats::{self, AssignedEntry, Assignment, Keepers, Keeping, Lead, journal::Unkept},
    },
    runner::RunnerEntry,
};

/// How long after the last runner has come the run begins: time enough for all to hear of it.
const NOTICE: Duration = Duration::from_secs(1);

/// Those who are there.
#[derive(Default)]
struct Here {
    recruits: BTreeMap<RunnerId, Recruit>,
    /// How far the conversations are, also with those who have gone again.
    marks: BTreeMap<RunnerId, Mark>,
}

/// Waits for as many runners as were asked for, unless the run has begun already.
pub(super) async fn runners(
    settings: &Settings,
    bus: &Bus,
    entries: &[RunnerEntry],
    telemetry: Ready,
    succession: &mut Succession,
) -> Result<Muster, RunError> {
    let keepers = match &succession.past {
        Some(past) => Keepers::again(&bus.options, past.beginning.keeping.clone()).await,
        None => Keepers::find(&bus.options, bus.collectors).await,
    };
    let keepers = keepers.map_err(|error| RunError::Link(error.to_string()))?;
    let assignment = assignment(settings, bus, entries, keepers.keeping.clone());
    let journal = succession.journal.as_ref();
    let epoch = journal.map_or_else(Instant::now, |journal| journal.epoch);
    let lead = match (journal, &succession.past) {
        (None, _) => Lead::Alone,
        (Some(journal), None) => Lead::Kept(journal.last_entry.clone()),
        (Some(journal), Some(_)) => Lead::Successor(journal.last_entry.clone()),
    };
    let opened = nats::open(bus.options.clone(), assignment, fingerprint(), epoch, lead).await;
    let mut link = opened.map_err(|error| RunError::Link(error.to_string()))?;
    if let Some(Past { beginning, .. }) = &succession.past {
        let at = beginning.begin;
        let clock = RunClock::of_old(epoch + at, beginning.started_at);
        return Ok(Muster {
            link,
            clock,
            runners: beginning.runners.clone(),
            begin: Some(at),
            telemetry: telemetry.start(clock, settings)?,
            elsewhere: Some(Elsewhere::new(keepers)),
        });
    }
    let here = wait_for(bus.wait_for, &mut link).await?;
    let at = epoch.elapsed() + NOTICE;
    let clock = RunClock::beginning_at(epoch + at);
    let runners: Vec<_> = here.recruits.into_iter().collect();
    if succession.journal.is_some() {
        let beginning = Beginning {
            plan: succession.plan.clone(),
            config: settings.config.clone(),
            seed: settings.seed,
            run: settings.run.clone(),
            begin: at,
            started_at: clock.started_at(),
            runners: runners.clone(),
            marks: here.marks,
            keeping: keepers.keeping.clone(),
        };
        keep(succession, beginning, &link).await?;
    }
    Ok(Muster {
        link,
        clock,
        runners,
        begin: Some(at),
        telemetry: telemetry.start(clock, settings)?,
        elsewhere: Some(Elsewhere::new(keepers)),
    })
}

/// What runners are to know.
fn assignment(
    settings: &Settings,
    bus: &Bus,
    entries: &[RunnerEntry],
    keeping: Keeping,
) -> Assignment {
    let entries = entries.iter().map(|entry| AssignedEntry {
        journey: entry.journey.name().to_owned(),
        policy: entry.policy,
    });
    Assignment {
        scenario: settings.name.clone(),
        entries: entries.collect(),
        config: settings.config.clone(),
        series_cap: settings.series_cap,
        spawn_rate: settings.spawn_rate,
        max_start_delay: settings.max_start_delay,
        seed: settings.seed,
        durable: bus.durable,
        keeping,
    }
}

async fn wait_for(wanted: usize, link: &mut ControllerEnd) -> Result<Here, RunError> {
    let mut here = Here::default();
    while here.recruits.len() < wanted {
        let ended = || RunError::Link("the link over NATS has ended".to_owned());
        let heard = link.receive().await.ok_or_else(ended)?;
        if let Some(mark) = heard.mark {
            here.marks.insert(heard.runner, mark);
        }
        match heard.message {
            Message::Hello(recruit) => {
                here.recruits.insert(heard.runner, recruit);
                tracing::info!("{} of {wanted} runners are there", here.recruits.len());
            }
            Message::Lost | Message::Bye | Message::Died => {
                here.recruits.remove(&heard.runner);
            }
            _ => {}
        }
    }
    Ok(here)
}

/// Writes down how the run begins, before anybody is told.
async fn keep(
    succession: &mut Succession,
    beginning: Beginning,
    link: &ControllerEnd,
) -> Result<(), RunError> {
    let Some(journal) = &mut succession.journal else {
        return Ok(());
    };
    let marks = beginning.marks.clone();
    journal.keep(encode(&Record::Begin(Box::new(beginning))));
    match journal.kept().await {
        Ok(()) => {}
        Err(Unkept::Superseded) => return Err(RunError::TakenOver),
        Err(Unkept::Refused(why)) => {
            return Err(RunError::Link(format!(
                "cannot keep the state of the run in JetStream: {why}"
            )));
        }
    }
    for (runner, mark) in marks {
        link.tell(Word::Confirm(runner, mark));
    }
    Ok(())
}
