//! `collector` and `recorder`: write down what runners elsewhere send.

use tokio::sync::{mpsc::unbounded_channel, oneshot};

use super::{
    args::{CollectorArguments, KeeperArguments, RecorderArguments},
    distributed::options,
    exit::{Exit, Failure},
    logging,
    output::tell,
    signals,
};
use crate::{
    archive::{CollectOptions, Gathered},
    engine::{self, CollectorOptions, KeeperEnd, KeeperNews, RecorderOptions, RunError},
    link::nats::StreamLimits,
    report::{Printer, human},
};

/// Collects events until it is told to end.
pub(super) fn collector(arguments: &CollectorArguments) -> Result<Exit, Failure> {
    let directory = arguments.collect.display().to_string();
    let options = CollectorOptions {
        bus: options(&arguments.nats),
        limits: limits(&arguments.keeper),
        waiting: arguments.keeper.runner_buffer,
        directory: arguments.collect.clone(),
        files: CollectOptions {
            directory: None,
            format: arguments.collect_format.clone(),
            roll_size: arguments.collect_roll_size,
            roll_time: arguments.collect_roll_time,
        },
        once: arguments.once,
    };
    let at = options.bus.shown();
    serve(
        &arguments.keeper,
        |news, stop| engine::collect(options, news, stop),
        |news| line(news, "collecting", &at, &directory),
    )
}

/// Records what journeys give away until it is told to end.
pub(super) fn recorder(arguments: &RecorderArguments) -> Result<Exit, Failure> {
    let directory = arguments.record.display().to_string();
    let options = RecorderOptions {
        bus: options(&arguments.nats),
        limits: limits(&arguments.keeper),
        waiting: arguments.keeper.runner_buffer,
        directory: arguments.record.clone(),
    };
    let at = options.bus.shown();
    serve(
        &arguments.keeper,
        |news, stop| engine::record(options, news, stop),
        |news| line(news, "recording", &at, &directory),
    )
}

/// What a person is told.
fn line(news: KeeperNews, doing: &str, at: &str, directory: &str) -> String {
    match news {
        KeeperNews::Ready(stream) => {
            format!("{doing} from the stream {stream} at {at} into {directory}")
        }
        KeeperNews::Note(note) => note,
        KeeperNews::Written(gathered) => written(&gathered, directory),
        KeeperNews::Missing(missing) => format!(
            "{} of this run never were in the stream",
            human::plural(missing, "event")
        ),
        KeeperNews::Recorded { path, received } => {
            let purged = if received.purges > 0 { ", purged" } else { "" };
            format!(
                "{}: {} recorded{purged}",
                path.display(),
                human::plural(received.items, "item")
            )
        }
    }
}

fn written(gathered: &Gathered, directory: &str) -> String {
    let mut line = format!(
        "{}: {} in {} of {directory}, {}",
        gathered.test,
        human::plural(gathered.events, "event"),
        human::plural(gathered.files, "file"),
        human::bytes(gathered.bytes),
    );
    if gathered.repeated > 0 {
        let again = human::plural(gathered.repeated, "block");
        line.push_str(&format!(
            " ({again} came again and had been written before)"
        ));
    }
    line
}

fn limits(arguments: &KeeperArguments) -> StreamLimits {
    StreamLimits {
        bytes: arguments.stream_size,
        replicas: arguments.stream_replicas.into(),
    }
}

/// Lets something serve until it ends or a signal comes, and says what it has to say.
fn serve<F>(
    arguments: &KeeperArguments,
    start: impl FnOnce(tokio::sync::mpsc::UnboundedSender<KeeperNews>, oneshot::Receiver<()>) -> F,
    line: impl Fn(KeeperNews) -> String,
) -> Result<Exit, Failure>
where
    F: Future<Output = Result<KeeperEnd, RunError>>,
{
    logging::start(arguments.log_level, Printer::plain());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (sender, mut news) = unbounded_channel();
    let (stop, stopped) = oneshot::channel();
    let mut stop = Some(stop);
    let say = |news| {
        if !arguments.quiet {
            tell(&line(news));
        }
    };
    let ended = runtime.block_on(async {
        let serving = start(sender, stopped);
        tokio::pin!(serving);
        loop {
            let signal = async {
                match stop {
                    Some(_) => signals::any().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                Some(news) = news.recv() => say(news),
                ended = &mut serving => break ended,
                _ = signal => if let Some(stop) = stop.take() {
                    let _ = stop.send(());
                },
            }
        }
    });
    while let Ok(news) = news.try_recv() {
        say(news);
    }
    Ok(match ended? {
        KeeperEnd::Done => Exit::Passed,
        KeeperEnd::Stopped => Exit::Interrupted,
    })
}
