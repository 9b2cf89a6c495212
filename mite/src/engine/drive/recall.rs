//! Goes through what happened under another controller, to go on from there.

use super::Driver;
use crate::{
    engine::{
        RunError,
        happening::{Supply, What},
        ledger::{Batch, Kept, Past},
    },
    id::RunnerId,
    link::{Message, Order, Word},
};

impl Driver {
    /// Does what followed from all that has happened, and leads from then on.
    ///
    /// # Errors
    /// When it does not come to the same as it did then: a pool gives other items, or a volume model
    /// says something else.
    pub(super) async fn recall(&mut self, mut past: Past) -> Result<(), RunError> {
        self.recalls = true;
        self.pools.hurry(true);
        let beginning = &past.beginning;
        for (runner, mark) in &beginning.marks {
            self.link.tell(Word::Confirm(*runner, *mark));
            // One that came and was lost before the run began is not in it.
            if !beginning.runners.iter().any(|(one, _)| one == runner) {
                self.link.tell(Word::Over(*runner, true));
            }
        }
        self.begin_together();
        while let Some(batch) = past.next()? {
            if batch.said != self.ledger.all_said() {
                let why = "a volume model does not say again what it said then; what it says has to \
                           depend on the time and the results alone";
                return Err(cannot_go_on(why));
            }
            self.follow(batch).await?;
        }
        self.pools.hurry(false);
        self.recalls = false;
        self.link.tell(Word::TakeOver);
        self.happens(What::TakenOver);
        Ok(())
    }

    /// Tells those who were there from the beginning when that is.
    pub(super) fn begin_together(&mut self) {
        let Some(at) = self.begin else { return };
        for runner in self.controller.runners() {
            self.order(runner, Order::Begin { at, runner });
        }
    }

    async fn follow(&mut self, batch: Batch) -> Result<(), RunError> {
        for (runner, mark) in batch.marks {
            self.link.tell(Word::Confirm(runner, mark));
        }
        for happening in batch.happenings {
            if let What::Supplied {
                entry,
                supply: Supply::Block(block),
            } = happening.what
                && !self.pools.gives_again(entry, block).await
            {
                let why = "a datapool does not give again what it gave then, so something could be \
                           handed out twice";
                return Err(cannot_go_on(why));
            }
            self.do_what_follows(happening);
        }
        Ok(())
    }

    /// What happened is kept, so it is acted upon.
    pub(super) fn kept(&mut self, Kept { batch, trouble }: Kept) {
        for (runner, mark) in batch.marks {
            self.link.tell(Word::Confirm(runner, mark));
        }
        if let Some(why) = trouble {
            self.link.tell(Word::NothingIsKept);
            self.audience.note(&format!(
                "the state of the run cannot be kept any longer: {why}; it goes on, but no other \
                 controller can take it over"
            ));
        }
        for happening in batch.happenings {
            self.do_what_follows(happening);
        }
    }

    /// A runner that has said its last word, or is lost, is not spoken to any more.
    pub(super) fn tell_who_is_gone(&self, runner: RunnerId, message: &Message) {
        match message {
            Message::Bye | Message::Died => self.link.tell(Word::Over(runner, false)),
            Message::Lost => self.link.tell(Word::Over(runner, true)),
            _ => {}
        }
    }
}

fn cannot_go_on(why: &str) -> RunError {
    RunError::Link(format!(
        "the run that was broken off cannot be gone on with: {why}"
    ))
}
