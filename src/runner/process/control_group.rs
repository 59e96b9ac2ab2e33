//! A control group of a step (cgroup v2), with which the kernel kills all of its processes at once.
//!
//! It is used where this process may create one beside itself.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A control group.
pub(super) struct ControlGroup {
    folder: PathBuf,
    /// The group that this process is in.
    home: &'static Path,
}

impl ControlGroup {
    /// Creates a group with a name.
    pub(super) fn create(name: &str) -> Option<Self> {
        let home = home()?;
        let folder = home.join(name);
        std::fs::create_dir(&folder).ok()?;
        let group = Self { folder, home };
        // Older kernels cannot kill a group.
        if group.folder.join("cgroup.kill").exists() {
            Some(group)
        } else {
            group.remove();
            None
        }
    }

    /// The group with a name that another process left behind.
    pub(super) fn find(name: &str) -> Option<Self> {
        let home = home()?;
        let folder = home.join(name);
        folder.is_dir().then_some(Self { folder, home })
    }

    /// Does something as a member of the group, so that a process that it starts is one, too. Nothing if this process cannot leave
    /// the group again: it must not kill itself.
    pub(super) fn inside<T>(self, work: impl FnOnce() -> T) -> (T, Option<Self>) {
        let entered = join(&self.folder);
        let done = work();
        if entered && join(self.home) { (done, Some(self)) } else { (done, None) }
    }

    pub(super) fn kill(&self) {
        // Without it, the processes are killed one by one.
        let _killed = std::fs::write(self.folder.join("cgroup.kill"), "1");
    }

    /// Removes the group, once it is empty.
    pub(super) fn remove(&self) {
        let _removed = std::fs::remove_dir(&self.folder);
    }
}

/// Moves this process into a group.
fn join(folder: &Path) -> bool {
    std::fs::write(folder.join("cgroup.procs"), "0").is_ok()
}

/// The folder of the group that this process is in, where it returns from the groups of steps.
fn home() -> Option<&'static Path> {
    static HOME: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = HOME.get_or_init(|| {
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
        let groups = std::fs::read_to_string("/proc/self/cgroup").ok()?;
        home_in(&mounts, &groups)
    });
    found.as_deref()
}

fn home_in(mounts: &str, groups: &str) -> Option<PathBuf> {
    let mount = mounts.lines().find_map(|line| {
        let (fields, kind) = line.split_once(" - ")?;
        let (root, point) = (fields.split(' ').nth(3)?, fields.split(' ').nth(4)?);
        (kind.starts_with("cgroup2 ") && root == "/").then_some(point)
    })?;
    let own = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    Some(Path::new(mount).join(own.trim_start_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::home_in;

    #[test]
    fn the_own_group_is_found() {
        let mounts = "24 1 0:21 / /proc rw - proc proc rw\n\
                      33 24 0:28 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
        let groups = "12:pids:/x\n0::/system.slice/windlass.service\n";
        let found = home_in(mounts, groups).unwrap();
        assert_eq!(found.to_str().unwrap(), "/sys/fs/cgroup/system.slice/windlass.service");
        assert_eq!(home_in("24 1 0:21 / /proc rw - proc proc rw\n", groups), None);
        // A container that shows only a part of the hierarchy.
        assert_eq!(home_in("33 24 0:28 /a /sys/fs/cgroup ro - cgroup2 cgroup rw\n", groups), None);
    }
}
