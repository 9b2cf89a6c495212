//! A disk that is slow must not hold up the run, nor one file another: each thing that is written
//! while the run goes on is written on a thread of its own.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread::{Builder, JoinHandle},
    time::Duration,
};

use super::{RunError, outcome};
use crate::{
    controller::Second,
    report::{Batches, Batching, RecordedFile, RecordedSecond, Recorder, ReportError},
};

/// So many seconds may wait for a file; one that falls further behind lacks some.
const WAITING: usize = 60;
/// So long the end of a run waits for a second to be written before it leaves the file alone.
const PATIENCE: Duration = Duration::from_secs(10);

/// Writes seconds down as they become known.
pub(super) struct Recording {
    files: Vec<Writer<RecordedFile>>,
    batches: Option<Writer<Batching>>,
    /// What could not be written.
    failures: Vec<String>,
}

impl Recording {
    /// Starts a thread for each thing there is to write.
    pub(super) fn start(recorder: Recorder) -> Result<Self, RunError> {
        let files = recorder.files.into_iter().map(Writer::start);
        Ok(Self {
            files: files.collect::<Result<_, _>>()?,
            batches: recorder.batches.map(Writer::start).transpose()?,
            failures: Vec::new(),
        })
    }

    /// Passes a second on, and says what has gone wrong since the last one.
    pub(super) fn second(&mut self, second: &Second) -> Vec<String> {
        if self.files.is_empty() && self.batches.is_none() {
            return Vec::new();
        }
        let second = recorded(second);
        let mut news = Vec::new();
        for file in &mut self.files {
            news.extend(file.second(second.clone()));
        }
        if let Some(batches) = &mut self.batches {
            news.extend(batches.second(second));
        }
        self.failures.extend(news.iter().cloned());
        news
    }

    /// Waits until the last seconds are written, unless a file takes none any more; says what is
    /// kept for comparisons, and all that could not be written.
    pub(super) fn finish(mut self, rest: &[Second]) -> (Option<Batches>, Vec<String>) {
        let rest: Vec<_> = rest.iter().map(recorded).collect();
        for file in self.files {
            file.finish(&rest, PATIENCE, &mut self.failures);
        }
        let batches = self
            .batches
            .and_then(|batches| batches.finish(&rest, PATIENCE, &mut self.failures));
        (batches, self.failures)
    }
}

/// What takes seconds one by one, and makes something of them.
trait Taker: Send + 'static {
    /// What is made of them.
    type Made: Send;

    /// What to call it.
    fn name(&self) -> String;

    /// Takes one.
    fn take(&mut self, second: &RecordedSecond) -> Result<(), ReportError>;

    /// There are no more.
    fn make(self) -> Self::Made;
}

impl Taker for RecordedFile {
    type Made = ();

    fn name(&self) -> String {
        format!("the report {}", self.path().display())
    }

    fn take(&mut self, second: &RecordedSecond) -> Result<(), ReportError> {
        self.second(second)
    }

    fn make(self) {}
}

impl Taker for Batching {
    type Made = Batches;

    fn name(&self) -> String {
        "what the report needs of each name over time".to_owned()
    }

    fn take(&mut self, second: &RecordedSecond) -> Result<(), ReportError> {
        self.second(second);
        Ok(())
    }

    fn make(self) -> Batches {
        self.finish()
    }
}

/// A thread that takes seconds.
struct Writer<T: Taker> {
    name: String,
    seconds: Sender<RecordedSecond>,
    /// One for each second that was taken.
    taken: Receiver<Result<(), ReportError>>,
    waiting: usize,
    lost: u64,
    thread: JoinHandle<T::Made>,
}

impl<T: Taker> Writer<T> {
    fn start(mut taker: T) -> Result<Self, RunError> {
        let name = taker.name();
        let (seconds, heard) = channel::<RecordedSecond>();
        let (tell, taken) = channel();
        let thread = Builder::new()
            .name("mite-recorder".to_owned())
            .spawn(move || {
                for second in heard {
                    // Nobody hears when the run has left this file alone.
                    let _ = tell.send(taker.take(&second));
                }
                taker.make()
            })
            .map_err(RunError::Thread)?;
        Ok(Self {
            name,
            seconds,
            taken,
            waiting: 0,
            lost: 0,
            thread,
        })
    }

    /// Passes a second on if not too many wait, and says what has failed since the last one.
    fn second(&mut self, second: RecordedSecond) -> Vec<String> {
        let mut failures = Vec::new();
        while let Ok(taken) = self.taken.try_recv() {
            self.waiting -= 1;
            failures.extend(taken.err().map(|failure| failure.to_string()));
        }
        // A thread that is gone has panicked, which is told at the end.
        if self.waiting >= WAITING || self.seconds.send(second).is_err() {
            self.lost += 1;
        } else {
            self.waiting += 1;
        }
        failures
    }

    /// Waits for what is still to be written as long as something is.
    fn finish(
        mut self,
        rest: &[RecordedSecond],
        patience: Duration,
        failures: &mut Vec<String>,
    ) -> Option<T::Made> {
        for second in rest {
            failures.extend(self.second(second.clone()));
        }
        drop(self.seconds);
        let stuck = loop {
            match self.taken.recv_timeout(patience) {
                Ok(taken) => {
                    self.waiting -= 1;
                    failures.extend(taken.err().map(|failure| failure.to_string()));
                }
                Err(RecvTimeoutError::Timeout) => break true,
                Err(RecvTimeoutError::Disconnected) => break false,
            }
        };
        let name = self.name;
        if stuck {
            let lacking = self.lost + self.waiting as u64;
            failures.push(format!(
                "{name} lacks {lacking} s of the run: for {} s nothing more could be written",
                patience.as_secs()
            ));
            return None;
        }
        if self.lost > 0 {
            failures.push(format!(
                "{name} lacks {} s of the run: it was written more slowly than they came",
                self.lost
            ));
        }
        let made = self.thread.join();
        if made.is_err() {
            failures.push(format!("{name} is not whole: writing it has panicked"));
        }
        made.ok().filter(|_| self.lost == 0)
    }
}

fn recorded(second: &Second) -> RecordedSecond {
    RecordedSecond {
        from: second.point.at,
        warming_up: second.warming_up,
        point: outcome::point(second.point.clone()),
        statistics: second.statistics.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs, io,
        path::Path,
        sync::{Arc, Mutex},
        time::Instant,
    };

    use super::*;
    use crate::report::{SeriesPoint, record::Recording as Record};

    /// A disk that takes a second whenever somebody lets it.
    struct Slow {
        turns: Receiver<()>,
        written: Arc<Mutex<Vec<u64>>>,
    }

    impl Record for Slow {
        fn second(&mut self, second: &RecordedSecond) -> io::Result<()> {
            self.turns.recv().map_err(io::Error::other)?;
            self.written.lock().unwrap().push(second.from.as_secs());
            Ok(())
        }
    }

    fn second(number: u64) -> RecordedSecond {
        RecordedSecond {
            from: Duration::from_secs(number),
            warming_up: false,
            point: SeriesPoint::default(),
            statistics: Arc::default(),
        }
    }

    /// A file on a slow disk: its writer, what lets it go on, and what it has.
    fn slow() -> (Writer<RecordedFile>, Sender<()>, Arc<Mutex<Vec<u64>>>) {
        let (turn, turns) = channel();
        let written = Arc::default();
        let disk = Slow {
            turns,
            written: Arc::clone(&written),
        };
        let file = RecordedFile::new(Path::new("slow.csv"), Box::new(disk));
        (Writer::start(file).unwrap(), turn, written)
    }

    #[test]
    fn a_slow_disk_holds_nothing_up_and_what_it_lacks_is_told() {
        let (mut writer, turn, written) = slow();
        let began = Instant::now();
        for number in 0..100 {
            assert!(writer.second(second(number)).is_empty());
        }
        assert!(began.elapsed() < Duration::from_secs(5), "nobody waited");
        for _ in 0..WAITING {
            turn.send(()).unwrap();
        }
        let mut failures = Vec::new();
        assert!(
            writer
                .finish(&[], Duration::from_secs(60), &mut failures)
                .is_none()
        );
        assert_eq!(
            *written.lock().unwrap(),
            (0..WAITING as u64).collect::<Vec<_>>()
        );
        assert_eq!(
            failures,
            [
                "the report slow.csv lacks 40 s of the run: it was written more slowly than they came"
            ]
        );
    }

    #[test]
    fn a_disk_that_was_slow_for_a_while_lacks_nothing() {
        let (mut writer, turn, written) = slow();
        for number in 0..50 {
            writer.second(second(number));
        }
        for _ in 0..52 {
            turn.send(()).unwrap();
        }
        let mut failures = Vec::new();
        let rest = [second(50), second(51)];
        assert!(
            writer
                .finish(&rest, Duration::from_secs(60), &mut failures)
                .is_some()
        );
        assert_eq!(*written.lock().unwrap(), (0..52).collect::<Vec<_>>());
        assert!(failures.is_empty(), "{failures:?}");
    }

    #[test]
    fn a_disk_that_stands_still_does_not_keep_the_run_from_ending() {
        let (mut writer, turn, written) = slow();
        for number in 0..5 {
            writer.second(second(number));
        }
        turn.send(()).unwrap();
        turn.send(()).unwrap();
        let mut failures = Vec::new();
        let patience = Duration::from_secs(1);
        assert!(
            writer
                .finish(&[second(5)], patience, &mut failures)
                .is_none()
        );
        assert_eq!(*written.lock().unwrap(), [0, 1]);
        assert_eq!(
            failures,
            ["the report slow.csv lacks 4 s of the run: for 1 s nothing more could be written"]
        );
    }

    #[test]
    fn a_slow_disk_costs_no_other_file() {
        let (stuck, turn, _) = slow();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("whole.txt");
        let whole = RecordedFile::new(&path, Box::new(Lines(path.clone())));
        let mut recording = Recording {
            files: vec![stuck, Writer::start(whole).unwrap()],
            batches: None,
            failures: Vec::new(),
        };
        for number in 0..WAITING as u64 {
            for file in &mut recording.files {
                file.second(second(number));
            }
        }
        drop(turn);
        let (_, failures) = recording.finish(&[]);
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), WAITING);
        assert!(
            failures.iter().all(|failure| failure.contains("slow.csv")),
            "{failures:?}"
        );
    }

    /// A line a second.
    struct Lines(std::path::PathBuf);

    impl Record for Lines {
        fn second(&mut self, second: &RecordedSecond) -> io::Result<()> {
            use io::Write as _;
            let mut file = fs::OpenOptions::new()
                .append(true)
                .create(true)
                .open(&self.0)?;
            writeln!(file, "{}", second.from.as_secs())
        }
    }
}
