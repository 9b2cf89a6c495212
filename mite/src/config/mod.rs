//! Settings of a run: named texts, read as the type that is wanted.

use std::{borrow::Cow, collections::BTreeMap, fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

mod secret;

pub(crate) use secret::{MASK, Masker, is_secret_name, masked_pairs, without_secrets};

/// Where a value came from, so that a message can say what to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Origin {
    /// The scenario gave it as a default.
    Scenario,
    /// A `--config-file`.
    File,
    /// A `MITE_CONF_…` variable.
    Environment,
    /// `--config key=value`, or code that set it.
    CommandLine,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Origin::Scenario => "the scenario",
            Origin::File => "the config file",
            Origin::Environment => "the environment",
            Origin::CommandLine => "--config",
        })
    }
}

/// The settings every journey, pool and scenario of a run sees.
///
/// Values are texts; [`get`](Config::get) and [`get_or`](Config::get_or) read them as the type that
/// is wanted. They come, strongest first, from `--config key=value`, from `MITE_CONF_key` in the
/// environment, from `--config-file`, and from the scenario's own [`set_default`](Config::set_default).
///
/// ```
/// use mite::Config;
///
/// let mut config = Config::default();
/// config.set("users", 20);
/// assert_eq!(config.get::<u32>("users")?, 20);
/// assert_eq!(config.get_or("greeting", "hello".to_owned())?, "hello");
/// # Ok::<(), mite::ConfigError>(())
/// ```
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Config {
    values: Arc<BTreeMap<String, Setting>>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Setting {
    text: String,
    origin: Origin,
    secret: bool,
}

impl Config {
    /// The value of `key` as a `T`.
    ///
    /// # Errors
    /// When there is no such key, or its text is not a `T`.
    pub fn get<T: FromStr>(&self, key: &str) -> Result<T, ConfigError>
    where
        T::Err: fmt::Display,
    {
        let setting = self
            .values
            .get(key)
            .ok_or_else(|| ConfigError::missing(self, key))?;
        self.parse(key, setting)
    }

    /// The value of `key` as a `T`, or `default` when there is no such key.
    ///
    /// # Errors
    /// When the key is there but its text is not a `T`.
    pub fn get_or<T: FromStr>(&self, key: &str, default: T) -> Result<T, ConfigError>
    where
        T::Err: fmt::Display,
    {
        self.values
            .get(key)
            .map_or(Ok(default), |setting| self.parse(key, setting))
    }

    /// The text of `key`, if there is one.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(|setting| setting.text.as_str())
    }

    /// Whether the key has a value.
    pub fn contains(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// Gives `key` a value, whatever it had before.
    pub fn set(&mut self, key: impl Into<String>, value: impl fmt::Display) -> &mut Self {
        self.put(key.into(), value.to_string(), Origin::CommandLine);
        self
    }

    /// Gives `key` a value that the command line, the environment and a config file override.
    pub fn set_default(&mut self, key: impl Into<String>, value: impl fmt::Display) -> &mut Self {
        self.put(key.into(), value.to_string(), Origin::Scenario);
        self
    }

    /// Keeps the value of `key` out of every report, log and debug output.
    ///
    /// Keys whose name contains `password`, `passwd`, `passphrase`, `pwd`, `secret`, `token`,
    /// `credential`, `authorization`, `api_key`, `access_key`, `private_key`, `signature`, `bearer`
    /// or `jwt`, and the key `auth`, are kept out without being told.
    pub fn mark_secret(&mut self, key: &str) -> &mut Self {
        if let Some(setting) = Arc::make_mut(&mut self.values).get_mut(key) {
            setting.secret = true;
        }
        self
    }

    /// The keys and their values in order of key, secrets replaced by `***`.
    ///
    /// Whatever the key, the password of a URL is a secret, as is a user without a password and
    /// what its query gives a name that is one of a secret. A value that has another's secret in it
    /// is shown without.
    pub fn iter_masked(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        self.values
            .iter()
            .filter(|(key, _)| *key != HTTP)
            .map(|(key, setting)| (key.as_str(), self.shown(key, setting)))
    }

    /// `text` with each secret value in it replaced by `***`, whether it stands there as it is or as
    /// a URL or a form has it.
    pub fn mask(&self, text: &str) -> String {
        without_secrets(text, self.secrets())
    }

    /// What masks many short texts as [`mask`](Config::mask) does, and credentials of URLs in them.
    pub(crate) fn masker(&self) -> Masker {
        Masker::new(self.secrets())
    }

    fn secrets(&self) -> impl Iterator<Item = &str> {
        self.values
            .iter()
            .filter(|(key, setting)| setting.is_secret(key))
            .map(|(_, setting)| setting.text.as_str())
    }

    /// The text of a setting as anybody may see it.
    fn shown(&self, key: &str, setting: &Setting) -> Cow<'_, str> {
        if setting.is_secret(key) {
            Cow::Borrowed(MASK)
        } else {
            Cow::Owned(self.mask(&secret::without_credentials(&setting.text)))
        }
    }

    fn parse<T: FromStr>(&self, key: &str, setting: &Setting) -> Result<T, ConfigError>
    where
        T::Err: fmt::Display,
    {
        setting.text.parse().map_err(|error: T::Err| ConfigError {
            message: format!(
                "the config value {key}={} (from {}) is not a {}: {error}",
                self.shown(key, setting),
                setting.origin,
                short_name::<T>(),
            ),
        })
    }

    /// Sets a value unless a stronger origin has set it already.
    pub(crate) fn put(&mut self, key: String, text: String, origin: Origin) {
        let values = Arc::make_mut(&mut self.values);
        match values.get_mut(&key) {
            Some(setting) if setting.origin > origin => {}
            Some(setting) => {
                setting.text = text;
                setting.origin = origin;
            }
            None => {
                values.insert(
                    key,
                    Setting {
                        text,
                        origin,
                        secret: false,
                    },
                );
            }
        }
    }
}

/// The key of the URL that relative ones are joined to.
pub(crate) const BASE_URL: &str = "base_url";

/// The key that, set to `true`, leaves TLS certificates unverified.
pub(crate) const INSECURE: &str = "mite.insecure";

/// The key of the HTTP settings of the scenario.
pub(crate) const HTTP: &str = "mite.http";

/// The key of the addresses given for names, one `host:port:address` a line.
pub(crate) const RESOLVE: &str = "mite.resolve";

impl Setting {
    fn is_secret(&self, key: &str) -> bool {
        self.secret || is_secret_name(key)
    }
}

fn short_name<T>() -> &'static str {
    let path = std::any::type_name::<T>();
    if path.contains('<') {
        path
    } else {
        path.rsplit("::").next().unwrap_or(path)
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.iter_masked()).finish()
    }
}

/// A setting that is missing or is not what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    message: String,
}

impl ConfigError {
    fn missing(config: &Config, key: &str) -> Self {
        let known = config
            .values
            .keys()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(", ");
        let known = if known.is_empty() {
            "nothing is set".to_owned()
        } else {
            format!("what is set: {known}")
        };
        Self {
            message: format!(
                "the config has no value for \"{key}\" ({known}); give it with --config {key}=VALUE \
                 or MITE_CONF_{key}=VALUE"
            ),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stronger_origin_wins_in_either_order() {
        for reverse in [false, true] {
            let mut config = Config::default();
            let mut puts = [("weak", Origin::File), ("strong", Origin::CommandLine)];
            if reverse {
                puts.reverse();
            }
            for (text, origin) in puts {
                config.put("key".into(), text.into(), origin);
            }
            assert_eq!(config.text("key"), Some("strong"));
        }
    }

    #[test]
    fn a_value_of_the_wrong_type_is_named_with_its_origin() {
        let mut config = Config::default();
        config.put("users".into(), "many".into(), Origin::Environment);
        let message = config.get::<u32>("users").unwrap_err().to_string();
        assert_eq!(
            message,
            "the config value users=many (from the environment) is not a u32: invalid digit found in string"
        );
    }

    #[test]
    fn secrets_are_masked_by_name_and_by_mark() {
        let mut config = Config::default();
        config
            .set("db_password", "hunter2")
            .set("pin", "4711")
            .mark_secret("pin");
        let debug = format!("{config:?}");
        assert!(
            !debug.contains("hunter2") && !debug.contains("4711"),
            "{debug}"
        );
        assert_eq!(
            config.mask("user=a&pw=hunter2&pin=4711"),
            "user=a&pw=***&pin=***"
        );
        config.set("api_token", "a&b c");
        assert_eq!(config.mask("a&b c and t=a%26b+c"), "*** and t=***");
    }

    #[test]
    fn the_password_in_a_url_is_nobodys_business() {
        let mut config = Config::default();
        config.set("base_url", "http://joe:hunter2@shop.test/");
        let debug = format!("{config:?}");
        assert!(debug.contains("http://joe:***@shop.test/"), "{debug}");
        let message = config.get::<u32>("base_url").unwrap_err().to_string();
        assert!(!message.contains("hunter2"), "{message}");
    }
    #[test]
    fn a_url_is_shown_without_its_key_and_a_value_without_anothers_secret() {
        let mut config = Config::default();
        config
            .set("base_url", "https://sk_live_x@shop.test/?api_key=K1&page=2")
            .set("pwd", "swordfish")
            .set("Authorization", "Basic am9l")
            .set("private-key", "PEM")
            .set("greeting", "say swordfish, friend");
        let shown: Vec<_> = config.iter_masked().map(|(_, value)| value).collect();
        let url = "https://***@shop.test/?api_key=***&page=2";
        assert_eq!(shown, ["***", url, "say ***, friend", "***", "***"]);
        let message = config.get::<u32>("greeting").unwrap_err().to_string();
        assert!(!message.contains("swordfish"), "{message}");
    }
}
