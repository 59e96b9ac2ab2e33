//! Starts the processes of steps and watches them.

use std::ffi::OsString;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustix::process::{Signal, geteuid, kill_process};
use tokio::net::unix::pipe::Receiver;

use super::descendants::{kill_below, pid};
use super::orphan::{MARK, kill_left};
use super::output_reader::{read, spawn, wait_for_reader};
use super::private_folder::private_folder;
use super::process_step::ProcessStep;
use super::process_user::Account;
use super::report::{Report, Reports};
use super::scratch_folders::ScratchFolders;
use super::step_order::Order;
use super::supervisors::{Supervisor, Supervisors};
use crate::clock::Clock;
use crate::liveness::wake::Wake;
use crate::runner::output_file::{OUTPUT_FILE, OUTPUT_FOLDER, OUTPUT_VARIABLE};
use crate::runner::source_archive::fill;
use crate::runner::step_spec::{ProcessOptions, SourceTree, StepFile, StepSpec};
use crate::runner::step_state::StepState;
use crate::runner::terraform::layout::{KEPT_VARIABLE, LEFT_FILE, SOURCE_VARIABLE};

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The folder of the source below the scratch folder.
const SOURCE: &str = "source";

/// The folder of sources that are being fetched, below the folder of all scratch folders.
pub(super) const SOURCES: &str = ".sources";

/// Starts and watches processes.
#[derive(Clone)]
pub(super) struct Launcher {
    pub(super) scratch: ScratchFolders,
    pub(super) supervisors: Supervisors,
    /// The user of steps that name none.
    pub(super) user: Option<String>,
    pub(super) clock: Clock,
    pub(super) wake: Wake,
}

impl Launcher {
    /// Starts the process of a step.
    pub(super) fn begin(&self, started: &Arc<ProcessStep>, step: &StepSpec) {
        match self.spawn(started, step) {
            Ok(supervised) => self.watch(started, step, supervised),
            Err(reason) => started.memory.end(StepState::CannotStart { reason }, self.clock.now()),
        }
    }

    /// Checks out the source of a step and starts it. The scratch folder is created only then, because its
    /// existence means that the step was started. A source that an earlier step has left to it is used as it is.
    pub(super) async fn fetch(&self, started: &Arc<ProcessStep>, step: &StepSpec, source: &SourceTree) {
        let folder = self.scratch.folder().join(SOURCES).join(&step.name);
        let kept = self.kept(started, step);
        let is_left = kept.as_ref().is_ok_and(|kept| kept.as_deref().is_some_and(is_left_in));
        let fetched = match kept {
            Ok(_) if is_left => Ok(()),
            Ok(_) => fetch(&folder, source).await,
            Err(reason) => Err(reason),
        };
        let stopped = started.memory.lock().stopping;
        let moved = match fetched {
            _ if stopped => {
                Err(StepState::Exited { exit_code: 130, reason: Some("the step was stopped before it started".into()) })
            }
            // This server may start nothing more; another one, or this one with new leases, starts the step.
            _ if !step.may_start() => Err(StepState::Unknown),
            Err(reason) => Err(StepState::CannotStart { reason }),
            Ok(()) if is_left => Ok(()),
            Ok(()) => self.place(started, step, &folder).map_err(|reason| StepState::CannotStart { reason }),
        };
        match moved {
            Ok(()) => self.begin(started, step),
            Err(progress) => {
                let _removed = tokio::fs::remove_dir_all(&folder).await;
                started.memory.end(progress, self.clock.now());
            }
        }
    }

    /// Moves a source that was fetched to where the step finds it.
    fn place(&self, started: &ProcessStep, step: &StepSpec, folder: &Path) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("the source files could not be moved into place: {error}");
        let Some(kept) = started.kept.get() else {
            let scratch = self.scratch.of(&step.name);
            return private_folder(&scratch)
                .and_then(|()| std::fs::rename(folder, scratch.join(SOURCE)))
                .map_err(failed);
        };
        if let Some(account) = self.account(step)? {
            account.take(folder).map_err(|reason| format!("process.user: {reason}"))?;
        }
        let to = kept.join(SOURCE);
        match std::fs::remove_dir_all(&to) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed(error)),
            _ => std::fs::rename(folder, to).map_err(failed),
        }
    }

    fn account(&self, step: &StepSpec) -> Result<Option<Account>, String> {
        Account::choose(self.user.as_deref(), step.process.user.as_deref())
    }

    fn spawn(&self, started: &ProcessStep, step: &StepSpec) -> Result<Supervised, String> {
        if step.build.is_some() {
            return Err("building an image needs a Docker engine; this cluster runs plain processes".into());
        }
        let (scratch, outputs) = (self.scratch.of(&step.name), self.scratch.outputs_of(&step.name));
        let here = |word: &String| match word.as_str() {
            OUTPUT_FOLDER => outputs.display().to_string(),
            other => other.replace(&format!("{OUTPUT_FOLDER}/"), &format!("{}/", outputs.display())),
        };
        let words: Vec<String> = step.entrypoint.iter().chain(&step.arguments).map(here).collect();
        if words.is_empty() {
            return Err(
                "the job has no entrypoint and no arguments, and a plain process has no image to take them from".into(),
            );
        }
        self.scratch.create(&step.name).map_err(|e| format!("cannot create {}: {e}", outputs.display()))?;
        let files =
            write_files(&scratch, &step.files).map_err(|e| format!("cannot write the files of the job: {e}"))?;
        let ProcessOptions { home, path, working_folder, user: _, kept: _ } = &step.process;
        let folder = working_folder.as_ref().map_or_else(|| scratch.clone(), PathBuf::from);
        if working_folder.is_some() && !folder.is_dir() {
            return Err(format!("process.working_folder: {} is not a folder of this machine", folder.display()));
        }
        let account = self.account(step)?;
        if let Some(account) = account {
            account.take(&scratch).map_err(|reason| format!("process.user: {reason}"))?;
        }
        let kept = self.kept(started, step)?;
        let text = |text: &str| OsString::from(text);
        let mut environment = vec![
            (text("PATH"), text(path.as_deref().unwrap_or(PATH))),
            (text("HOME"), home.as_ref().map_or_else(|| scratch.clone().into(), OsString::from)),
            (text("TMPDIR"), scratch.clone().into()),
        ];
        environment.extend(step.environment.iter().map(|(name, value)| (text(name), text(value.expose()))));
        environment.extend(files.into_iter().map(|(name, path)| (OsString::from(name), path.into())));
        environment.push((text(OUTPUT_VARIABLE), outputs.join(OUTPUT_FILE).into()));
        environment.push((text(MARK), text(&step.name)));
        let source = kept.as_ref().unwrap_or(&scratch).join(SOURCE);
        environment.push((text(SOURCE_VARIABLE), source.into()));
        environment.extend(kept.map(|folder| (text(KEPT_VARIABLE), folder.into())));
        let order = Order {
            name: step.name.clone(),
            account: account.map(|account| (account.user, account.group)),
            folder,
            environment,
            command: words.into_iter().map(OsString::from).collect(),
        };
        self.send(&order)
    }

    /// The folder that a step shares with others of its job, if it does.
    fn kept(&self, started: &ProcessStep, step: &StepSpec) -> Result<Option<PathBuf>, String> {
        let Some(name) = &step.process.kept else { return Ok(None) };
        if let Some(kept) = started.kept.get() {
            return Ok(Some(kept.clone()));
        }
        let account = self.account(step)?;
        let user = account.map_or_else(|| geteuid().as_raw(), |account| account.user);
        let failed = |error: std::io::Error| format!("cannot create the folder that steps keep: {error}");
        let (folder, is_new) = self.scratch.kept(name, user).map_err(failed)?;
        // What a step has put there may be a link to a file of somebody else.
        if let Some(account) = account.filter(|_| is_new) {
            account.take(&folder).map_err(|reason| format!("process.user: {reason}"))?;
        }
        if started.kept.set(folder.clone()).is_ok() {
            self.scratch.hold(folder.clone());
        }
        Ok(Some(folder))
    }

    fn send(&self, order: &Order) -> Result<Supervised, String> {
        let pipes = || {
            let ((stdout, out), (stderr, err)) = (std::io::pipe()?, std::io::pipe()?);
            let output = [Receiver::from_owned_fd(stdout.into())?, Receiver::from_owned_fd(stderr.into())?];
            Ok((output, [out.into(), err.into()]))
        };
        let (output, files) = pipes().map_err(|e: std::io::Error| format!("cannot create a pipe: {e}"))?;
        let supervisor = self.supervisors.start(&order.encode()?, files)?;
        Ok(Supervised { supervisor, output })
    }

    /// Watches a process until it and everything it has started have ended and its output was read.
    fn watch(&self, step: &Arc<ProcessStep>, spec: &StepSpec, supervised: Supervised) {
        let Supervised { supervisor, output: [stdout, stderr] } = supervised;
        let Supervisor { control, mut reports, mut id } = supervisor;
        *step.control() = Some(control);
        let reader = spawn(read(Arc::clone(step), self.clock.clone(), Some(Box::new(stdout)), Some(Box::new(stderr))));
        let (step, wake, clock, name) = (Arc::clone(step), self.wake.clone(), self.clock.clone(), spec.name.clone());
        let (program, supervisors) = (described(spec), self.supervisors.clone());
        spawn(async move {
            let (mut ended, mut free) = (None, false);
            while !free && let Some(report) = next_report(&step, &mut reports, id).await {
                match report {
                    Report::Supervised(own) => id = Some(own),
                    Report::Started => {
                        let mut state = step.memory.lock();
                        state.progress = StepState::Running;
                        state.times.started_at = Some(clock.now());
                        // Most steps that are short end before the next look, and cost no visit in between.
                        wake.lines(&name);
                    }
                    Report::Failed(reason) => {
                        let reason = format!("cannot start {program}: {reason}");
                        ended = Some(StepState::CannotStart { reason });
                    }
                    Report::Ended(state) => ended = Some(state),
                    Report::Free => free = true,
                }
            }
            step.gone.store(free, Ordering::SeqCst);
            let control = step.control().take();
            if let Some(control) = control.filter(|_| free) {
                supervisors.give_back(Supervisor { control, reports, id });
            }
            // Without a report of the end, the supervisor itself was killed.
            let ended = match (ended, id) {
                (Some(ended), _) => ended,
                (None, None) => StepState::CannotStart { reason: "the process that starts steps was killed".into() },
                (None, Some(_)) => {
                    let _killed = tokio::task::spawn_blocking(move || kill_left(&name)).await;
                    StepState::Exited { exit_code: 137, reason: Some("its supervisor was killed".into()) }
                }
            };
            wait_for_reader(&step.memory.lines, reader).await;
            step.memory.end(ended, clock.now());
        });
    }
}

/// A step that was started, and its output.
struct Supervised {
    supervisor: Supervisor,
    output: [Receiver; 2],
}

/// How long a supervisor has to kill its step, before it is killed with it.
const KILL_GRACE: Duration = Duration::from_secs(15);

/// The next report; none once the supervisor has ended. One that does not kill its step when it should is killed with it.
async fn next_report(step: &ProcessStep, reports: &mut Reports, supervisor: Option<u32>) -> Option<Report> {
    let next = reports.next();
    let mut next = std::pin::pin!(next);
    let stuck = async {
        step.killed.notified().await;
        // For the reports that follow.
        step.killed.notify_one();
        tokio::time::sleep(KILL_GRACE).await;
    };
    tokio::select! {
        report = &mut next => return report,
        () = stuck => {}
    }
    if let Some(root) = supervisor.and_then(pid) {
        let killed = tokio::task::spawn_blocking(move || {
            kill_below(root);
            kill_process(root, Signal::KILL)
        });
        let _killed = killed.await;
    }
    next.await
}

/// The program of a step, and the user that starts it.
fn described(spec: &StepSpec) -> String {
    let program = spec.entrypoint.iter().chain(&spec.arguments).next().cloned().unwrap_or_default();
    spec.process.user.iter().fold(program, |program, user| format!("{program} as {user}"))
}

/// Whether an earlier step has left its source here for the next one.
fn is_left_in(kept: &Path) -> bool {
    let is_folder = |path: PathBuf| std::fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
    kept.join(LEFT_FILE).exists() && is_folder(kept.join(SOURCE))
}

/// Checks out the source of a step into a new folder.
async fn fetch(folder: &Path, source: &SourceTree) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot create {}: {error}", folder.display());
    private_folder(folder).map_err(failed)?;
    fill(folder, source).await
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
