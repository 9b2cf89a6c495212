//! A load test as a process of its own.

use std::{
    fmt,
    process::{Command, Stdio},
};

/// Every variable that says something about proxies.
const PROXIES: [&str; 8] = [
    "http_proxy",
    "HTTP_PROXY",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
];

/// What came of it.
pub(crate) struct Visit {
    pub(crate) code: Option<i32>,
    /// What stood on the screen.
    pub(crate) output: String,
}

/// Looks at a front page once, with further arguments and variables.
pub(crate) fn visits(arguments: &[&str], variables: &[(&str, &str)]) -> Visit {
    let mut command = Command::new(env!("CARGO_BIN_EXE_visits"));
    command
        .args(["journey", "run", "look"])
        .args(arguments)
        .stdin(Stdio::null());
    for name in PROXIES {
        command.env_remove(name);
    }
    let output = command.envs(variables.iter().copied()).output().unwrap();
    let texts = [output.stdout, output.stderr];
    Visit {
        code: output.status.code(),
        output: texts.map(|text| String::from_utf8(text).unwrap()).concat(),
    }
}

impl fmt::Display for Visit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "exit {:?}\n{}", self.code, self.output)
    }
}
