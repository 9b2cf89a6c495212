//! In which form somebody wants the metrics (RFC 9110, 12.5.1).

/// The forms there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::serve) enum Format {
    /// Prometheus' text exposition format 0.0.4.
    Text,
    /// `OpenMetrics` 1.0.0.
    OpenMetrics,
    /// Messages of Prometheus' client model, each after its length; the one that has native
    /// histograms.
    Protobuf,
}

impl Format {
    /// The one that is liked most of those there are; text when none is.
    pub(in crate::serve) fn accepted(accept: &str) -> Self {
        let mut best = (0.0, Self::Text);
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default();
            let parameters: Vec<_> = parts.filter_map(|part| part.split_once('=')).collect();
            let value = |name: &str| {
                let mut named = parameters
                    .iter()
                    .filter(|(key, _)| key.eq_ignore_ascii_case(name));
                named.next().map(|(_, value)| value.trim_matches('"'))
            };
            let quality = value("q").map_or(Some(1.0), |quality| quality.parse::<f64>().ok());
            let Some(format) = Self::of(kind, value) else {
                continue;
            };
            if let Some(quality) = quality.filter(|quality| *quality > best.0) {
                best = (quality, format);
            }
        }
        best.1
    }

    fn of<'a>(kind: &str, value: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        let version = value("version");
        match kind.to_ascii_lowercase().as_str() {
            "application/vnd.google.protobuf" => (value("encoding") == Some("delimited")
                && value("proto") == Some("io.prometheus.client.MetricFamily"))
            .then_some(Self::Protobuf),
            "application/openmetrics-text" => {
                matches!(version, None | Some("1.0.0" | "0.0.1")).then_some(Self::OpenMetrics)
            }
            "text/plain" => matches!(version, None | Some("0.0.4")).then_some(Self::Text),
            "text/*" | "*/*" => Some(Self::Text),
            _ => None,
        }
    }

    /// What an answer in this form says it is.
    pub(in crate::serve) fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Protobuf => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; \
                 encoding=delimited"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prometheus_gets_what_it_likes_most() {
        let plain = "application/openmetrics-text;version=1.0.0,\
                     application/openmetrics-text;version=0.0.1;q=0.75,\
                     text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert_eq!(Format::accepted(plain), Format::OpenMetrics);
        let native = "application/vnd.google.protobuf;\
                      proto=io.prometheus.client.MetricFamily;encoding=delimited,\
                      application/openmetrics-text;version=1.0.0;q=0.8,\
                      text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert_eq!(Format::accepted(native), Format::Protobuf);
    }

    #[test]
    fn anybody_else_gets_text() {
        for accept in [
            "",
            "*/*",
            "text/html,*/*;q=0.8",
            "application/json",
            "text/plain",
        ] {
            assert_eq!(Format::accepted(accept), Format::Text, "{accept}");
        }
        let other = "application/vnd.google.protobuf;proto=other;encoding=delimited";
        assert_eq!(Format::accepted(other), Format::Text);
    }
}
