//! Time in a journey: thinking, and a steady step.

use std::{future::Future, time::Duration};

use tokio::time::{Instant, sleep, sleep_until};

use super::Context;
use crate::error::Result;

impl Context {
    /// Think time: does nothing for `duration`.
    pub async fn pause(&self, duration: Duration) {
        sleep(duration).await;
    }

    /// Runs `future` and then waits until `separation` has passed since it began, so that what is
    /// done in a loop begins once every `separation`, however long it takes.
    ///
    /// There is no wait when it took longer, or when the journey [should
    /// stop](Context::should_stop).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # async fn journey(ctx: &mite::Context) -> mite::Result {
    /// while !ctx.should_stop() {
    ///     ctx.pace(Duration::from_secs(1), async {
    ///         ctx.http().get("/clock").send().await?.expect_status(200)?;
    ///         Ok(())
    ///     })
    ///     .await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Whatever the future returns, at once.
    pub async fn pace<T>(
        &self,
        separation: Duration,
        future: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let began = Instant::now();
        let output = future.await?;
        if !self.should_stop() {
            match began.checked_add(separation) {
                Some(next) => sleep_until(next).await,
                None => sleep(separation).await,
            }
        }
        Ok(output)
    }

    /// As [`pace`](Context::pace), with a separation drawn evenly between `mean - plus_minus` and
    /// `mean + plus_minus`, and never below zero.
    ///
    /// # Errors
    /// Whatever the future returns, at once.
    pub async fn pace_around<T>(
        &self,
        mean: Duration,
        plus_minus: Duration,
        future: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let offset = plus_minus.as_secs_f64() * (self.rng().f64() * 2.0 - 1.0);
        let separation = (mean.as_secs_f64() + offset).max(0.0);
        self.pace(
            Duration::try_from_secs_f64(separation).unwrap_or(mean),
            future,
        )
        .await
    }
}
