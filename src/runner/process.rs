//! Steps as plain processes of this machine, each in a scratch folder and a process group of its own.
//!
//! The image and the limits of a step are not used. The folder for outputs is in the scratch folder: where a command
//! names the official one, its place is put in. A process does not outlive the server in this runner's eyes:
//! one that a killed server left behind is ended when its step is asked for, and is lost.

use std::collections::HashMap;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};

use super::memory::MemoryStep;
use super::terraform::script::{COMMIT_FILE, SOURCE_VARIABLE};
use super::{
    Kind, LINE_BYTES, Lines, OUTPUT_FILE, OUTPUT_FOLDER, OUTPUT_VARIABLE, Runner, Source, StepFile, StepSpec,
    StepState, Stream, Times, Unavailable,
};
use crate::clock::Clock;
use crate::git;
use crate::liveness::wake::Wake;

/// How long a process that left the group may hold the output open after its parent's end.
const OUTPUT_GRACE: Duration = Duration::from_secs(2);
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Where the files that a step works on are in its folder.
const SOURCE: &str = "source";
/// Marks the environment of every process, so that one that was left behind is recognised.
const MARK: &str = "WINDLASS_STEP";

/// Runs steps as child processes.
pub struct ProcessRunner {
    work: Work,
    steps: Mutex<HashMap<String, Arc<Step>>>,
}

/// What starts and watches the processes.
#[derive(Clone)]
struct Work {
    folder: PathBuf,
    clock: Clock,
    wake: Wake,
}

struct Step {
    memory: MemoryStep,
    group: Mutex<Option<Pid>>,
    /// The first process alone is asked to end.
    interrupt: bool,
}

impl Step {
    fn group(&self) -> MutexGuard<'_, Option<Pid>> {
        self.group.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = *self.group() {
            // The group may be gone already, which is what is wanted.
            let _gone = kill_process_group(group, signal);
        }
    }

    /// Asks it to end.
    fn ask(&self) {
        match *self.group() {
            Some(first) if self.interrupt => {
                let _gone = kill_process(first, Signal::INT);
            }
            Some(group) => {
                let _gone = kill_process_group(group, Signal::TERM);
            }
            None => {}
        }
    }
}

impl ProcessRunner {
    /// Scratch folders are made below `folder`.
    #[must_use]
    pub fn new(folder: PathBuf, clock: Clock, wake: Wake) -> Self {
        // What is told to a process holds wherever that goes.
        let folder = std::path::absolute(&folder).unwrap_or(folder);
        Self { work: Work { folder, clock, wake }, steps: Mutex::default() }
    }

    fn steps(&self) -> MutexGuard<'_, HashMap<String, Arc<Step>>> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, name: &str) -> Option<Arc<Step>> {
        self.steps().get(name).cloned()
    }

    fn scratch(&self, name: &str) -> PathBuf {
        self.work.scratch(name)
    }
}

impl Work {
    fn scratch(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Starts the process of a step.
    fn begin(&self, started: &Arc<Step>, step: &StepSpec) {
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

    /// Brings the files of a step, and starts it. Nothing of it is in its own folder before it starts: that is how one
    /// that was started is known.
    async fn fetch(&self, started: &Arc<Step>, step: &StepSpec, source: &Source) {
        let folder = self.folder.join(".sources").join(&step.name);
        let fetched = fetch(&folder, source).await;
        let stopped = started.memory.lock().stopping || !step.may_start();
        let moved = match fetched {
            _ if stopped => Err(None),
            Err(reason) => Err(Some(reason)),
            Ok(()) => {
                let target = self.scratch(&step.name).join(SOURCE);
                let moved =
                    std::fs::create_dir_all(self.scratch(&step.name)).and_then(|()| std::fs::rename(&folder, target));
                moved.map_err(|error| Some(format!("the files could not be put into place: {error}")))
            }
        };
        match moved {
            Ok(()) => self.begin(started, step),
            Err(reason) => {
                let _removed = tokio::fs::remove_dir_all(&folder).await;
                let progress = match reason {
                    Some(reason) => StepState::CannotStart { reason },
                    None => StepState::Exited { exit_code: 130, reason: Some("it was stopped before it began".into()) },
                };
                started.memory.end(progress, self.clock.now());
            }
        }
        self.wake.here();
    }

    fn spawn(&self, step: &StepSpec) -> Result<Child, String> {
        if step.build.is_some() {
            return Err(
                "an image can only be built where there is a Docker engine; this cluster runs plain processes".into()
            );
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
            .ok_or("there is no entrypoint and no argument, and a process has no image to take one from")?;
        std::fs::create_dir_all(&outputs).map_err(|e| format!("cannot make {}: {e}", outputs.display()))?;
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
            .env(OUTPUT_VARIABLE, outputs.join(OUTPUT_FILE))
            .env(MARK, &step.name)
            .env(SOURCE_VARIABLE, scratch.join(SOURCE))
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

/// Brings what a step works on into a new folder.
async fn fetch(folder: &Path, source: &Source) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot make {}: {error}", folder.display());
    tokio::fs::create_dir_all(folder).await.map_err(failed)?;
    let Source::Repository(wanted) = source else { return Ok(()) };
    let commit = git::checkout_into(folder, wanted).await?;
    tokio::fs::write(folder.join(COMMIT_FILE), commit.id).await.map_err(failed)
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
        if !step.memory.is_full() && tokio::time::Instant::now() > deadline {
            reader.abort();
            return;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "these tasks end with the process that they watch")]
fn spawn<T: Send + 'static>(task: impl Future<Output = T> + Send + 'static) -> tokio::task::JoinHandle<T> {
    tokio::spawn(task)
}

fn exited(status: std::process::ExitStatus) -> StepState {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(exit_code), _) => StepState::Exited { exit_code, reason: None },
        (None, Some(signal)) => {
            StepState::Exited { exit_code: 128 + signal, reason: Some(format!("ended by signal {signal}")) }
        }
        (None, None) => StepState::Exited { exit_code: 255, reason: None },
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
    step.memory.push(clock.now(), stream, text).await;
}

#[async_trait]
impl Runner for ProcessRunner {
    fn kind(&self) -> Kind {
        Kind::Process
    }

    /// The folder stands for the machine and the server: another server's processes are not found here.
    async fn place(&self) -> Result<String, Unavailable> {
        let mark = self.work.folder.join(".place");
        if let Ok(known) = std::fs::read_to_string(&mark) {
            return Ok(known);
        }
        let place = format!("process {}", uuid::Uuid::new_v4());
        let written = std::fs::create_dir_all(&self.work.folder).and_then(|()| std::fs::write(&mark, &place));
        written.map_err(|error| Unavailable(format!("cannot write {}: {error}", mark.display())))?;
        Ok(place)
    }

    async fn start(&self, step: &StepSpec) -> Result<(), Unavailable> {
        if self.find(&step.name).is_some() {
            return Ok(());
        }
        if !step.may_start() {
            return Err(Unavailable(
                "this server was away; whether the step is still to be started is looked at again".into(),
            ));
        }
        let memory = MemoryStep::new(StepState::Starting { reason: None }, self.work.clock.now());
        let started = Arc::new(Step { memory, group: Mutex::default(), interrupt: step.interrupt });
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
                // The folder is made before the process: a server that is gone may have started it.
                Ok(if scratch.exists() { StepState::Lost } else { StepState::Unknown })
            }
        }
    }

    async fn times(&self, name: &str) -> Result<Times, Unavailable> {
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
            step.signal(Signal::KILL);
        });
        Ok(())
    }

    async fn logs(&self, name: &str, skip: u64, limit: usize) -> Result<Lines, Unavailable> {
        let Some(step) = self.find(name) else { return Ok(Lines { lines: Vec::new(), end: true }) };
        Ok(step.memory.take(skip, limit))
    }

    async fn output(&self, name: &str, file: &str, most: u64) -> Result<Option<Vec<u8>>, Unavailable> {
        let path = self.scratch(name).join(OUTPUT_FOLDER.trim_start_matches('/')).join(file);
        match tokio::fs::File::open(&path).await {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Unavailable(format!("cannot read {}: {error}", path.display()))),
            Ok(file) => {
                let mut content = Vec::new();
                let read = file.take(most + 1).read_to_end(&mut content).await;
                read.map_err(|error| Unavailable(format!("cannot read {}: {error}", path.display())))?;
                Ok(Some(content))
            }
        }
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
        if let Ok(entries) = std::fs::read_dir(&self.work.folder) {
            names.extend(entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()));
            names.retain(|name| !name.starts_with('.'));
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
