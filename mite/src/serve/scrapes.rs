//! The metrics of a run for those who ask for them by another way than HTTP.

use tokio::time::sleep;

use super::{
    ClassicBuckets, Feed, Options, ServeError, Stage,
    exposition::{self, Format},
    latest::Latest,
};

/// Makes them of the latest that is known.
pub(crate) struct Scrapes {
    latest: Latest,
    buckets: ClassicBuckets,
}

impl Scrapes {
    /// Of the run that this tells of; the options say how histograms are cut up.
    ///
    /// # Errors
    /// When they make no sense.
    pub(crate) fn new(feed: Feed, options: &Options) -> Result<Self, ServeError> {
        let buckets = match &options.buckets {
            Some(text) => text.parse().map_err(ServeError::Buckets)?,
            None => ClassicBuckets::default(),
        };
        Ok(Self {
            latest: Latest::new(feed),
            buckets,
        })
    }

    /// All metrics in a form that this accepts; nothing as long as nothing is known.
    pub(crate) async fn expose(&self, accept: &str) -> Option<Vec<u8>> {
        let seen = self.latest.get().await?;
        let format = Format::accepted(accept);
        Some(seen.spend(|| exposition::expose(seen.moment(), &self.buckets, format)))
    }

    /// Ends when the run is over and the time after it as well.
    pub(crate) async fn until_over(&self, linger: std::time::Duration) {
        let mut stages = self.latest.stages();
        let over = stages.wait_for(|stage| matches!(stage, Stage::Over(_)));
        if over.await.is_ok() {
            sleep(linger).await;
        }
    }
}
