//! `journey run` and `journey test`.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;

use super::{
    args::{JourneyRun, JourneyTest},
    build::build,
    console::Console,
    exit::{Exit, Failure},
    logging,
    output::{print, tell},
    scenario, settings,
};
use crate::{
    archive::Recorder,
    config::Config,
    datapool::{DataPoolError, ErasedPool},
    error::catching,
    event::Keep,
    http,
    journey::registry::{self, JourneyEntry},
    report::{Printer, human},
    scenario::{
        Entry, Scenario,
        registry::{datapools, find_datapool},
    },
    testing,
    volume::{Constant, VolumeModel},
};

/// Runs a journey at a volume.
pub(super) fn test(arguments: &JourneyTest, defaults: Config) -> Result<Exit, Failure> {
    let entry = registry::find_journey(&arguments.name)?;
    let mut config = settings::sending_config(defaults, &arguments.common)?;
    let pool = Source::of(entry, arguments.datapool.as_deref(), &mut config)?.pool;
    let duration = arguments.run.duration.unwrap_or(scenario::DEFAULT_DURATION);
    let volume: Box<dyn VolumeModel> = match arguments.rate {
        Some(rate) => Box::new(Constant::per_second(rate, duration)),
        None => Box::new(Constant::users(arguments.users.unwrap_or(1), duration)),
    };
    let scenario = Scenario::new().entry(Entry {
        journey: entry.into(),
        pool,
        volume,
    });
    scenario::run(
        entry.definition.name,
        settings::run(scenario, config, &arguments.run)?,
        &arguments.common,
        &arguments.run,
    )
}

/// Runs a journey once and shows what it does.
pub(super) fn run(arguments: &JourneyRun, defaults: Config) -> Result<Exit, Failure> {
    logging::start(arguments.common.log_level, Printer::plain());
    let entry = registry::find_journey(&arguments.name)?;
    let mut config = settings::sending_config(defaults, &arguments.common)?;
    let source = Source::of(entry, arguments.datapool.as_deref(), &mut config)?;
    http::Settings::check(&config).map_err(Failure::new)?;
    let console = if arguments.common.debugging {
        Console::debugging(config.clone())
    } else {
        Console::brief(config.clone())
    };
    let directory = arguments.record.as_deref();
    let recorder = directory.map(Recorder::start).transpose()?.map(Arc::new);
    let keep = recorder.clone().map(|recorder| recorder as Arc<dyn Keep>);
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let data = source.first_item(&config).await?;
        print(&format!("{}\n", entry.definition.name))?;
        let started = Instant::now();
        let result =
            testing::run_tapped(&entry.into(), data, config, seed, Box::new(console), keep).await;
        let time = human::time(started.elapsed().as_secs_f64());
        if let Some(recorder) = &recorder {
            tell_of(recorder)?;
        }
        let (word, exit) = match result {
            Ok(()) => ("passed", Exit::Passed),
            Err(_) => ("failed", Exit::Failed),
        };
        print(&format!("{word} in {time}\n"))?;
        Ok(exit)
    })
}

/// Waits until all that was recorded is written, and shows what there is to say of it.
fn tell_of(recorder: &Recorder) -> Result<(), Failure> {
    let kept = recorder.finish();
    for news in recorder.news() {
        tell(&news);
    }
    for name in &kept.names {
        let items = human::plural(name.items, "item");
        print(&format!("recorded {items} of {}\n", name.name))?;
    }
    match kept.failures.first() {
        Some(failure) => Err(Failure::new(failure)),
        None => Ok(()),
    }
}

/// Where the data of a journey comes from.
struct Source {
    name: &'static str,
    pool: ErasedPool,
}

impl Source {
    /// The pool of that name, if its items are what the journey takes.
    fn of(
        journey: &JourneyEntry,
        name: Option<&str>,
        config: &mut Config,
    ) -> Result<Self, Failure> {
        let Some(name) = name else {
            if journey.takes_data() {
                return Err(Failure::new(format!(
                    "the journey {} takes data ({}); say where it comes from with --datapool \
                     NAME; {}",
                    journey.definition.name,
                    journey.data_type(),
                    fitting_pools(journey),
                )));
            }
            return Ok(Self {
                name: "()",
                pool: ErasedPool::new(()),
            });
        };
        let entry = find_datapool(name)?;
        if !journey.takes_data() {
            return Err(Failure::new(format!(
                "the journey {} takes no data; leave out --datapool",
                journey.definition.name,
            )));
        }
        if entry.item_type() != journey.data_type() {
            return Err(Failure::new(format!(
                "the datapool {} gives {}, but the journey {} takes {}; {}",
                entry.definition.name,
                entry.item_type(),
                journey.definition.name,
                journey.data_type(),
                fitting_pools(journey),
            )));
        }
        Ok(Self {
            name: entry.definition.name,
            pool: build("datapool", entry.definition.name, entry.build, config)?,
        })
    }

    /// One item, for a journey that runs once.
    async fn first_item(mut self, config: &Config) -> Result<Bytes, Failure> {
        let block = catching(async {
            self.pool.open(config).await?;
            self.pool.checkout(1).await
        })
        .await
        .unwrap_or_else(|panic| Err(DataPoolError::new(panic.to_string())))
        .map_err(|error| Failure::new(format!("the datapool {}: {error}", self.name)))?;
        let item = block.items.into_iter().next().ok_or_else(|| {
            Failure::new(format!(
                "the datapool {} has nothing to run the journey with",
                self.name
            ))
        })?;
        Ok(item.data)
    }
}

fn fitting_pools(journey: &JourneyEntry) -> String {
    let names: Vec<_> = datapools()
        .into_iter()
        .filter(|pool| pool.item_type() == journey.data_type())
        .map(|pool| pool.definition.name)
        .collect();
    if names.is_empty() {
        "there is none that fits: write one with #[datapool]".to_owned()
    } else {
        format!("those that fit: {}", names.join(", "))
    }
}
