//! The environment variables that OpenTelemetry specifies for exporters (OpenTelemetry
//! Specification, "OpenTelemetry Protocol Exporter" and "Environment Variables").

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;

use super::{OtelError, settings::Signal};

/// The variables of this process, or those of a test.
pub(super) struct Environment<'a>(&'a Read<'a>);

/// Gives the value of a variable.
pub(super) type Read<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// A variable that is set to something.
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) value: String,
}

impl<'a> Environment<'a> {
    pub(super) fn new(read: &'a Read<'a>) -> Self {
        Self(read)
    }

    /// A variable; one that is empty counts as not set.
    pub(super) fn get(&self, name: &str) -> Option<Variable> {
        let value = (self.0)(name)?;
        let value = value.trim();
        (!value.is_empty()).then(|| Variable {
            name: name.to_owned(),
            value: value.to_owned(),
        })
    }

    /// What `OTEL_EXPORTER_OTLP_…` says for a signal, in a variable of its own or for all.
    pub(super) fn exporter(&self, signal: Signal, what: &str) -> Option<Variable> {
        self.get(&format!("OTEL_EXPORTER_OTLP_{}_{what}", signal.in_names()))
            .or_else(|| self.get(&format!("OTEL_EXPORTER_OTLP_{what}")))
    }

    /// Whether a variable says yes; all but `true` is no.
    pub(super) fn is_true(&self, name: &str) -> bool {
        self.get(name)
            .is_some_and(|variable| variable.value.eq_ignore_ascii_case("true"))
    }
}

impl Variable {
    /// An error that does not show the value, which may be a secret.
    pub(super) fn wrong(&self, mistake: impl Into<String>) -> OtelError {
        OtelError::Variable {
            name: self.name.clone(),
            mistake: mistake.into(),
        }
    }

    pub(super) fn milliseconds(&self) -> Result<Duration, OtelError> {
        match self.value.parse() {
            Ok(number) if number > 0 => Ok(Duration::from_millis(number)),
            _ => Err(self.wrong(format!(
                "is {:?}; it has to be a whole number of milliseconds above zero, such as 10000",
                self.value
            ))),
        }
    }

    /// Pairs as W3C Baggage has them: `key=value,key=value`, values percent-encoded.
    pub(super) fn pairs(&self) -> Result<Vec<(String, String)>, OtelError> {
        let pairs = self.value.split(',').map(str::trim);
        let pairs = pairs.filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=')?;
            let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
            let key = key.trim();
            (!key.is_empty()).then(|| (key.to_owned(), value.into_owned()))
        });
        pairs
            .collect::<Option<_>>()
            .ok_or_else(|| self.wrong("is no list of pairs; it is written key=value,key=value"))
    }

    pub(super) fn headers(&self) -> Result<HeaderMap, OtelError> {
        let mut headers = HeaderMap::new();
        for (name, value) in self.pairs()? {
            let (Ok(name), Ok(mut value)) =
                (HeaderName::try_from(&name), HeaderValue::try_from(value))
            else {
                return Err(self.wrong(format!(
                    "has {name:?}, which cannot be sent as a header; it is written name=value,name=value"
                )));
            };
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        Ok(headers)
    }
}
