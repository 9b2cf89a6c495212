//! The spans of one run of a journey, from its start to its end.

use std::{
    cell::{Cell, RefCell},
    sync::Arc,
};

use tokio::time::Instant;

use super::{Beginning, Failed, Finished, Outbox, Request, Span, SpanRecord, Subject, TraceId};
use crate::event::{Failure, Outcome};

/// How many spans a journey may have; one that goes on for the whole run would have any number.
const MOST: usize = 1000;

/// What is written down of a journey while it runs.
pub(super) struct Journal {
    id: TraceId,
    journey: Arc<str>,
    entry: u32,
    seed: u64,
    intended: Option<Instant>,
    current: Cell<Span>,
    spans: RefCell<Vec<SpanRecord>>,
    /// Those that a panic has gone through, the innermost first.
    panicked: RefCell<Vec<Span>>,
    omitted: Cell<u64>,
    /// Whether it has been handed over; what a task that outlives its journey does is not traced.
    finished: Cell<bool>,
    outbox: Outbox,
}

impl Journal {
    pub(super) fn new(
        id: TraceId,
        beginning: &Beginning,
        journey: Arc<str>,
        outbox: Outbox,
    ) -> Self {
        Self {
            id,
            journey,
            entry: beginning.entry,
            seed: beginning.seed,
            intended: beginning.intended,
            current: Cell::new(Span::ROOT),
            spans: RefCell::new(vec![SpanRecord::new(None, beginning.at, Subject::Journey)]),
            panicked: RefCell::default(),
            omitted: Cell::new(0),
            finished: Cell::new(false),
            outbox,
        }
    }

    pub(super) fn id(&self) -> TraceId {
        self.id
    }

    pub(super) fn current(&self) -> Span {
        self.current.get()
    }

    pub(super) fn enter(&self, span: Span) -> Span {
        self.current.replace(span)
    }

    /// A span begins inside the current one.
    pub(super) fn open(&self, at: Instant, subject: Subject) -> Span {
        let mut spans = self.spans.borrow_mut();
        if self.finished.get() || spans.len() >= MOST {
            self.omitted.set(self.omitted.get() + 1);
            return Span::OMITTED;
        }
        let number = u32::try_from(spans.len()).unwrap_or(u32::MAX);
        spans.push(SpanRecord::new(Some(self.current.get()), at, subject));
        Span(number)
    }

    pub(super) fn end(&self, span: Span, failure: Option<&Failure<'_>>) {
        self.at(span, |record| {
            record.ended = Some(Instant::now());
            record.failed = failure.map(Failed::from);
        });
    }

    pub(super) fn abandon(&self, span: Span) {
        self.at(span, |record| {
            if record.ended.is_none() {
                record.abandon(Instant::now());
            }
        });
    }

    pub(super) fn panicked(&self, span: Span) {
        self.at(span, |record| record.ended = Some(Instant::now()));
        self.panicked.borrow_mut().push(span);
    }

    pub(super) fn exception(&self, failure: &Failure<'_>) {
        let failed = Failed::from(failure);
        let broken = self.panicked.take();
        for span in &broken {
            self.at(*span, |record| record.failed = Some(failed.clone()));
        }
        let innermost = broken.first().copied().unwrap_or(self.current.get());
        self.at(innermost, |record| {
            record.exceptions.push((Instant::now(), failed));
        });
    }

    pub(super) fn end_request(&self, span: Span, request: Request) {
        self.at(span, |record| {
            record.ended = record.began.checked_add(request.timings.total);
            record.subject = Subject::Request(Some(Box::new(request)));
        });
    }

    pub(super) fn traceparent(&self, span: Span) -> Option<String> {
        if span == Span::OMITTED {
            return None;
        }
        let id = u64::from_be_bytes(self.id.span(span));
        // Version 0; the one flag says that it is sampled.
        Some(format!("00-{}-{id:016x}-01", self.id))
    }

    pub(super) fn finish(&self, at: Instant, outcome: Outcome, failure: Option<&Failure<'_>>) {
        if self.finished.replace(true) {
            return;
        }
        let mut spans = self.spans.take();
        if let Some(root) = spans.first_mut() {
            root.ended = Some(at);
            root.failed = failure.map(Failed::from);
            // A search for journeys that failed finds the reason without looking further.
            if let Some(failed) = &root.failed
                && root.exceptions.is_empty()
            {
                root.exceptions.push((at, failed.clone()));
            }
        }
        for span in spans.iter_mut().filter(|span| span.ended.is_none()) {
            span.abandon(at);
        }
        self.outbox.send(Finished {
            id: self.id,
            journey: Arc::clone(&self.journey),
            entry: self.entry,
            seed: self.seed,
            intended: self.intended,
            outcome,
            spans,
            omitted: self.omitted.get(),
        });
    }

    fn at(&self, span: Span, change: impl FnOnce(&mut SpanRecord)) {
        if let Some(record) = self.spans.borrow_mut().get_mut(span.index()) {
            change(record);
        }
    }
}

impl SpanRecord {
    fn new(parent: Option<Span>, began: Instant, subject: Subject) -> Self {
        Self {
            parent,
            began,
            ended: None,
            subject,
            failed: None,
            exceptions: Vec::new(),
        }
    }

    fn abandon(&mut self, at: Instant) {
        self.ended = Some(at);
        if let Subject::Transaction { abandoned, .. } = &mut self.subject {
            *abandoned = true;
        }
    }
}
