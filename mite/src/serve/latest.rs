//! The latest that is known of the run, asked for once however many want to see it.

use std::{
    cell::{OnceCell, RefCell},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    sync::{mpsc::Sender, oneshot, watch},
    time::{Instant, timeout},
};

use super::{Feed, Moment, Question, Stage};
use crate::report::{Report, SeriesPoint};

/// How long the engine may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Making something to look at may take one part in so many of the time of a core.
const SPARING: u32 = 10;

/// Asks the engine how the run stands, and keeps what it said until there is more to know.
#[derive(Clone)]
pub(super) struct Latest {
    questions: Sender<Question>,
    stages: watch::Receiver<Stage>,
    kept: Rc<RefCell<Option<Rc<Seen>>>>,
}

/// How the run stood, in the forms that were asked for.
pub(super) struct Seen {
    moment: Arc<dyn Moment>,
    /// How many seconds were known then; absent when the run is over.
    second: Option<u64>,
    asked: Instant,
    report: OnceCell<Split>,
    json: OnceCell<Bytes>,
    batches: OnceCell<Bytes>,
    /// What all that has cost.
    cost: std::cell::Cell<Duration>,
}

/// A report and the points that were taken out of it.
struct Split {
    report: Report,
    points: Vec<SeriesPoint>,
}

impl Latest {
    pub(super) fn new(feed: Feed) -> Self {
        Self {
            questions: feed.questions,
            stages: feed.stages,
            kept: Rc::default(),
        }
    }

    /// What changes when there is more to see.
    pub(super) fn stages(&self) -> watch::Receiver<Stage> {
        self.stages.clone()
    }

    /// How the run stands; nothing before it has begun.
    pub(super) async fn get(&self) -> Option<Rc<Seen>> {
        let second = match &*self.stages.borrow() {
            Stage::Before => None,
            Stage::During(second) => Some(*second),
            Stage::Over(last) => return Some(self.last(last)),
        };
        let kept = self.kept.borrow().clone();
        if let Some(kept) = &kept
            && (kept.second == second || kept.is_dear())
        {
            return Some(kept.clone());
        }
        match self.ask(second?).await {
            Some(seen) => {
                *self.kept.borrow_mut() = Some(seen.clone());
                Some(seen)
            }
            // Between the last journey and the last report the engine has no time.
            None => match &*self.stages.borrow() {
                Stage::Over(last) => Some(self.last(last)),
                _ => kept,
            },
        }
    }

    async fn ask(&self, second: u64) -> Option<Rc<Seen>> {
        let asked = Instant::now();
        let (answer, answered) = oneshot::channel();
        self.questions.try_send(Question::Look(answer)).ok()?;
        let moment = timeout(PATIENCE, answered).await.ok()?.ok()?;
        Some(Rc::new(Seen::new(moment.into(), Some(second), asked)))
    }

    fn last(&self, moment: &Arc<dyn Moment>) -> Rc<Seen> {
        let mut kept = self.kept.borrow_mut();
        match &*kept {
            Some(seen) if seen.is_last() => seen.clone(),
            _ => {
                let seen = Rc::new(Seen::new(moment.clone(), None, Instant::now()));
                *kept = Some(seen.clone());
                seen
            }
        }
    }
}

impl Seen {
    fn new(moment: Arc<dyn Moment>, second: Option<u64>, asked: Instant) -> Self {
        Self {
            moment,
            second,
            asked,
            report: OnceCell::new(),
            json: OnceCell::new(),
            batches: OnceCell::new(),
            cost: std::cell::Cell::new(asked.elapsed()),
        }
    }

    /// Whether the run is over.
    pub(super) fn is_last(&self) -> bool {
        self.second.is_none()
    }

    /// How the run stood.
    pub(super) fn moment(&self) -> &dyn Moment {
        &*self.moment
    }

    /// Does something that takes time, which is taken note of.
    pub(super) fn spend<T>(&self, work: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let made = work();
        self.cost.set(self.cost.get() + began.elapsed());
        made
    }

    /// The whole report.
    pub(super) fn json(&self) -> Bytes {
        let made = self.json.get_or_init(|| self.since(None).into());
        made.clone()
    }

    /// The run in stretches; `null` where nothing is known of any.
    pub(super) fn batches(&self) -> Bytes {
        let make = || serde_json::to_vec(&self.moment.batches()).unwrap_or_default();
        let made = self.batches.get_or_init(|| self.spend(make).into());
        made.clone()
    }

    /// The report on one line, with only the points of the series that are later than `since`.
    pub(super) fn since(&self, since: Option<f64>) -> Vec<u8> {
        self.spend(|| {
            let Split { report, points } = self.report.get_or_init(|| self.split());
            let mut report = report.clone();
            let later = |point: &&SeriesPoint| since.is_none_or(|since| point.at > since);
            report.series.points = points.iter().filter(later).cloned().collect();
            // No map in it has a key that is not text, the one thing that could fail.
            serde_json::to_vec(&report).unwrap_or_default()
        })
    }

    /// The age of the run at the end of the last point.
    pub(super) fn last_point(&self) -> Option<f64> {
        let split = self.report.get_or_init(|| self.split());
        split.points.last().map(|point| point.at)
    }

    fn split(&self) -> Split {
        let mut report = self.moment.report();
        let points = std::mem::take(&mut report.series.points);
        Split { report, points }
    }

    /// Whether to make another so soon would take more of the machine than it is worth.
    fn is_dear(&self) -> bool {
        !self.is_last() && self.asked.elapsed() < self.cost.get() * SPARING
    }
}
