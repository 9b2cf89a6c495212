//! The limits of the container, or whatever else control group the process is in (cgroups(7)).

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use super::files::{number_after, text};

/// Where control groups are mounted.
const MOUNT: &str = "/sys/fs/cgroup";

/// The files of the control group that limit processor time and memory, as far as there are any.
#[derive(Debug, Default)]
pub(super) struct ControlGroup {
    cpu: Option<File>,
    memory: Option<Memory>,
}

#[derive(Debug)]
struct Memory {
    limit: u64,
    usage: File,
    stat: Option<File>,
    /// What the file calls pages that can be given up at once.
    reclaimable: &'static str,
}

/// How often the limit of processor time was reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Throttling {
    /// Periods in which there was something to do.
    pub(super) periods: u64,
    /// Of these, the ones in which everything was stopped for the rest.
    pub(super) throttled: u64,
}

impl ControlGroup {
    /// That of this process.
    pub(super) fn of_this_process() -> Self {
        let Ok(groups) = fs::read_to_string("/proc/self/cgroup") else {
            return Self::default();
        };
        Self::find(Path::new(MOUNT), &groups)
    }

    fn find(mount: &Path, groups: &str) -> Self {
        let unified = [mount.to_owned(), mount.join("unified")];
        let cpu = (unified.iter())
            .flat_map(|mount| directories(mount, groups, ""))
            .chain(directories(&mount.join("cpu"), groups, "cpu"))
            // The root has the file, but not what is asked for.
            .filter_map(|directory| File::open(directory.join("cpu.stat")).ok())
            .find(|file| throttling(file).is_some());
        let memory = (unified.iter())
            .flat_map(|mount| directories(mount, groups, ""))
            .find_map(|directory| Memory::open(&directory, "memory.max", "memory.current"))
            .or_else(|| {
                directories(&mount.join("memory"), groups, "memory").find_map(|directory| {
                    Memory::open(&directory, "memory.limit_in_bytes", "memory.usage_in_bytes")
                })
            });
        Self { cpu, memory }
    }

    /// How often the limit of processor time was reached so far.
    pub(super) fn throttling(&self) -> Option<Throttling> {
        throttling(self.cpu.as_ref()?)
    }

    /// The most memory it may have.
    pub(super) fn memory_limit(&self) -> Option<u64> {
        Some(self.memory.as_ref()?.limit)
    }

    /// The memory that is left until the limit, and what could be given up at once.
    pub(super) fn memory_left(&self) -> Option<u64> {
        let memory = self.memory.as_ref()?;
        let usage: u64 = text(&memory.usage)?.trim().parse().ok()?;
        let reclaimable = memory.stat.as_ref().and_then(|stat| {
            let stat = text(stat)?;
            number_after(&stat, memory.reclaimable)
        });
        let held = usage.saturating_sub(reclaimable.unwrap_or(0));
        Some(memory.limit.saturating_sub(held))
    }
}

impl Memory {
    /// Nothing where there is no limit: version 2 writes `max`, version 1 an absurd number.
    fn open(directory: &Path, limit: &str, usage: &str) -> Option<Self> {
        let limit: u64 = fs::read_to_string(directory.join(limit))
            .ok()?
            .trim()
            .parse()
            .ok()?;
        (limit < 1 << 60).then_some(())?;
        Some(Self {
            limit,
            usage: File::open(directory.join(usage)).ok()?,
            stat: File::open(directory.join("memory.stat")).ok(),
            reclaimable: if usage == "memory.current" {
                "inactive_file "
            } else {
                "total_inactive_file "
            },
        })
    }
}

/// Where the group of a controller may be: as the process sees its path, or at the mount itself when
/// that is all a container sees of it. Version 2 has one for all controllers, without a name.
fn directories(mount: &Path, groups: &str, controller: &str) -> impl Iterator<Item = PathBuf> {
    let path = groups.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let controllers = fields.next()?;
        let path = fields.next()?;
        let ours = controllers.split(',').any(|name| name == controller);
        ours.then(|| path.trim_start_matches('/'))
    });
    let inner = path.map(|path| mount.join(path));
    inner.into_iter().chain([mount.to_owned()])
}

fn throttling(file: &File) -> Option<Throttling> {
    let text = text(file)?;
    Some(Throttling {
        periods: number_after(&text, "nr_periods ")?,
        throttled: number_after(&text, "nr_throttled ")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(directory: &Path, files: &[(&str, &str)]) {
        fs::create_dir_all(directory).unwrap();
        for (name, text) in files {
            fs::write(directory.join(name), text).unwrap();
        }
    }

    const CPU: &str = "usage_usec 4200\nnr_periods 100\nnr_throttled 12\nthrottled_usec 900\n";

    #[test]
    fn version_two_has_one_directory_for_all() {
        let mount = tempfile::tempdir().unwrap();
        write(mount.path(), &[("cpu.stat", "usage_usec 1\n")]);
        write(
            &mount.path().join("user/app"),
            &[
                ("cpu.stat", CPU),
                ("memory.max", "1000000\n"),
                ("memory.current", "700000\n"),
                ("memory.stat", "anon 1\ninactive_file 200000\n"),
            ],
        );
        let group = ControlGroup::find(mount.path(), "0::/user/app\n");
        let throttling = group.throttling().unwrap();
        assert_eq!((throttling.periods, throttling.throttled), (100, 12));
        assert_eq!(group.memory_limit(), Some(1_000_000));
        assert_eq!(group.memory_left(), Some(500_000));
    }

    #[test]
    fn a_container_may_see_its_group_as_the_root() {
        let mount = tempfile::tempdir().unwrap();
        write(mount.path(), &[("cpu.stat", CPU), ("memory.max", "max\n")]);
        let group = ControlGroup::find(mount.path(), "0::/docker/17\n");
        assert_eq!(group.throttling().unwrap().throttled, 12);
        assert_eq!(group.memory_limit(), None, "there is none");
    }

    #[test]
    fn version_one_has_a_directory_for_each_controller() {
        let mount = tempfile::tempdir().unwrap();
        write(&mount.path().join("cpu/app"), &[("cpu.stat", CPU)]);
        write(
            &mount.path().join("memory"),
            &[
                ("memory.limit_in_bytes", "9223372036854771712\n"),
                ("memory.usage_in_bytes", "1\n"),
            ],
        );
        write(
            &mount.path().join("memory/app"),
            &[
                ("memory.limit_in_bytes", "1000000\n"),
                ("memory.usage_in_bytes", "900000\n"),
                (
                    "memory.stat",
                    "inactive_file 5\ntotal_inactive_file 100000\n",
                ),
            ],
        );
        let groups = "4:memory:/app\n2:cpuacct,cpu:/app\n0::/\n";
        let group = ControlGroup::find(mount.path(), groups);
        assert_eq!(group.throttling().unwrap().periods, 100);
        assert_eq!(group.memory_left(), Some(200_000));
        let elsewhere = ControlGroup::find(mount.path(), "4:memory:/\n");
        assert_eq!(elsewhere.memory_limit(), None);
    }

    #[test]
    fn without_control_groups_nothing_is_known() {
        let mount = tempfile::tempdir().unwrap();
        let group = ControlGroup::find(&mount.path().join("none"), "");
        assert_eq!(group.throttling(), None);
        assert_eq!(group.memory_left(), None);
    }
}
