//! What may be changed of the run: its end and its volume.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::{
    sync::{mpsc::Sender, oneshot},
    time::timeout,
};

use super::Question;

/// Ends the run gracefully.
pub(crate) type Stop = Box<dyn Fn() + Send>;

/// How much of the plan is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Volume {
    /// Whether that can be changed.
    pub(crate) adjustable: bool,
    /// 1 is the plan as it was written.
    pub(crate) factor: f64,
}

/// How long the engine may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// More than this is a slip of the keyboard.
const MOST: f64 = 100.0;

/// The way to the engine.
pub(super) struct Controls {
    stop: Stop,
    questions: Sender<Question>,
}

impl Controls {
    pub(super) fn new(stop: Stop, questions: Sender<Question>) -> Self {
        Self { stop, questions }
    }

    /// Ends the run as Ctrl-C does once.
    pub(super) fn stop(&self) {
        (self.stop)();
    }

    /// How much of the plan is asked for, after it was changed to this factor if there is one;
    /// nothing while the engine has no time.
    pub(super) async fn volume(&self, factor: Option<f64>) -> Option<Volume> {
        let (answer, answered) = oneshot::channel();
        self.questions
            .try_send(Question::Volume(factor, answer))
            .ok()?;
        timeout(PATIENCE, answered).await.ok()?.ok()
    }
}

/// The factor that a request asks for.
///
/// # Errors
/// When it asks for none; the message says what would be right.
pub(super) fn factor(body: &[u8]) -> Result<f64, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wish {
        factor: f64,
    }
    let right =
        format!("send {{\"factor\": 1.1}}: how many times the plan is asked for, from 0 to {MOST}");
    match serde_json::from_slice::<Wish>(body) {
        Ok(Wish { factor }) if (0.0..=MOST).contains(&factor) => Ok(factor),
        Ok(Wish { factor }) => Err(format!("the factor {factor} is out of range; {right}")),
        Err(error) => Err(format!("{error}; {right}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factor_is_a_number_within_reason() {
        assert_eq!(factor(b"{\"factor\": 1.1}"), Ok(1.1));
        assert_eq!(factor(b"{\"factor\":0}"), Ok(0.0));
        for wrong in [
            "",
            "1.1",
            "{}",
            "{\"factor\":\"2\"}",
            "{\"factor\":-1}",
            "{\"factor\":1e9}",
            "{\"factor\":2,\"more\":1}",
            "{\"factor\":NaN}",
        ] {
            let error = factor(wrong.as_bytes()).unwrap_err();
            assert!(error.contains("{\"factor\": 1.1}"), "{wrong}: {error}");
        }
    }
}
