//! Finds and kills everything that a process has started, also what has left its process group and its session.

use std::collections::HashMap;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, wait};

/// A process id.
pub(super) fn pid(id: u32) -> Option<Pid> {
    i32::try_from(id).ok().and_then(Pid::from_raw)
}

/// The parent of each process, as far as this machine tells.
fn parents() -> HashMap<Pid, Pid> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let id = entry.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            // The name of the program, in parentheses, may contain anything.
            let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
            Some((pid(id)?, pid(parent)?))
        })
        .collect()
}

/// The processes below a process.
fn below(root: Pid, parents: &HashMap<Pid, Pid>) -> Vec<Pid> {
    let mut children: HashMap<Pid, Vec<Pid>> = HashMap::new();
    for (child, parent) in parents {
        children.entry(*parent).or_default().push(*child);
    }
    let (mut found, mut next) = (Vec::new(), vec![root]);
    while let Some(parent) = next.pop() {
        // Removed, so that no circle is walked twice: the processes were not read at the same moment.
        let own = children.remove(&parent).unwrap_or_default();
        found.extend(&own);
        next.extend(own);
    }
    found.retain(|found| *found != root);
    found
}

/// Kills everything that is below a process at this moment. While new processes are started, this has to be repeated.
pub(super) fn kill_below(root: Pid) {
    for one in below(root, &parents()) {
        // It may have ended already.
        let _gone = kill_process(one, Signal::KILL);
    }
}

/// Reaps the children of this process that have ended, and tells whether others are left.
pub(super) fn reap() -> bool {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

/// Kills every process whose environment has an entry, except this one.
pub(super) fn kill_marked(entry: &str) {
    let own = std::process::id();
    for _ in 0..10 {
        let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let marked: Vec<Pid> = entries
            .filter_map(|found| {
                let id: u32 = found.file_name().to_str()?.parse().ok()?;
                let environment = std::fs::read(found.path().join("environ")).ok()?;
                let is_marked = environment.split(|byte| *byte == 0).any(|other| other == entry.as_bytes());
                if id != own && is_marked { pid(id) } else { None }
            })
            .collect();
        if marked.is_empty() {
            return;
        }
        for one in marked {
            let _gone = kill_process(one, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{below, parents, pid};

    #[test]
    fn the_processes_of_this_one_are_found() {
        let tree = [(2, 1), (3, 2), (4, 3), (5, 1), (6, 6), (7, 8), (8, 7)];
        let tree = tree.map(|(child, parent)| (pid(child).unwrap(), pid(parent).unwrap())).into_iter().collect();
        let found = |root: u32| {
            let mut found: Vec<i32> =
                below(pid(root).unwrap(), &tree).iter().map(|one| one.as_raw_nonzero().get()).collect();
            found.sort_unstable();
            found
        };
        assert_eq!((found(2), found(1), found(6), found(7)), (vec![3, 4], vec![2, 3, 4, 5], vec![], vec![8]));
        let own = pid(std::process::id()).unwrap();
        assert!(parents().contains_key(&own));
    }
}
