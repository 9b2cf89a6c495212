//! The load test that is deployed, which says what it takes.

use tests::running::{Running, program};

const QUICKSTART: &str = env!("CARGO_BIN_EXE_quickstart");

/// Where nobody listens.
const NOWHERE: &str = "nats://127.0.0.1:1";

/// What a command says of itself.
#[track_caller]
pub(crate) fn help(command: &str) -> String {
    let help = Running::start(&mut program(QUICKSTART, &[command, "--help"])).end();
    assert_eq!(help.code, Some(0), "{help}");
    help.stdout
}

/// A command line with its environment, as it is deployed.
#[derive(Debug, Default)]
pub(crate) struct Deployed {
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
}

impl Deployed {
    /// The value of an option.
    #[track_caller]
    pub(crate) fn value(&self, option: &str) -> &str {
        let at = self.arguments.iter().position(|one| one == option);
        let at = at.unwrap_or_else(|| panic!("no {option}: {self:?}"));
        &self.arguments[at + 1]
    }

    /// Starts it with no NATS to be found, and makes sure that this is all that is wrong.
    #[track_caller]
    pub(crate) fn assert_accepted(&self) {
        let directory = tempfile::tempdir().unwrap();
        let reports = format!("{}/", directory.path().display());
        let here = |argument: &String| match argument.strip_prefix("0.0.0.0:") {
            Some(_) => "127.0.0.1:0".to_owned(),
            None => argument.replace("/reports/", &reports),
        };
        let arguments: Vec<_> = self.arguments.iter().map(here).collect();
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let mut command = program(QUICKSTART, &arguments);
        command.envs(self.environment.iter().cloned());
        command.env("MITE_NATS_URL", NOWHERE);
        let ended = Running::start(&mut command).end();
        assert_eq!(ended.code, Some(2), "{arguments:?}: {ended}");
        let expected = format!("error: cannot connect to NATS at {NOWHERE}");
        assert!(ended.stderr.contains(&expected), "{arguments:?}: {ended}");
    }

    /// Makes sure that the program looks at each variable it is given.
    #[track_caller]
    pub(crate) fn assert_environment_is_known(&self) {
        let help = help(&self.arguments[0]);
        assert!(
            self.environment
                .iter()
                .any(|(name, _)| name == "MITE_NATS_URL"),
            "{self:?} is not told where NATS is"
        );
        for (name, _) in &self.environment {
            let is_known = help.contains(&format!("[env: {name}"))
                // Settings of journeys have names of their own.
                || name.starts_with("MITE_CONF_");
            assert!(is_known, "{name} says nothing to {:?}", self.arguments);
        }
    }
}
