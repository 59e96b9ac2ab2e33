//! The runner for plain processes.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::launcher::{Launcher, SOURCES};
use super::orphan::end_left_behind;
use super::output_reader::spawn;
use super::own_file::read_own_file;
use super::process_step::ProcessStep;
use super::scratch_folders::{MOST_KEPT, ScratchFolders};
use super::supervisors::Supervisors;
use crate::clock::Clock;
use crate::liveness::wake::Wake;
use crate::runner::interface::{OutputError, Runner, Target, Unavailable};
use crate::runner::line::Lines;
use crate::runner::memory::MemoryStep;
use crate::runner::step_spec::StepSpec;
use crate::runner::step_state::{StepState, StepTimes};

/// Runs steps as child processes.
pub struct ProcessRunner {
    work: Launcher,
    place: OnceLock<String>,
    steps: Mutex<HashMap<String, Arc<ProcessStep>>>,
}

impl ProcessRunner {
    /// Creates scratch folders below `folder`. `supervisor` is this program, unless its own one is another.
    #[must_use]
    pub fn new(folder: PathBuf, supervisor: Option<PathBuf>, clock: Clock, wake: Wake) -> Self {
        // Paths that are passed to a process must be valid in any working directory.
        let folder = std::path::absolute(&folder).unwrap_or(folder);
        // Sources of steps that a killed server had not started.
        let _removed = std::fs::remove_dir_all(folder.join(SOURCES));
        let supervisors = Supervisors::new(supervisor.unwrap_or_else(own_program));
        let scratch = ScratchFolders::new(folder, clock.clone());
        let work = Launcher { scratch, supervisors, user: None, clock, wake };
        Self { work, place: OnceLock::new(), steps: Mutex::default() }
    }

    /// Starts processes as this user, unless a step names another one.
    #[must_use]
    pub fn as_user(mut self, user: Option<String>) -> Self {
        self.work.user = user;
        self
    }

    fn steps(&self) -> MutexGuard<'_, HashMap<String, Arc<ProcessStep>>> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, name: &str) -> Option<Arc<ProcessStep>> {
        self.steps().get(name).cloned()
    }

    fn scratch(&self, name: &str) -> PathBuf {
        self.work.scratch.of(name)
    }

    /// The mark in the folder, which is written by the first server.
    fn read_place(&self) -> Result<String, Unavailable> {
        let folder = self.work.scratch.folder();
        let mark = folder.join(".place");
        if let Ok(known) = std::fs::read_to_string(&mark) {
            return Ok(known);
        }
        let place = format!("process {}", uuid::Uuid::new_v4());
        let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&mark, &place));
        written.map_err(|error| Unavailable(format!("cannot write {}: {error}", mark.display())))?;
        Ok(place)
    }
}

#[async_trait]
impl Runner for ProcessRunner {
    fn target(&self) -> Target {
        Target::Process
    }

    /// Identifies the folder, and so the machine and the server: a server cannot see the processes of other servers.
    async fn place(&self) -> Result<String, Unavailable> {
        if let Some(place) = self.place.get() {
            return Ok(place.clone());
        }
        let place = self.read_place()?;
        Ok(self.place.get_or_init(|| place).clone())
    }

    async fn start(&self, step: &StepSpec) -> Result<(), Unavailable> {
        // A step that was not started after its source had been fetched may be started again.
        let known = self.find(&step.name).is_some_and(|known| known.memory.lock().progress != StepState::Unknown);
        if known {
            return Ok(());
        }
        if !step.may_start() {
            return Err(Unavailable("this server has lost its leases and will check again before the start".into()));
        }
        let starting = StepState::Starting { reason: None };
        let memory = MemoryStep::new(&step.name, starting, self.work.clock.now(), self.work.wake.clone());
        let started = Arc::new(ProcessStep::new(memory, step.interrupt));
        self.steps().insert(step.name.clone(), Arc::clone(&started));
        match &step.source {
            None => self.work.begin(&started, step),
            Some(source) => {
                let (work, step, source) = (self.work.clone(), step.clone(), source.clone());
                spawn(async move { work.fetch(&started, &step, &source).await });
            }
        }
        Ok(())
    }

    async fn poll(&self, name: &str) -> Result<StepState, Unavailable> {
        match self.find(name) {
            Some(step) => Ok(step.memory.lock().progress.clone()),
            None => {
                let scratch = self.scratch(name);
                end_left_behind(&scratch, name);
                // The folder is created before the process, so a killed server may have started the step.
                Ok(if scratch.exists() { StepState::Lost } else { StepState::Unknown })
            }
        }
    }

    async fn times(&self, name: &str) -> Result<StepTimes, Unavailable> {
        Ok(self.find(name).map(|step| step.memory.lock().times).unwrap_or_default())
    }

    async fn stop(&self, name: &str, grace: Duration) -> Result<(), Unavailable> {
        let Some(step) = self.find(name) else { return Ok(()) };
        if std::mem::replace(&mut step.memory.lock().stopping, true) {
            return Ok(());
        }
        step.ask();
        spawn(async move {
            tokio::time::sleep(grace).await;
            step.kill();
        });
        Ok(())
    }

    async fn logs(&self, name: &str, skip: u64, limit: usize) -> Result<Lines, Unavailable> {
        let Some(step) = self.find(name) else { return Ok(Lines { lines: Vec::new(), end: true }) };
        Ok(step.memory.lines.take(skip, limit))
    }

    fn lines_stored(&self, name: &str, lines: u64) {
        if let Some(step) = self.find(name) {
            step.memory.lines.drop_stored(lines);
        }
    }

    async fn output(&self, name: &str, file: &str, most: u64) -> Result<Option<Vec<u8>>, OutputError> {
        let path = self.work.scratch.outputs_of(name).join(file);
        read_own_file(&self.scratch(name), &path, most + 1).await
    }

    async fn remove(&self, name: &str) -> Result<(), Unavailable> {
        let removed = self.steps().remove(name);
        let scratch = self.scratch(name);
        let is_gone = removed.as_ref().is_some_and(|step| step.gone.load(Ordering::SeqCst));
        let kept = removed.as_ref().and_then(|step| step.kept.get().cloned());
        match removed {
            Some(step) => {
                // If its source is still being fetched, its process is not started.
                step.memory.lock().stopping = true;
                step.kill();
            }
            None => end_left_behind(&scratch, name),
        }
        // The folder of most steps is as it was created, which costs less than to ask another thread.
        let is_back = is_gone && self.work.scratch.give_back(name);
        if is_back && kept.is_none() {
            return Ok(());
        }
        let (folders, name) = (self.work.scratch.clone(), name.to_owned());
        let removed = tokio::task::spawn_blocking(move || {
            let released = kept.map_or(Ok(()), |kept| folders.release(&kept));
            if !is_back {
                folders.remove(&name)?;
            }
            released
        });
        removed
            .await
            .unwrap_or_else(|error| Err(std::io::Error::other(error)))
            .map_err(|error| Unavailable(format!("cannot remove {}: {error}", scratch.display())))
    }

    async fn list(&self) -> Result<Vec<String>, Unavailable> {
        let folders = self.work.scratch.clone();
        // It is called regularly, and large folders take their time.
        let _expired = tokio::task::spawn_blocking(move || folders.expire_kept(MOST_KEPT)).await;
        let mut names: Vec<String> = self.steps().keys().cloned().collect();
        if let Ok(entries) = std::fs::read_dir(self.work.scratch.folder()) {
            names.extend(entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()));
            names.retain(|name| !name.starts_with('.'));
        }
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    fn tied_to_server(&self) -> Vec<String> {
        let unstarted =
            |step: &ProcessStep| matches!(step.memory.lock().progress, StepState::Unknown | StepState::Starting { .. });
        let unstarted = |step: &ProcessStep| !step.is_supervised() && unstarted(step);
        self.steps().iter().filter(|(_, step)| !unstarted(step)).map(|(name, _)| name.clone()).collect()
    }

    async fn close(&self) {
        let steps: Vec<_> = self.steps().values().cloned().collect();
        for step in steps {
            step.kill();
        }
    }
}

/// This program, even if its file has been replaced since it was started.
fn own_program() -> PathBuf {
    let link = PathBuf::from("/proc/self/exe");
    if link.exists() { link } else { std::env::current_exe().unwrap_or(link) }
}
