//! The histograms of every second, as HdrHistogram's own tools read them.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufWriter, Write},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hdrhistogram::{
    Histogram,
    serialization::{Serializer as _, V2DeflateSerializer},
};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::{Beginning, RecordedSecond, Recording};
use crate::{
    config::Config,
    report::{http::label, human},
    stats::{Latency, Statistics},
};

/// What a tag may not hold, as it ends it; and what would then be ambiguous.
const IN_TAG: &AsciiSet = &CONTROLS.add(b' ').add(b',').add(b'%');

/// An interval log: the format of HdrHistogram's `HistogramLogWriter`, version 1.3, with a line for
/// each second and name. Histograms are its V2 encoding, deflated, in base64, and count microseconds.
pub(crate) struct IntervalLog<W: Write> {
    out: W,
    config: Config,
}

impl IntervalLog<BufWriter<File>> {
    pub(crate) fn begin(file: File, beginning: &Beginning<'_>) -> io::Result<Box<dyn Recording>> {
        let log = IntervalLog::new(BufWriter::new(file), beginning)?;
        Ok(Box::new(log))
    }
}

impl<W: Write> IntervalLog<W> {
    fn new(mut out: W, beginning: &Beginning<'_>) -> io::Result<Self> {
        let since_epoch = beginning.started.duration_since(std::time::UNIX_EPOCH);
        let since_epoch = since_epoch.unwrap_or_default().as_secs_f64();
        let started = human::utc(beginning.started);
        write!(
            out,
            "#[Logged by mite; values are in microseconds, Interval_Max in milliseconds]\n\
             #[Histogram log format version 1.3]\n\
             #[StartTime: {since_epoch:.3} (seconds since epoch), {started}]\n\
             \"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\
             \"Interval_Compressed_Histogram\"\n"
        )?;
        out.flush()?;
        Ok(Self {
            out,
            config: beginning.config.clone(),
        })
    }

    fn line(&mut self, from: f64, tag: &str, times: &Latency) -> io::Result<()> {
        let histogram = match times.histogram() {
            Some(histogram) => histogram,
            // Tools that are not told of a tag stumble where nothing is without one.
            None if tag.is_empty() => Histogram::new(3).map_err(io::Error::other)?,
            None => return Ok(()),
        };
        let mut bytes = Vec::new();
        V2DeflateSerializer::new()
            .serialize(&histogram, &mut bytes)
            .map_err(io::Error::other)?;
        if !tag.is_empty() {
            let tag = self.config.mask(tag);
            write!(self.out, "Tag={},", utf8_percent_encode(&tag, IN_TAG))?;
        }
        let longest = times.max().unwrap_or_default().as_secs_f64() * 1e3;
        let histogram = STANDARD.encode(bytes);
        writeln!(self.out, "{from:.3},1.000,{longest:.3},{histogram}")
    }
}

impl<W: Write + Send> Recording for IntervalLog<W> {
    fn second(&mut self, second: &RecordedSecond) -> io::Result<()> {
        if second.warming_up {
            return Ok(());
        }
        let from = second.from.as_secs_f64();
        let statistics = &second.statistics;
        // What has no tag is what tools look at when nobody says otherwise.
        self.line(from, "", &statistics.http.time)?;
        self.line(from, "failed", &statistics.http.failed_time)?;
        for (tag, times) in by_tag(statistics) {
            self.line(from, &tag, &times)?;
        }
        self.out.flush()
    }
}

/// The times of every name, rows that share one added up.
fn by_tag(statistics: &Statistics) -> BTreeMap<String, Latency> {
    let mut tags: BTreeMap<String, Latency> = BTreeMap::new();
    let mut add = |tag: String, times: &Latency| tags.entry(tag).or_default().merge(times);
    for (key, journey) in &statistics.journeys {
        add(format!("journey:{}", key.journey), &journey.response_time);
        add(
            format!("service_time:{}", key.journey),
            &journey.service_time,
        );
    }
    for (key, transaction) in statistics.transactions.iter() {
        let tag = format!("transaction:{}:{}", key.journey, key.transaction);
        add(tag, &transaction.time);
    }
    for (key, request) in statistics.http.requests_by.iter() {
        add(
            format!("request:{}", label(&key.method, &key.name)),
            &request.time,
        );
    }
    tags
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use hdrhistogram::serialization::{
        Deserializer,
        interval_log::{IntervalLogIterator, LogEntry},
    };

    use super::*;
    use crate::report::record::tests::{idle, second};

    /// Each line: tag, start, length, maximum, and the histogram.
    type Line = (Option<String>, Duration, Duration, f64, Histogram<u64>);

    fn read(bytes: &[u8]) -> (Option<Duration>, Vec<Line>) {
        let mut started = None;
        let mut lines = Vec::new();
        for entry in IntervalLogIterator::new(bytes) {
            match entry.unwrap() {
                LogEntry::StartTime(at) => started = Some(at),
                LogEntry::BaseTime(_) => panic!("there is no base time"),
                LogEntry::Interval(line) => {
                    let encoded = STANDARD.decode(line.encoded_histogram()).unwrap();
                    let histogram = Deserializer::new().deserialize(&mut &*encoded).unwrap();
                    lines.push((
                        line.tag().map(|tag| tag.as_str().to_owned()),
                        line.start_timestamp(),
                        line.duration(),
                        line.max(),
                        histogram,
                    ));
                }
            }
        }
        (started, lines)
    }

    fn written(seconds: &[RecordedSecond], config: &Config) -> Vec<u8> {
        let beginning = Beginning {
            started: UNIX_EPOCH + Duration::from_millis(1_795_377_600_700),
            config,
        };
        let mut bytes = Vec::new();
        let mut log = IntervalLog::new(&mut bytes, &beginning).unwrap();
        for second in seconds {
            Recording::second(&mut log, second).unwrap();
        }
        bytes
    }

    #[test]
    fn the_log_is_read_back_by_hdrhistogram_with_all_that_was_counted() {
        let bytes = written(&[second(0), second(1)], &Config::default());
        let (started, lines) = read(&bytes);
        assert_eq!(started, Some(Duration::from_millis(1_795_377_600_700)));
        let tags: Vec<_> = lines.iter().take(6).map(|line| line.0.as_deref()).collect();
        assert_eq!(
            tags,
            [
                None,
                Some("failed"),
                Some("journey:shop::buy"),
                Some("request:GET%20/item/:id"),
                Some("service_time:shop::buy"),
                Some("transaction:shop::buy:look"),
            ]
        );
        let (_, from, length, max, all) = &lines[6];
        assert_eq!(
            (*from, *length),
            (Duration::from_secs(1), Duration::from_secs(1))
        );
        assert_eq!(all.len(), 7, "the successful ones");
        assert!((all.value_at_quantile(0.5) as f64 - 4000.0).abs() < 10.0);
        assert!((max - 7.0).abs() < 1e-6, "{max} ms");
    }

    #[test]
    fn a_second_without_a_successful_request_has_a_line_all_the_same() {
        let (_, lines) = read(&written(&[idle(0)], &Config::default()));
        let [(None, _, _, _, histogram)] = &lines[..] else {
            panic!("{lines:?}");
        };
        assert_eq!(histogram.len(), 0);
    }

    #[test]
    fn a_tag_has_no_sign_that_would_end_it() {
        let config = Config::default();
        let beginning = Beginning {
            started: UNIX_EPOCH,
            config: &config,
        };
        let mut bytes = Vec::new();
        let mut log = IntervalLog::new(&mut bytes, &beginning).unwrap();
        let mut times = Latency::default();
        times.record(Duration::from_millis(3));
        log.line(0.0, "request:GET /a, \"b\"\nTag=100%", &times)
            .unwrap();
        drop(log);
        let (_, lines) = read(&bytes);
        let tag = lines[0].0.as_deref();
        assert_eq!(tag, Some("request:GET%20/a%2C%20\"b\"%0ATag=100%25"));
    }

    #[test]
    fn the_warm_up_is_in_no_histogram() {
        let mut warm_up = second(0);
        warm_up.warming_up = true;
        let bytes = written(&[warm_up], &Config::default());
        assert!(read(&bytes).1.is_empty());
    }

    #[test]
    fn a_secret_gets_into_no_tag() {
        let mut config = Config::default();
        config.set("token", "look").mark_secret("token");
        let text = String::from_utf8(written(&[second(0)], &config)).unwrap();
        assert!(!text.contains("look"), "{text}");
    }
}
