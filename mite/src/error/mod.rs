//! What can go wrong in a journey, and the place where it did.
//!
//! [`Error`] is the one type a journey returns. It takes any [`std::error::Error`] through `?` and
//! remembers the line of that `?`. What a journey *expects* to go wrong (a check that does not hold,
//! a status that is not the wanted one) is an `error`; anything else is an `exception`; a panic is a
//! `panic`.

mod caught;

use std::{
    any::Any,
    borrow::Cow,
    fmt::{self, Display, Write as _},
    panic::Location,
};

use serde::Serialize;
use serde_json::Value;

pub(crate) use caught::{catch, catching, panicked};

/// What a journey, a transaction or a check returns; [`Error`] unless said otherwise.
pub type Result<T = (), E = Error> = std::result::Result<T, E>;

/// Why a journey failed, with the place in its source.
///
/// It is made by `?` from any [`std::error::Error`], by [`ensure!`](crate::ensure) and
/// [`bail!`](crate::bail), by a check on a response, or by [`Error::failure`].
///
/// So that `?` can take every error type, `Error` does not itself implement [`std::error::Error`];
/// it converts into `Box<dyn std::error::Error + Send + Sync>`, and [`Error::other`] takes boxes and
/// the error types of other libraries that do not implement it either.
///
/// ```
/// fn port(text: &str) -> mite::Result<u16> {
///     Ok(text.parse()?)
/// }
///
/// let error = port("eighty").unwrap_err();
/// assert_eq!(error.kind(), "exception");
/// assert_eq!(error.message(), "ParseIntError: invalid digit found in string");
/// assert!(error.location().contains(".rs:"));
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: Cow<'static, str>,
    message: String,
    fields: Vec<(Cow<'static, str>, Value)>,
    location: Place,
    expected: bool,
    connect: bool,
    reported: bool,
}

enum Place {
    Source(&'static Location<'static>),
    Text(String),
}

impl Error {
    /// An expected failure of a kind of your own, such as `"out of stock"`.
    ///
    /// The kind becomes a row of the report's errors, so keep the number of kinds small and put
    /// what varies into [fields](Error::field).
    ///
    /// ```
    /// let error = mite::Error::failure("out of stock").field("article", 17);
    /// assert_eq!(error.to_string(), "out of stock (article=17)");
    /// ```
    #[track_caller]
    pub fn failure(kind: impl Into<Cow<'static, str>>) -> Self {
        let kind = kind.into();
        Self::new(kind.clone(), kind.into_owned(), true)
    }

    /// An expected failure of kind `error` with a message, as [`ensure!`](crate::ensure) makes it.
    #[track_caller]
    #[allow(clippy::self_named_constructors)] // The kind of failure is called so.
    pub fn error(message: impl Into<String>) -> Self {
        Self::new(Cow::Borrowed("error"), message.into(), true)
    }

    /// An unexpected failure from a type that `?` cannot take, such as `anyhow::Error` or a box.
    ///
    /// ```
    /// let boxed: Box<dyn std::error::Error + Send + Sync> = "the cache is cold".into();
    /// assert_eq!(mite::Error::other(boxed).kind(), "exception");
    /// ```
    #[track_caller]
    pub fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let error = error.into();
        Self::new(
            Cow::Borrowed("exception"),
            with_sources(error.as_ref()),
            false,
        )
    }

    /// A panic that was caught, at the place its message names.
    pub(crate) fn panicked(message: String, location: String) -> Self {
        let mut error = Self::new(Cow::Borrowed("panic"), message, false);
        error.0.location = Place::Text(location);
        error
    }

    #[track_caller]
    fn new(kind: Cow<'static, str>, message: String, expected: bool) -> Self {
        Self(Box::new(Inner {
            kind,
            message,
            fields: Vec::new(),
            location: Place::Source(Location::caller()),
            expected,
            connect: false,
            reported: false,
        }))
    }

    /// Adds what varies from one failure to the next; shown behind the message.
    #[must_use]
    pub fn field(mut self, name: impl Into<Cow<'static, str>>, value: impl Serialize) -> Self {
        let value =
            serde_json::to_value(value).unwrap_or_else(|error| Value::String(error.to_string()));
        self.0.fields.push((name.into(), value));
        self
    }

    /// `error`, `exception`, `panic`, or a more telling word such as `timeout`.
    pub fn kind(&self) -> &str {
        &self.0.kind
    }

    /// What went wrong, in words, without the fields.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The fields added by [`Error::field`], in their order.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0
            .fields
            .iter()
            .map(|(name, value)| (name.as_ref(), value))
    }

    /// Where it went wrong, as `file:line`: the line of the `?`, of the macro or of the check.
    pub fn location(&self) -> String {
        match &self.0.location {
            Place::Source(location) => format!("{}:{}", location.file(), location.line()),
            Place::Text(text) => text.clone(),
        }
    }

    /// Whether this is a failure a journey checks for, rather than an exception or a panic.
    pub fn is_expected(&self) -> bool {
        self.0.expected
    }

    /// Whether no connection could be made; a user then waits before the next try.
    pub(crate) fn is_connect(&self) -> bool {
        self.0.connect
    }

    /// Takes note that the failure has been counted, and says whether it had been before.
    pub(crate) fn report_once(&mut self) -> bool {
        !std::mem::replace(&mut self.0.reported, true)
    }
}

impl<E: std::error::Error + 'static> From<E> for Error {
    #[track_caller]
    fn from(error: E) -> Self {
        for classifier in inventory::iter::<Classifier> {
            if let Some(class) = (classifier.0)(&error) {
                let mut classified = Self::new(class.kind, with_sources(&error), true);
                classified.0.connect = class.connect;
                return classified;
            }
        }
        let path = std::any::type_name::<E>();
        let name = path
            .split('<')
            .next()
            .and_then(|path| path.rsplit("::").next())
            .unwrap_or(path);
        let message = format!("{name}: {}", with_sources(&error));
        Self::new(Cow::Borrowed("exception"), message, false)
    }
}

impl From<Error> for Box<dyn std::error::Error + Send + Sync> {
    fn from(error: Error) -> Self {
        error.to_string().into()
    }
}

impl From<Error> for Box<dyn std::error::Error> {
    fn from(error: Error) -> Self {
        error.to_string().into()
    }
}

impl Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.message)?;
        for (index, (name, value)) in self.0.fields.iter().enumerate() {
            formatter.write_str(if index == 0 { " (" } else { ", " })?;
            write!(formatter, "{name}={value}")?;
        }
        if self.0.fields.is_empty() {
            Ok(())
        } else {
            formatter.write_str(")")
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}: {self}\n   at {}",
            self.0.kind,
            self.location()
        )
    }
}

/// Tells what kind of failure an error type stands for, so that `?` need not call it an exception.
///
/// A client attached to the context submits one through `inventory` for its own error type; the
/// HTTP client's timeouts are counted under `timeout` this way.
///
/// ```
/// #[derive(Debug)]
/// struct QueueFull;
/// impl std::fmt::Display for QueueFull {
///     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("queue full") }
/// }
/// impl std::error::Error for QueueFull {}
///
/// mite::inventory::submit! {
///     mite::Classifier::new(|error| error.is::<QueueFull>().then(|| mite::Class::new("queue")))
/// }
///
/// let error: mite::Error = QueueFull.into();
/// assert_eq!(error.kind(), "queue");
/// assert!(error.is_expected());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Classifier(fn(&dyn Any) -> Option<Class>);

impl Classifier {
    /// `classify` answers for the types it knows and returns `None` for all others.
    pub const fn new(classify: fn(&dyn Any) -> Option<Class>) -> Self {
        Self(classify)
    }
}

inventory::collect!(Classifier);

/// The answer of a [`Classifier`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    kind: Cow<'static, str>,
    connect: bool,
}

impl Class {
    /// A failure of this kind.
    pub fn new(kind: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind: kind.into(),
            connect: false,
        }
    }

    /// Marks a failure to reach the server at all: a closed-model user waits before its next run,
    /// 100 ms at first and twice as long each time, up to 2 s.
    #[must_use]
    pub fn connect(mut self) -> Self {
        self.connect = true;
        self
    }
}

/// The message of an error followed by those of its sources that say something new.
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            let _ = write!(text, ": {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// Ends the journey with an expected failure unless the condition holds.
///
/// ```
/// fn check(items: usize) -> mite::Result {
///     mite::ensure!(items > 0);
///     mite::ensure!(items < 10, "{items} items are too many");
///     Ok(())
/// }
/// assert_eq!(check(0).unwrap_err().message(), "not true: items > 0");
/// assert_eq!(check(12).unwrap_err().message(), "12 items are too many");
/// ```
#[macro_export]
macro_rules! ensure {
    ($condition:expr $(,)?) => {
        if !$condition {
            return ::core::result::Result::Err($crate::Error::error(
                ::core::concat!("not true: ", ::core::stringify!($condition)),
            ));
        }
    };
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return ::core::result::Result::Err($crate::Error::error(::std::format!($($message)+)));
        }
    };
}

/// Ends the journey with an expected failure.
///
/// ```
/// fn check(state: &str) -> mite::Result {
///     match state {
///         "open" => Ok(()),
///         other => mite::bail!("the order is {other}"),
///     }
/// }
/// assert_eq!(check("lost").unwrap_err().message(), "the order is lost");
/// ```
#[macro_export]
macro_rules! bail {
    ($($message:tt)+) => {
        return ::core::result::Result::Err($crate::Error::error(::std::format!($($message)+)))
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<u32> {
        Ok(text.parse()?)
    }

    #[test]
    fn the_question_mark_remembers_its_own_line() {
        let error = parse("x").unwrap_err();
        let line = line!() - 6;
        assert_eq!(error.location(), format!("{}:{line}", file!()));
    }

    #[test]
    fn the_outer_question_mark_keeps_the_inner_place() {
        fn outer() -> Result<u32> {
            Ok(parse("x")? + 1)
        }
        assert_eq!(
            outer().unwrap_err().location(),
            parse("x").unwrap_err().location()
        );
    }

    #[test]
    fn sources_are_told_once() {
        let error = std::io::Error::other("disk on fire");
        assert_eq!(with_sources(&error), "disk on fire");
    }
}
