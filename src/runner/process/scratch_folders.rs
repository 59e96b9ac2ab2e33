//! The scratch folders of steps.
//!
//! The folder of a step that has left nothing in it becomes that of a later step: file systems spend much more time on creating and
//! removing folders than on renaming them.

use std::io::Result;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use super::private_folder::{PRIVATE, private_folder};
use crate::clock::Clock;
use crate::runner::output_file::OUTPUT_FOLDER;
use crate::runner::terraform::layout::LEFT_FILE;

/// The folder of empty folders that can be used again, below the folder of all scratch folders.
const FREE: &str = ".free";

/// How many of them are kept.
const MOST: usize = 64;

/// The folder of what steps leave to later ones, below the folder of all scratch folders.
const KEPT: &str = ".kept";

/// How long that is kept: as long as an approval may take by default.
const KEPT_FOR: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How many steps may leave something at a time.
pub(super) const MOST_KEPT: usize = 64;

/// The folder of providers and modules in what a step leaves. They are large, and can be fetched again.
const FETCHED: &str = ".terraform";

/// How long these are kept. What takes longer, such as a late approval, can spare the time to fetch them again.
const FETCHED_FOR: Duration = Duration::from_secs(60 * 60);

/// How many steps may leave them at a time.
const MOST_FETCHED: usize = 16;

/// Creates and removes scratch folders.
#[derive(Clone)]
pub(super) struct ScratchFolders {
    folder: PathBuf,
    free: Arc<Mutex<Vec<PathBuf>>>,
    /// What steps use at the moment of what was left to them, once for each step.
    used: Arc<Mutex<Vec<PathBuf>>>,
    /// The name of the next free folder.
    next: Arc<AtomicU64>,
    clock: Clock,
}

impl ScratchFolders {
    pub(super) fn new(folder: PathBuf, clock: Clock) -> Self {
        // Those of a server that was killed.
        let _removed = std::fs::remove_dir_all(folder.join(FREE));
        let folders = Self { folder, free: Arc::default(), used: Arc::default(), next: Arc::default(), clock };
        folders.expire_kept(MOST_KEPT);
        folders
    }

    /// A folder that the steps of a user keep, and whether it is new. One of another user is replaced.
    pub(super) fn kept(&self, name: &str, user: u32) -> Result<(PathBuf, bool)> {
        let folder = self.folder.join(KEPT).join(name);
        if std::fs::symlink_metadata(&folder).is_ok_and(|found| found.is_dir() && found.uid() == user) {
            return Ok((folder, false));
        }
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => self.expire_kept(MOST_KEPT - 1),
        }
        private_folder(&folder)?;
        Ok((folder, true))
    }

    /// Removes what was left too long ago, and the oldest of what is more than `most`, unless a step uses it.
    pub(super) fn expire_kept(&self, most: usize) {
        let now = SystemTime::from(self.clock.now());
        let Ok(entries) = std::fs::read_dir(self.folder.join(KEPT)) else { return };
        let changed = |entry: std::fs::DirEntry| Some((entry.metadata().ok()?.modified().ok()?, entry.path()));
        let mut found: Vec<_> = entries.flatten().filter_map(changed).collect();
        found.sort_unstable_by(|one, other| other.cmp(one));
        for (number, (at, folder)) in found.into_iter().enumerate() {
            let is_past =
                |most: usize, time: Duration| number >= most || now.duration_since(at).is_ok_and(|age| age > time);
            // What cannot be removed is tried again.
            if self.used().contains(&folder) {
                continue;
            } else if is_past(most, KEPT_FOR) {
                let _removed = std::fs::remove_dir_all(folder);
            } else if is_past(MOST_FETCHED, FETCHED_FOR) && std::fs::remove_dir_all(folder.join(FETCHED)).is_ok() {
                // The rest is as old as before.
                let _set = std::fs::File::open(folder).and_then(|folder| folder.set_modified(at));
            }
        }
    }

    fn used(&self) -> MutexGuard<'_, Vec<PathBuf>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a step uses what was left to it.
    pub(super) fn hold(&self, kept: PathBuf) {
        self.used().push(kept);
    }

    /// Notes that a step does not use it any more. Nothing of it is left, unless the step left it to a later one.
    pub(super) fn release(&self, kept: &Path) -> Result<()> {
        let mut used = self.used();
        if let Some(place) = used.iter().position(|held| held == kept) {
            used.swap_remove(place);
        }
        if used.iter().any(|held| held == kept) || kept.join(LEFT_FILE).exists() {
            return Ok(());
        }
        drop(used);
        match std::fs::remove_dir_all(kept) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn free(&self) -> MutexGuard<'_, Vec<PathBuf>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The folder that all of them are in.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The scratch folder of a step.
    pub(super) fn of(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The folder for the outputs of a step.
    pub(super) fn outputs_of(&self, name: &str) -> PathBuf {
        outputs_in(&self.of(name))
    }

    /// Creates the scratch folder of a step, unless it is there, and the one for its outputs.
    pub(super) fn create(&self, name: &str) -> Result<()> {
        let scratch = self.of(name);
        let free = self.free().pop();
        if let Some(free) = free {
            if std::fs::rename(&free, &scratch).is_ok() {
                return Ok(());
            }
            // The folder is there, with the source of the step.
            self.free().push(free);
        }
        private_folder(&scratch)?;
        std::fs::create_dir_all(outputs_in(&scratch))
    }

    /// Keeps the scratch folder of a step of which no process is left for another step, if it is as it was created. Returns false if it
    /// is to be removed.
    pub(super) fn give_back(&self, name: &str) -> bool {
        let scratch = self.of(name);
        if self.free().len() < MOST && is_as_created(&scratch).unwrap_or(false) {
            let all = self.folder.join(FREE);
            let free = all.join(self.next.fetch_add(1, Ordering::Relaxed).to_string());
            if std::fs::rename(&scratch, &free).is_ok()
                || (private_folder(&all).is_ok() && std::fs::rename(&scratch, &free).is_ok())
            {
                self.free().push(free);
                return true;
            }
        }
        false
    }

    /// Removes the scratch folder of a step.
    pub(super) fn remove(&self, name: &str) -> Result<()> {
        match std::fs::remove_dir_all(self.of(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

fn outputs_in(scratch: &Path) -> PathBuf {
    scratch.join(OUTPUT_FOLDER.trim_start_matches('/'))
}

/// Whether a scratch folder is as this server created it, with nothing but an empty folder for outputs.
fn is_as_created(scratch: &Path) -> Result<bool> {
    let outputs = outputs_in(scratch);
    for (folder, expected) in [(scratch, Some(&outputs)), (&outputs, None)] {
        let found = std::fs::symlink_metadata(folder)?;
        let is_own = found.is_dir() && found.uid() == rustix::process::geteuid().as_raw();
        let mode = found.mode() & 0o7777;
        if !is_own || (folder == scratch && mode != PRIVATE) || mode & 0o700 != 0o700 || mode & 0o7022 != 0 {
            return Ok(false);
        }
        let mut entries = std::fs::read_dir(folder)?;
        if entries.next().transpose()?.map(|entry| entry.path()).as_ref() != expected || entries.next().is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::{Duration, SystemTime};

    use super::{FETCHED, FETCHED_FOR, FREE, KEPT, KEPT_FOR, MOST_KEPT, ScratchFolders};
    use crate::clock::Clock;
    use crate::runner::terraform::layout::LEFT_FILE;

    #[test]
    fn what_steps_leave_is_kept_for_a_while() {
        let folder = tempfile::tempdir().unwrap();
        let all = ScratchFolders::new(folder.path().to_owned(), Clock::system());
        let user = rustix::process::geteuid().as_raw();
        let (first, is_new) = all.kept("first", user).unwrap();
        assert!(is_new);
        assert_eq!(first.metadata().unwrap().permissions().mode() & 0o7777, 0o700);
        fs::write(first.join("file"), "left").unwrap();
        let all = ScratchFolders::new(folder.path().to_owned(), Clock::system());
        assert_eq!(all.kept("first", user).unwrap(), (first.clone(), false));
        assert!(first.join("file").exists(), "a server that starts keeps it");
        let fetched = first.join(FETCHED);
        fs::create_dir(&fetched).unwrap();
        let written = first.metadata().unwrap().modified().unwrap();
        let at = |time: SystemTime| {
            ScratchFolders::new(folder.path().to_owned(), Clock::from_fn(move || time.into())).expire_kept(MOST_KEPT)
        };
        at(written + FETCHED_FOR);
        assert!(fetched.exists());
        at(written + FETCHED_FOR + Duration::from_secs(1));
        assert!(!fetched.exists());
        at(written + KEPT_FOR);
        assert!(first.join("file").exists(), "it is as old as before");
        at(written + KEPT_FOR + Duration::from_secs(1));
        assert!(!first.exists());
        for number in 0..=MOST_KEPT {
            let (folder, _) = all.kept(&number.to_string(), user).unwrap();
            let at = written + Duration::from_secs(number as u64);
            fs::File::open(folder).unwrap().set_modified(at).unwrap();
        }
        let left = || fs::read_dir(folder.path().join(KEPT)).unwrap().count();
        assert_eq!((left(), first.with_file_name("0").exists()), (MOST_KEPT, false), "the oldest is removed");
        all.kept("1", user).unwrap();
        assert_eq!(left(), MOST_KEPT, "one that is there needs no room");
        fs::write(first.with_file_name("1").join("file"), "left").unwrap();
        let (others, is_new) = all.kept("1", user + 1).unwrap();
        assert!(is_new && !others.join("file").exists(), "nothing is left to another user");
    }

    #[test]
    fn what_a_step_uses_is_neither_removed_nor_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let written = folder.path().metadata().unwrap().modified().unwrap();
        let late = Clock::from_fn(move || (written + KEPT_FOR + Duration::from_secs(60)).into());
        let all = ScratchFolders::new(folder.path().to_owned(), late);
        let (kept, _) = all.kept("job", rustix::process::geteuid().as_raw()).unwrap();
        fs::write(kept.join(LEFT_FILE), "").unwrap();
        all.hold(kept.clone());
        all.hold(kept.clone());
        all.release(&kept).unwrap();
        all.expire_kept(0);
        assert!(kept.exists(), "another step uses it");
        all.release(&kept).unwrap();
        assert!(kept.exists(), "it is left to a later step");
        all.hold(kept.clone());
        fs::remove_file(kept.join(LEFT_FILE)).unwrap();
        all.release(&kept).unwrap();
        assert!(!kept.exists(), "the last step has used it");
        all.release(&kept).unwrap();
    }

    #[test]
    fn only_a_folder_that_is_as_created_is_used_again() {
        let folder = tempfile::tempdir().unwrap();
        let all = ScratchFolders::new(folder.path().to_owned(), Clock::system());
        let free = || fs::read_dir(folder.path().join(FREE)).map_or(0, Iterator::count);
        let changes: [fn(&std::path::Path); 6] = [
            |_| {},
            |scratch| fs::write(scratch.join("file"), "left").unwrap(),
            |scratch| fs::write(scratch.join("qovery-output/qovery-output.json"), "{}").unwrap(),
            |scratch| fs::remove_dir(scratch.join("qovery-output")).unwrap(),
            |scratch| fs::set_permissions(scratch, fs::Permissions::from_mode(0o755)).unwrap(),
            |scratch| {
                fs::remove_dir(scratch.join("qovery-output")).unwrap();
                std::os::unix::fs::symlink("/", scratch.join("qovery-output")).unwrap();
            },
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let name = format!("step-{number}");
            all.create(&name).unwrap();
            let scratch = all.of(&name);
            assert_eq!(scratch.metadata().unwrap().permissions().mode() & 0o7777, 0o700);
            assert!(all.outputs_of(&name).read_dir().unwrap().next().is_none());
            assert_eq!((free(), scratch.read_dir().unwrap().count()), (0, 1), "{name} has nothing of another step");
            change(&scratch);
            assert_eq!(all.give_back(&name), number == 0, "{name}");
            all.remove(&name).unwrap();
            assert!(!scratch.exists());
            assert!(!all.give_back(&name));
            assert_eq!(free(), usize::from(number == 0), "{name}");
        }
        all.create("killed").unwrap();
        all.remove("killed").unwrap();
        assert_eq!(free(), 0, "its processes may be about to end");
        all.create("last").unwrap();
        assert!(all.give_back("last"));
        let _restarted = ScratchFolders::new(folder.path().to_owned(), Clock::system());
        assert_eq!(free(), 0, "nothing is left to a server that does not know it");
    }
}
