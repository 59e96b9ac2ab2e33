//! Steps as plain processes of this machine, each in a scratch folder and a process group of its own.
//!
//! The image and the limits of a step are not used. A process does not outlive the server in this runner's eyes:
//! one that a killed server left behind is ended when its step is asked for, and is lost.

use std::collections::{HashMap, VecDeque};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::sync::Notify;

use super::{Kind, LINE_BYTES, Line, Lines, Progress, Runner, StepFile, StepSpec, Stream, Times, Unavailable};
use crate::clock::Clock;
use crate::wake::Wake;

/// Lines that are kept before the process has to wait for a reader.
const BUFFER_LINES: usize = 10_000;
/// How long a process that left the group may hold the output open after its parent's end.
const OUTPUT_GRACE: Duration = Duration::from_secs(2);
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Marks the environment of every process, so that one that was left behind is recognised.
const MARK: &str = "WINDLASS_STEP";

/// Runs steps as child processes.
pub struct ProcessRunner {
    folder: PathBuf,
    clock: Clock,
    wake: Wake,
    steps: Mutex<HashMap<String, Arc<Step>>>,
}

struct Step {
    state: Mutex<State>,
    consumed: Notify,
}

struct State {
    group: Option<Pid>,
    progress: Progress,
    times: Times,
    stopping: bool,
    /// The position of the first line in `lines`.
    first: u64,
    lines: VecDeque<Line>,
}

impl Step {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.lock().group {
            // The group may be gone already, which is what is wanted.
            let _gone = kill_process_group(group, signal);
        }
    }
}

impl ProcessRunner {
    /// Scratch folders are made below `folder`.
    #[must_use]
    pub fn new(folder: PathBuf, clock: Clock, wake: Wake) -> Self {
        Self { folder, clock, wake, steps: Mutex::default() }
    }

    fn steps(&self) -> MutexGuard<'_, HashMap<String, Arc<Step>>> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, name: &str) -> Option<Arc<Step>> {
        self.steps().get(name).cloned()
    }

    fn scratch(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn spawn(&self, step: &StepSpec) -> Result<Child, String> {
        let mut words = step.entrypoint.iter().chain(&step.arguments);
        let program = words
            .next()
            .ok_or("there is no entrypoint and no argument, and a process has no image to take one from")?;
        let scratch = self.scratch(&step.name);
        std::fs::create_dir_all(&scratch).map_err(|e| format!("cannot make {}: {e}", scratch.display()))?;
        let files =
            write_files(&scratch, &step.files).map_err(|e| format!("cannot write the files of the job: {e}"))?;
        let child = Command::new(program)
            .args(words)
            .current_dir(&scratch)
            .env_clear()
            .env("PATH", PATH)
            .env("HOME", &scratch)
            .env("TMPDIR", &scratch)
            .envs(step.environment.iter().map(|(name, value)| (name, value.expose())))
            .envs(files)
            .env(MARK, &step.name)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|e| format!("cannot start {program}: {e}"))?;
        if let Some(id) = child.id() {
            // Without this file a process that a killed server leaves behind would not be found; that is all.
            let _kept = std::fs::write(scratch.join(".pid"), id.to_string());
        }
        Ok(child)
    }

    /// Watches a child until it has ended and its output is read.
    fn watch(&self, step: &Arc<Step>, mut child: Child) {
        let outputs = [
            child.stdout.take().map(|out| (Stream::Stdout, Box::new(out) as Box<dyn AsyncRead + Send + Unpin>)),
            child.stderr.take().map(|out| (Stream::Stderr, Box::new(out) as Box<dyn AsyncRead + Send + Unpin>)),
        ];
        let readers: Vec<_> = outputs
            .into_iter()
            .flatten()
            .map(|(stream, output)| spawn(read(Arc::clone(step), self.clock.clone(), stream, output)))
            .collect();
        let (step, wake, clock) = (Arc::clone(step), self.wake.clone(), self.clock.clone());
        spawn(async move {
            let ended = child.wait().await;
            step.signal(Signal::KILL);
            let deadline = tokio::time::Instant::now() + OUTPUT_GRACE;
            for reader in readers {
                wait_for_reader(&step, reader, deadline).await;
            }
            {
                let mut state = step.lock();
                state.group = None;
                state.times.finished_at = Some(clock.now());
                state.progress = match ended {
                    Ok(status) => exited(status),
                    Err(error) => Progress::Exited { exit_code: 255, reason: Some(error.to_string()) },
                };
            }
            wake.now();
        });
    }
}

/// Puts files into the scratch folder, where no path of the machine is touched, and returns where each variable's is.
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

/// A reader that waits for its lines to be taken is given time; one that waits for output is not.
async fn wait_for_reader(step: &Step, mut reader: tokio::task::JoinHandle<()>, deadline: tokio::time::Instant) {
    loop {
        if tokio::time::timeout(Duration::from_millis(100), &mut reader).await.is_ok() {
            return;
        }
        let full = step.lock().lines.len() >= BUFFER_LINES;
        if !full && tokio::time::Instant::now() > deadline {
            reader.abort();
            return;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "these tasks end with the process that they watch")]
fn spawn<T: Send + 'static>(task: impl Future<Output = T> + Send + 'static) -> tokio::task::JoinHandle<T> {
    tokio::spawn(task)
}

fn exited(status: std::process::ExitStatus) -> Progress {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(exit_code), _) => Progress::Exited { exit_code, reason: None },
        (None, Some(signal)) => {
            Progress::Exited { exit_code: 128 + signal, reason: Some(format!("ended by signal {signal}")) }
        }
        (None, None) => Progress::Exited { exit_code: 255, reason: None },
    }
}

async fn read(step: Arc<Step>, clock: Clock, stream: Stream, mut output: Box<dyn AsyncRead + Send + Unpin>) {
    let mut rest: Vec<u8> = Vec::new();
    let mut buffer = vec![0; LINE_BYTES];
    loop {
        let count = output.read(&mut buffer).await.unwrap_or(0);
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
        rest.extend_from_slice(bytes);
        while let Some(end) = line_end(&rest) {
            let line: Vec<u8> = rest.drain(..end).collect();
            push(&step, &clock, stream, &line).await;
        }
    }
    if !rest.is_empty() {
        push(&step, &clock, stream, &rest).await;
    }
}

fn line_end(bytes: &[u8]) -> Option<usize> {
    match bytes.iter().take(LINE_BYTES).position(|byte| *byte == b'\n') {
        Some(place) => Some(place + 1),
        None => (bytes.len() >= LINE_BYTES).then_some(LINE_BYTES),
    }
}

async fn push(step: &Step, clock: &Clock, stream: Stream, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).trim_end_matches(['\n', '\r']).to_owned();
    loop {
        let room = step.consumed.notified();
        {
            let mut state = step.lock();
            if state.lines.len() < BUFFER_LINES {
                state.lines.push_back(Line { at: clock.now(), stream, text });
                return;
            }
        }
        room.await;
    }
}

#[async_trait]
impl Runner for ProcessRunner {
    fn kind(&self) -> Kind {
        Kind::Process
    }

    async fn start(&self, step: &StepSpec) -> Result<(), Unavailable> {
        if self.find(&step.name).is_some() {
            return Ok(());
        }
        let spawned = self.spawn(step);
        let (group, progress) = match &spawned {
            Ok(child) => (child.id().and_then(pid), Progress::Running),
            Err(reason) => (None, Progress::CannotStart { reason: reason.clone() }),
        };
        let times = Times { started_at: Some(self.clock.now()), finished_at: None };
        let state = State { group, progress, times, stopping: false, first: 0, lines: VecDeque::new() };
        let started = Arc::new(Step { state: Mutex::new(state), consumed: Notify::new() });
        self.steps().insert(step.name.clone(), Arc::clone(&started));
        if let Ok(child) = spawned {
            self.watch(&started, child);
        }
        Ok(())
    }

    async fn poll(&self, name: &str) -> Result<Progress, Unavailable> {
        match self.find(name) {
            Some(step) => Ok(step.lock().progress.clone()),
            None => {
                let scratch = self.scratch(name);
                end_left_behind(&scratch, name);
                // The folder is made before the process: a server that is gone may have started it.
                Ok(if scratch.exists() { Progress::Lost } else { Progress::Unknown })
            }
        }
    }

    async fn times(&self, name: &str) -> Result<Times, Unavailable> {
        Ok(self.find(name).map(|step| step.lock().times).unwrap_or_default())
    }

    async fn stop(&self, name: &str, grace: Duration) -> Result<(), Unavailable> {
        let Some(step) = self.find(name) else { return Ok(()) };
        if std::mem::replace(&mut step.lock().stopping, true) {
            return Ok(());
        }
        step.signal(Signal::TERM);
        spawn(async move {
            tokio::time::sleep(grace).await;
            step.signal(Signal::KILL);
        });
        Ok(())
    }

    async fn logs(&self, name: &str, skip: u64, limit: usize) -> Result<Lines, Unavailable> {
        let Some(step) = self.find(name) else { return Ok(Lines { lines: Vec::new(), end: true }) };
        let taken = {
            let mut state = step.lock();
            while state.first < skip && state.lines.pop_front().is_some() {
                state.first += 1;
            }
            let lines: Vec<Line> = state.lines.iter().take(limit).cloned().collect();
            let end =
                lines.len() == state.lines.len() && !matches!(state.progress, Progress::Running | Progress::Starting);
            Lines { lines, end }
        };
        step.consumed.notify_waiters();
        Ok(taken)
    }

    async fn remove(&self, name: &str) -> Result<(), Unavailable> {
        let removed = self.steps().remove(name);
        if let Some(step) = removed {
            step.signal(Signal::KILL);
        }
        let scratch = self.scratch(name);
        end_left_behind(&scratch, name);
        match tokio::fs::remove_dir_all(&scratch).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Unavailable(format!("cannot remove {}: {error}", scratch.display())))
            }
            _ => Ok(()),
        }
    }

    async fn list(&self) -> Result<Vec<String>, Unavailable> {
        let mut names: Vec<String> = self.steps().keys().cloned().collect();
        if let Ok(entries) = std::fs::read_dir(&self.folder) {
            names.extend(entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()));
        }
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    async fn close(&self) {
        let steps: Vec<_> = self.steps().values().cloned().collect();
        for step in steps {
            step.signal(Signal::KILL);
        }
    }
}

fn pid(id: u32) -> Option<Pid> {
    i32::try_from(id).ok().and_then(Pid::from_raw)
}

/// Ends the process group that a killed server left behind, if the process still is the one of this step.
fn end_left_behind(scratch: &Path, name: &str) {
    let Ok(text) = std::fs::read_to_string(scratch.join(".pid")) else { return };
    let Ok(id) = text.trim().parse::<u32>() else { return };
    let environment = std::fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
    let mark = format!("{MARK}={name}");
    let ours = environment.split(|byte| *byte == 0).any(|entry| entry == mark.as_bytes());
    if let Some(group) = pid(id).filter(|_| ours) {
        let _gone = kill_process_group(group, Signal::KILL);
    }
}
