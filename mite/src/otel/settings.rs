//! Where traces and metrics go, which journeys are traced, and what is said of the run.

use std::{fmt, path::Path, time::Duration};

use http::{HeaderMap, HeaderValue, header};

use super::{
    OtelError,
    environment::{Environment, Read},
};
use crate::{net::Tls, outbound::Address, trace::Sampling};

/// What is asked for, as it was written.
#[derive(Clone, Default)]
pub(crate) struct Options {
    /// The collector's address; nothing is sent without one.
    pub(crate) address: Option<String>,
    /// Which journeys are traced.
    pub(crate) trace: Option<String>,
    /// Whether the environment may name the collector where the address does not.
    pub(crate) from_environment: bool,
}

/// Where traces and metrics go, and how.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Neither is sent without an address of its own.
    pub(super) traces: Option<Destination>,
    pub(super) metrics: Option<Destination>,
    pub(super) sampling: Sampling,
    /// The time from one push of metrics to the next.
    pub(super) interval: Duration,
    /// What the environment says of the resource, that is of this program.
    pub(super) resource: Vec<(String, String)>,
}

/// Where one signal goes.
#[derive(Clone, Debug)]
pub(super) struct Destination {
    pub(super) signal: Signal,
    pub(super) address: Address,
    /// All of them are marked as secret.
    pub(super) headers: HeaderMap,
    pub(super) gzip: bool,
    /// How long one try may take.
    pub(super) timeout: Duration,
    pub(super) tls: Tls,
}

/// What OTLP carries, as far as there is any here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    Traces,
    Metrics,
}

/// As the specification has it.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The specification has a minute, in which a test may be over.
const INTERVAL: Duration = Duration::from_secs(10);

/// What this program calls itself unless it is told otherwise.
const SERVICE: &str = "mite";

impl Options {
    /// What is meant, or `None` when nothing is to be sent.
    ///
    /// # Errors
    /// When an option or a variable of the environment makes no sense.
    pub(crate) fn check(&self) -> Result<Option<Settings>, OtelError> {
        self.check_with(&|name| std::env::var(name).ok())
    }

    pub(super) fn check_with(&self, read: &Read<'_>) -> Result<Option<Settings>, OtelError> {
        let environment = Environment::new(read);
        let sampling = match &self.trace {
            Some(text) => text.parse().map_err(OtelError::Sampling)?,
            None => Sampling::default(),
        };
        let traces = self.destination(Signal::Traces, &environment)?;
        let metrics = self.destination(Signal::Metrics, &environment)?;
        if traces.is_none() && self.trace.is_some() && !sampling.is_never() {
            return Err(OtelError::NoAddress);
        }
        let traces = traces.filter(|_| !sampling.is_never());
        if traces.is_none() && metrics.is_none() {
            return Ok(None);
        }
        let interval = environment.get("OTEL_METRIC_EXPORT_INTERVAL");
        let interval = interval.map(|variable| variable.milliseconds());
        Ok(Some(Settings {
            traces,
            metrics,
            sampling,
            interval: interval.transpose()?.unwrap_or(INTERVAL),
            resource: resource(&environment)?,
        }))
    }

    fn destination(
        &self,
        signal: Signal,
        environment: &Environment<'_>,
    ) -> Result<Option<Destination>, OtelError> {
        let Some(address) = self.address(signal, environment)? else {
            return Ok(None);
        };
        let exporter = |what| environment.exporter(signal, what);
        if let Some(protocol) = exporter("PROTOCOL")
            && protocol.value != "http/protobuf"
        {
            return Err(OtelError::Protocol {
                name: format!("the environment variable {}", protocol.name),
                protocol: protocol.value,
            });
        }
        let gzip = match exporter("COMPRESSION") {
            None => false,
            Some(variable) => match variable.value.as_str() {
                "gzip" => true,
                "none" => false,
                other => return Err(variable.wrong(format!("is {other:?}; it is gzip or none"))),
            },
        };
        let mut tls = Tls::new();
        if let Some(variable) = exporter("CERTIFICATE") {
            if let Err(error) = std::fs::metadata(Path::new(&variable.value)) {
                return Err(variable.wrong(format!(
                    "names {:?}, which cannot be read: {error}; it is a file of certificates in \
                     PEM form",
                    variable.value
                )));
            }
            tls = tls.root_certificate_file(&variable.value);
            tls.check()
                .map_err(|mistake| variable.wrong(format!("is of no use: {mistake}")))?;
        }
        let headers = exporter("HEADERS").map(|variable| variable.headers());
        let timeout = exporter("TIMEOUT").map(|variable| variable.milliseconds());
        Ok(Some(Destination {
            signal,
            address,
            headers: headers.transpose()?.unwrap_or_default(),
            gzip,
            timeout: timeout.transpose()?.unwrap_or(TIMEOUT),
            tls,
        }))
    }

    /// Where a signal goes, if it goes anywhere.
    fn address(
        &self,
        signal: Signal,
        environment: &Environment<'_>,
    ) -> Result<Option<Address>, OtelError> {
        if let Some(address) = &self.address {
            return parse("--otlp", address).map(|address| Some(address.below(signal.path())));
        }
        if !self.from_environment || environment.is_true("OTEL_SDK_DISABLED") {
            return Ok(None);
        }
        let exporter = environment.get(&format!("OTEL_{}_EXPORTER", signal.in_names()));
        if exporter.is_some_and(|exporter| exporter.value == "none") {
            return Ok(None);
        }
        // What is said of one signal is its whole address, what is said of all its beginning.
        let own = format!("OTEL_EXPORTER_OTLP_{}_ENDPOINT", signal.in_names());
        if let Some(own) = environment.get(&own) {
            return parse_variable(&own.name, &own.value).map(Some);
        }
        let all = environment.get("OTEL_EXPORTER_OTLP_ENDPOINT");
        let all = all.map(|all| parse_variable(&all.name, &all.value));
        Ok(all.transpose()?.map(|all| all.below(signal.path())))
    }
}

fn parse_variable(name: &str, text: &str) -> Result<Address, OtelError> {
    parse(&format!("the environment variable {name}"), text)
}

fn parse(name: &str, text: &str) -> Result<Address, OtelError> {
    let name = name.to_owned();
    if let Some(scheme) = ["grpc", "grpcs"].into_iter().find(|scheme| {
        text.strip_prefix(scheme)
            .is_some_and(|rest| rest.starts_with(':'))
    }) {
        let protocol = scheme.to_owned();
        return Err(OtelError::Protocol { name, protocol });
    }
    Address::parse(text).map_err(|mistake| OtelError::Address { name, mistake })
}

/// What the environment says of this program, and what it is called in any case.
fn resource(environment: &Environment<'_>) -> Result<Vec<(String, String)>, OtelError> {
    const NAME: &str = "service.name";
    let given = environment.get("OTEL_RESOURCE_ATTRIBUTES");
    let given = given.map(|variable| variable.pairs()).transpose()?;
    let mut attributes = given.unwrap_or_default();
    if let Some(name) = environment.get("OTEL_SERVICE_NAME") {
        attributes.retain(|(key, _)| key != NAME);
        attributes.push((NAME.to_owned(), name.value));
    }
    if !attributes.iter().any(|(key, _)| key == NAME) {
        attributes.push((NAME.to_owned(), SERVICE.to_owned()));
    }
    Ok(attributes)
}

impl Destination {
    /// What of the address and of the headers is not to be shown, whoever says it.
    pub(super) fn secrets(&self) -> Vec<String> {
        let mut secrets = self.address.secrets();
        for value in self.headers.values() {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            // Of `Bearer x` it is the x that counts.
            let behind_scheme = value
                .split_once(' ')
                .map(|(_, rest)| rest.trim().to_owned());
            secrets.extend(behind_scheme);
            secrets.push(value);
        }
        secrets
    }

    /// The headers of each request.
    pub(super) fn all_headers(&self) -> HeaderMap {
        let mut headers = self.headers.clone();
        let protobuf = HeaderValue::from_static("application/x-protobuf");
        headers.insert(header::CONTENT_TYPE, protobuf);
        if self.gzip {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        headers
    }
}

impl Signal {
    /// As variables of the environment call it.
    pub(super) fn in_names(self) -> &'static str {
        match self {
            Signal::Traces => "TRACES",
            Signal::Metrics => "METRICS",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Signal::Traces => "v1/traces",
            Signal::Metrics => "v1/metrics",
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Signal::Traces => "traces",
            Signal::Metrics => "metrics",
        })
    }
}

/// Without the address, in which there may be a password.
impl fmt::Debug for Options {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Options")
            .field("address", &self.address.as_ref().map(|_| "***"))
            .field("trace", &self.trace)
            .field("from_environment", &self.from_environment)
            .finish()
    }
}
