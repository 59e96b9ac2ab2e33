//! Starts the processes of steps and watches them.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use rustix::process::Signal;
use tokio::io::AsyncRead;
use tokio::process::{Child, Command};

use super::orphan::{MARK, pid};
use super::output_reader::{OUTPUT_GRACE, read, spawn, wait_for_reader};
use super::private_folder::private_folder;
use super::process_step::ProcessStep;
use super::process_user::Account;
use crate::clock::Clock;
use crate::git;
use crate::liveness::wake::Wake;
use crate::runner::output_file::{OUTPUT_FILE, OUTPUT_FOLDER, OUTPUT_VARIABLE};
use crate::runner::step_spec::{ProcessOptions, SourceTree, StepFile, StepSpec};
use crate::runner::step_state::StepState;
use crate::runner::terraform::layout::{COMMIT_FILE, SOURCE_VARIABLE};

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The folder of the source below the scratch folder.
const SOURCE: &str = "source";

/// The folder of sources that are being fetched, below the folder of all scratch folders.
pub(super) const SOURCES: &str = ".sources";

/// Starts and watches processes.
#[derive(Clone)]
pub(super) struct Launcher {
    pub(super) folder: PathBuf,
    pub(super) clock: Clock,
    pub(super) wake: Wake,
}

impl Launcher {
    pub(super) fn scratch(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Starts the process of a step.
    pub(super) fn begin(&self, started: &Arc<ProcessStep>, step: &StepSpec) {
        match self.spawn(step) {
            Ok(child) => {
                *started.group() = child.id().and_then(pid);
                {
                    let mut state = started.memory.lock();
                    state.progress = StepState::Running;
                    state.times.started_at = Some(self.clock.now());
                }
                self.watch(started, child);
            }
            Err(reason) => started.memory.end(StepState::CannotStart { reason }, self.clock.now()),
        }
    }

    /// Checks out the source of a step and starts it. The scratch folder is created only then, because its
    /// existence means that the step was started.
    pub(super) async fn fetch(&self, started: &Arc<ProcessStep>, step: &StepSpec, source: &SourceTree) {
        let folder = self.folder.join(SOURCES).join(&step.name);
        let fetched = fetch(&folder, source).await;
        let stopped = started.memory.lock().stopping;
        let moved = match fetched {
            _ if stopped => {
                Err(StepState::Exited { exit_code: 130, reason: Some("the step was stopped before it started".into()) })
            }
            // This server may start nothing more; another one, or this one with new leases, starts the step.
            _ if !step.may_start() => Err(StepState::Unknown),
            Err(reason) => Err(StepState::CannotStart { reason }),
            Ok(()) => {
                let target = self.scratch(&step.name).join(SOURCE);
                let moved = private_folder(&self.scratch(&step.name)).and_then(|()| std::fs::rename(&folder, target));
                moved.map_err(|error| StepState::CannotStart {
                    reason: format!("the source files could not be moved into place: {error}"),
                })
            }
        };
        match moved {
            Ok(()) => self.begin(started, step),
            Err(progress) => {
                let _removed = tokio::fs::remove_dir_all(&folder).await;
                started.memory.end(progress, self.clock.now());
            }
        }
        self.wake.here();
    }

    fn spawn(&self, step: &StepSpec) -> Result<Child, String> {
        if step.build.is_some() {
            return Err("building an image needs a Docker engine; this cluster runs plain processes".into());
        }
        let scratch = self.scratch(&step.name);
        let outputs = scratch.join(OUTPUT_FOLDER.trim_start_matches('/'));
        let here = |word: &String| match word.as_str() {
            OUTPUT_FOLDER => outputs.display().to_string(),
            other => other.replace(&format!("{OUTPUT_FOLDER}/"), &format!("{}/", outputs.display())),
        };
        let words: Vec<String> = step.entrypoint.iter().chain(&step.arguments).map(here).collect();
        let mut words = words.iter();
        let program = words
            .next()
            .ok_or("the job has no entrypoint and no arguments, and a plain process has no image to take them from")?;
        private_folder(&scratch)
            .and_then(|()| std::fs::create_dir_all(&outputs))
            .map_err(|e| format!("cannot create {}: {e}", outputs.display()))?;
        let files =
            write_files(&scratch, &step.files).map_err(|e| format!("cannot write the files of the job: {e}"))?;
        let ProcessOptions { home, path, working_folder, user } = &step.process;
        let folder = working_folder.as_ref().map_or_else(|| scratch.clone(), PathBuf::from);
        if !folder.is_dir() {
            return Err(format!("process.working_folder: {} is not a folder of this machine", folder.display()));
        }
        let mut command = Command::new(program);
        if let Some(name) = user {
            let account = Account::find(name).map_err(|reason| format!("process.user: {reason}"))?;
            account.take(&scratch).map_err(|reason| format!("process.user: {reason}"))?;
            command.uid(account.user).gid(account.group);
        }
        let child = command
            .args(words)
            .current_dir(&folder)
            .env_clear()
            .env("PATH", path.as_deref().unwrap_or(PATH))
            .env("HOME", home.as_ref().map_or_else(|| scratch.clone(), PathBuf::from))
            .env("TMPDIR", &scratch)
            .envs(step.environment.iter().map(|(name, value)| (name, value.expose())))
            .envs(files)
            .env(OUTPUT_VARIABLE, outputs.join(OUTPUT_FILE))
            .env(MARK, &step.name)
            .env(SOURCE_VARIABLE, scratch.join(SOURCE))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|e| {
                format!(
                    "cannot start {program}{}: {e}",
                    user.iter().map(|name| format!(" as {name}")).collect::<String>()
                )
            })?;
        if let Some(id) = child.id() {
            // Only needed to find orphans; the step runs without it too.
            let _kept = std::fs::write(scratch.join(".pid"), id.to_string());
        }
        Ok(child)
    }

    /// Watches a process until it has ended and its output was read.
    fn watch(&self, step: &Arc<ProcessStep>, mut child: Child) {
        let stdout = child.stdout.take().map(|out| Box::new(out) as Box<dyn AsyncRead + Send + Unpin>);
        let stderr = child.stderr.take().map(|out| Box::new(out) as Box<dyn AsyncRead + Send + Unpin>);
        let reader = spawn(read(Arc::clone(step), self.clock.clone(), stdout, stderr));
        let (step, wake, clock) = (Arc::clone(step), self.wake.clone(), self.clock.clone());
        spawn(async move {
            let ended = child.wait().await;
            step.signal(Signal::KILL);
            let deadline = tokio::time::Instant::now() + OUTPUT_GRACE;
            wait_for_reader(&step, reader, deadline).await;
            *step.group() = None;
            let progress = match ended {
                Ok(status) => exited(status),
                Err(error) => StepState::Exited { exit_code: 255, reason: Some(error.to_string()) },
            };
            step.memory.end(progress, clock.now());
            wake.here();
        });
    }
}

/// Checks out the source of a step into a new folder.
async fn fetch(folder: &Path, source: &SourceTree) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot create {}: {error}", folder.display());
    private_folder(folder).map_err(failed)?;
    let SourceTree::Repository(wanted) = source else { return Ok(()) };
    let commit = git::checkout_into(folder, wanted).await?;
    git::write_inside(folder, COMMIT_FILE, &commit.id).map_err(failed)
}

/// Writes files below the scratch folder, so that no other path on the machine is touched. Returns the path for each
/// variable.
fn write_files(scratch: &Path, files: &[StepFile]) -> std::io::Result<Vec<(String, PathBuf)>> {
    let mut places = Vec::new();
    for (number, file) in files.iter().enumerate() {
        let name = Path::new(&file.path).file_name().unwrap_or_default();
        let folder = scratch.join(".files").join(number.to_string());
        std::fs::create_dir_all(&folder)?;
        let path = folder.join(name);
        std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o400)
            .open(&path)?
            .write_all(file.content.expose().as_bytes())?;
        places.extend(file.variables.iter().map(|variable| (variable.clone(), path.clone())));
    }
    Ok(places)
}

fn exited(status: std::process::ExitStatus) -> StepState {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(exit_code), _) => StepState::Exited { exit_code, reason: None },
        (None, Some(signal)) => {
            StepState::Exited { exit_code: 128 + signal, reason: Some(format!("killed by signal {signal}")) }
        }
        (None, None) => StepState::Exited { exit_code: 255, reason: None },
    }
}
