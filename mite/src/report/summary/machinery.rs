//! What the summary says of connections, bytes and the load generator.

use super::Summary;
use crate::report::{http::ConnectionSummary, human, style::Tone, text};

/// The column behind the titles.
const FACTS: usize = 13;
/// Narrower summaries have titles on lines of their own.
const ROOMY: usize = 48;

impl Summary<'_> {
    /// Connections, bytes, and what the generator has to say about itself.
    pub(super) fn machinery(&self) -> Vec<String> {
        let facts = [
            ("Connections", self.connections()),
            ("Versions", self.versions()),
            ("Bytes", self.bytes()),
            ("Generator", self.generator()),
            ("Traces", self.traces()),
            ("Collected", self.collected()),
            ("Recorded", self.recorded()),
        ];
        let mut lines = Vec::new();
        for (title, facts) in facts {
            if self.style.width < ROOMY {
                lines.extend(self.listed(title, &facts));
                continue;
            }
            let indent = " ".repeat(FACTS);
            let room = self.style.width.saturating_sub(indent.len());
            for (index, line) in text::flow(facts.iter().map(String::as_str), ", ", room)
                .iter()
                .enumerate()
            {
                let title = if index == 0 { title } else { "" };
                let blank = FACTS.saturating_sub(title.len());
                let title = self.style.paint(Tone::Heading, title);
                lines.push(format!("{title}{:blank$}{line}", ""));
            }
        }
        let generator = &self.report.generator;
        let mut notes: Vec<String> = generator
            .notes
            .iter()
            .map(|note| text::clean(note))
            .collect();
        // What makes the run invalid stands with the verdict.
        let warnings = generator.suspicions.iter().filter(|one| !one.invalid);
        notes.extend(warnings.map(|one| text::clean(&one.message)));
        if !generator.starved.is_empty() {
            let starved: Vec<String> = generator
                .starved
                .iter()
                .map(|journey| self.names.journey(journey))
                .collect();
            notes.push(format!(
                "Waited for data, because the pool was empty: {}.",
                starved.join(", ")
            ));
        }
        for note in notes {
            lines.extend(self.remark(&note));
        }
        lines
    }

    fn listed(&self, title: &str, facts: &[String]) -> Vec<String> {
        if facts.is_empty() {
            return Vec::new();
        }
        let room = self.style.width.saturating_sub(2);
        let facts = text::flow(facts.iter().map(String::as_str), ", ", room);
        let facts = facts.iter().map(|line| format!("  {line}"));
        let title = self.style.paint(Tone::Heading, title);
        std::iter::once(title).chain(facts).collect()
    }

    fn connections(&self) -> Vec<String> {
        let connections = self.report.http.connections;
        let mut facts = Vec::new();
        if connections.opened > 0 {
            facts.push(format!("{} opened", human::count(connections.opened)));
            facts.extend(handshakes(connections));
            facts.push(format!(
                "{} on kept ones",
                human::plural(connections.reused, "request")
            ));
        }
        if connections.fallbacks > 0 {
            facts.push(format!(
                "{} to another address",
                human::plural(connections.fallbacks, "fallback")
            ));
        }
        if connections.failed > 0 {
            facts.push(format!("{} failed", human::count(connections.failed)));
        }
        facts
    }

    /// Only where there are several.
    fn versions(&self) -> Vec<String> {
        let versions = &self.report.http.versions;
        if versions.len() < 2 {
            return Vec::new();
        }
        let mut versions: Vec<_> = versions.iter().collect();
        versions.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let counts = versions.iter().enumerate().map(|(index, (_, count))| {
            if index == 0 {
                human::plural(**count, "request")
            } else {
                human::count(**count)
            }
        });
        counts
            .zip(&versions)
            .map(|(count, (version, _))| format!("{count} over {}", text::clean(version)))
            .collect()
    }

    fn bytes(&self) -> Vec<String> {
        let http = &self.report.http;
        if http.bytes_sent + http.bytes_received == 0 {
            return Vec::new();
        }
        let mut facts = vec![
            format!("{} sent", human::bytes(http.bytes_sent)),
            format!("{} received", human::bytes(http.bytes_received)),
        ];
        if http.encoded_body_bytes != http.decoded_body_bytes {
            facts.push(format!(
                "bodies of {} decoded to {}",
                human::bytes(http.encoded_body_bytes),
                human::bytes(http.decoded_body_bytes)
            ));
        }
        facts
    }

    fn traces(&self) -> Vec<String> {
        let Some(traces) = self.report.traces else {
            return Vec::new();
        };
        let mut facts = vec![
            format!("{} sampled", human::plural(traces.sampled, "journey")),
            format!(
                "{} exported with {}",
                human::count(traces.exported),
                human::plural(traces.spans, "span")
            ),
        ];
        if traces.dropped > 0 {
            facts.push(format!("{} dropped", human::count(traces.dropped)));
        }
        facts
    }

    fn collected(&self) -> Vec<String> {
        let Some(collected) = &self.report.collected else {
            return Vec::new();
        };
        let mut facts = vec![human::plural(collected.events, "event")];
        facts.extend(collected.files.map(|files| human::plural(files, "file")));
        facts.push(human::bytes(collected.bytes));
        let stream = collected.stream.as_ref();
        let stream = stream.map(|stream| format!("by way of {}", text::clean(stream)));
        let directory = collected.directory.as_ref();
        let directory = directory.map(|directory| format!("in {}", text::clean(directory)));
        facts.extend(directory.or(stream));
        if collected.missing > 0 {
            facts.push(format!("{} missing", human::count(collected.missing)));
        }
        facts
    }

    fn recorded(&self) -> Vec<String> {
        let rows = self.report.recorded.iter();
        let facts = rows.map(|row| {
            let missing = if row.missing > 0 {
                format!(" ({} missing)", human::count(row.missing))
            } else {
                String::new()
            };
            let items = human::plural(row.items, "item");
            format!("{items} of {}{missing}", text::clean(&row.name))
        });
        facts.collect()
    }

    fn generator(&self) -> Vec<String> {
        let generator = &self.report.generator;
        if generator.workers == 0 {
            return Vec::new();
        }
        let mut facts = vec![
            human::plural(generator.runners.into(), "runner"),
            human::plural(generator.workers.into(), "worker"),
        ];
        if generator.cpu_seconds > 0.0 {
            facts.push(format!("{} of CPU", human::time(generator.cpu_seconds)));
        }
        if let Some(busiest) = generator.busiest_worker_cpu {
            let percent = (busiest * 100.0).round();
            facts.push(format!("busiest worker at {percent} %"));
        }
        if generator.steal_seconds > 0.0 {
            facts.push(format!(
                "{} stolen by the host",
                human::time(generator.steal_seconds)
            ));
        }
        if generator.peak_rss_bytes > 0 {
            facts.push(format!(
                "{} at most",
                human::bytes(generator.peak_rss_bytes)
            ));
        }
        if let Some(lag) = generator.loop_lag.p99 {
            facts.push(format!("loop lag p99 {}", human::time(lag)));
        }
        facts
    }
}

fn handshakes(connections: ConnectionSummary) -> Option<String> {
    let made = connections.tls_handshakes;
    let resumed = connections.tls_resumed;
    (made > 0).then(|| {
        let handshakes = human::plural(made, "TLS handshake");
        if resumed == 0 {
            return format!("{handshakes}, none resumed");
        }
        let share = human::percent(resumed as f64 / made as f64);
        format!("{handshakes}, {share} resumed")
    })
}
