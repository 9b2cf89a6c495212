//! What the process takes from its machine.

use std::time::Duration;

use nix::sys::{
    resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit},
    time::TimeValLike,
};

/// The most memory the process ever held, in bytes.
pub(super) fn peak_rss_bytes() -> u64 {
    // On Linux the figure of getrusage(2) outlives exec(2) and may be that of the program that
    // started this one, so it is only the second choice.
    high_water_mark().unwrap_or_else(peak_rss_of_usage)
}

/// `VmHWM` of `/proc/self/status` (proc(5)), which is in KiB.
fn high_water_mark() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

fn peak_rss_of_usage() -> u64 {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) else {
        return 0;
    };
    let peak = u64::try_from(usage.max_rss()).unwrap_or(0);
    // Linux and the BSDs count in KiB, Darwin in bytes.
    if cfg!(target_vendor = "apple") {
        peak
    } else {
        peak * 1024
    }
}

/// Lets the process open as many connections as the system allows it at all.
pub(super) fn raise_descriptor_limit() {
    let raised = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(soft, hard)| match soft < hard {
        true => setrlimit(Resource::RLIMIT_NOFILE, hard, hard),
        false => Ok(()),
    });
    if let Err(error) = raised {
        tracing::warn!("the limit of open files stays as it is: {error}");
    }
}

/// The name of the machine; what it is called here where it has none.
#[cfg(feature = "nats")]
pub(super) fn host_name() -> String {
    let name = nix::unistd::gethostname().ok();
    let name = name.and_then(|name| name.into_string().ok());
    name.unwrap_or_else(|| "a machine without a name".to_owned())
}

/// The processor time of the process so far.
pub(super) fn cpu_time() -> Duration {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) else {
        return Duration::ZERO;
    };
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}
