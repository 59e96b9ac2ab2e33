//! An in-memory container engine that all servers of a simulation share, and the faults of each server's connection to it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio::sync::Notify;
use windlass::runner::{Line, Lines, OutputError, Runner, StepSpec, StepState, StepTimes, Stream, Target, Unavailable};

/// The payload of a crash, which unwinds without printing a panic.
pub(super) struct Crash;

/// When a server crashes or stalls, counted in its calls to the database and to the engine.
#[derive(Default)]
pub(super) struct Faults {
    /// Crashes at this call; never if below 1.
    pub(super) crash_in: AtomicI64,
    crashed: AtomicBool,
    /// Stalls at this call to the engine; never if below 1.
    pub(super) stall_in: AtomicI64,
    pub(super) stalled: AtomicI64,
    pub(super) go_on: Notify,
}

impl Faults {
    /// Counts a call; whatever a server that has crashed calls unwinds.
    pub(super) fn hit(&self) {
        if self.crash_in.load(Ordering::SeqCst) > 0 && self.crash_in.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.crash();
        }
        if self.has_crashed() {
            std::panic::resume_unwind(Box::new(Crash));
        }
    }

    pub(super) fn crash(&self) {
        self.crashed.store(true, Ordering::SeqCst);
    }

    pub(super) fn has_crashed(&self) -> bool {
        self.crashed.load(Ordering::SeqCst)
    }

    async fn stall(&self) {
        if self.stall_in.load(Ordering::SeqCst) > 0 && self.stall_in.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.stalled.store(1, Ordering::SeqCst);
            self.go_on.notified().await;
            self.stalled.store(0, Ordering::SeqCst);
        }
    }
}

struct Step {
    job: String,
    progress: StepState,
    lines: Vec<Line>,
    is_build: bool,
}

/// The engine, with what tests check about it.
#[derive(Default)]
pub(super) struct Engine {
    steps: Mutex<BTreeMap<String, Step>>,
    /// The name of every step that was started.
    pub(super) started: Mutex<Vec<String>>,
    /// The lines of each step.
    pub(super) written: Mutex<BTreeMap<String, Vec<String>>>,
    /// Jobs and workspaces that had two running steps at once.
    pub(super) overlapped: Mutex<Vec<String>>,
    pub(super) down: Mutex<bool>,
    /// Whether no step can be started.
    pub(super) broken: Mutex<bool>,
    /// The steps that were asked to stop while they were running.
    pub(super) stopped: Mutex<Vec<String>>,
    /// The jobs whose steps are never started.
    pub(super) refused: Mutex<Vec<String>>,
}

impl Engine {
    pub(super) fn running(&self) -> Vec<String> {
        let steps = self.steps.lock().unwrap();
        steps.iter().filter(|(_, step)| step.progress == StepState::Running).map(|(name, _)| name.clone()).collect()
    }

    pub(super) fn write(&self, name: &str, text: &str, at: DateTime<Utc>) {
        if let Some(step) = self.steps.lock().unwrap().get_mut(name) {
            step.lines.push(Line { at, stream: Stream::Stdout, text: text.to_owned(), open: false });
            self.written.lock().unwrap().entry(name.to_owned()).or_default().push(text.to_owned());
        }
    }

    pub(super) fn exit(&self, name: &str, exit_code: i32) {
        if let Some(step) = self.steps.lock().unwrap().get_mut(name) {
            step.progress = StepState::Exited { exit_code, reason: None };
        }
    }
}

/// The connection of one server to the engine.
pub(super) struct Connection {
    pub(super) engine: Arc<Engine>,
    pub(super) faults: Arc<Faults>,
}

impl Connection {
    async fn call<T>(&self, act: impl FnOnce(&mut BTreeMap<String, Step>) -> T) -> Result<T, Unavailable> {
        self.faults.hit();
        self.faults.stall().await;
        if *self.engine.down.lock().unwrap() {
            return Err(Unavailable("the engine is down".into()));
        }
        let done = act(&mut self.engine.steps.lock().unwrap());
        // The call took effect, but the server did not learn about it.
        self.faults.hit();
        Ok(done)
    }
}

#[async_trait]
impl Runner for Connection {
    fn target(&self) -> Target {
        Target::Docker
    }

    async fn place(&self) -> Result<String, Unavailable> {
        Ok("simulated".into())
    }

    async fn start(&self, step: &StepSpec) -> Result<(), Unavailable> {
        // The job or workspace, which runs one step at a time.
        let named = |key: &str| key == "windlass.job" || key == "windlass.workspace";
        let job = step.labels.iter().find(|(key, _)| named(key)).unwrap().1.clone();
        if self.engine.refused.lock().unwrap().contains(&job) {
            self.faults.hit();
            return Err(Unavailable("the engine refuses this step".into()));
        }
        let engine = Arc::clone(&self.engine);
        self.call(move |steps| {
            if steps.contains_key(&step.name) || !step.may_start() {
                return;
            }
            let beside = |other: &Step| other.job == job && !other.is_build && other.progress == StepState::Running;
            if step.build.is_none() && steps.values().any(beside) {
                engine.overlapped.lock().unwrap().push(job.clone());
            }
            // A build that was lost with its server is started again.
            if step.build.is_none() {
                engine.started.lock().unwrap().push(step.name.clone());
            }
            let progress = match *engine.broken.lock().unwrap() {
                true => StepState::CannotStart { reason: "the registry does not answer".into() },
                false => StepState::Running,
            };
            let is_build = step.build.is_some();
            steps.insert(step.name.clone(), Step { job, progress, lines: Vec::new(), is_build });
        })
        .await
    }

    async fn poll(&self, name: &str) -> Result<StepState, Unavailable> {
        self.call(|steps| steps.get(name).map_or(StepState::Unknown, |step| step.progress.clone())).await
    }

    async fn times(&self, _name: &str) -> Result<StepTimes, Unavailable> {
        self.call(|_| StepTimes::default()).await
    }

    async fn stop(&self, name: &str, _grace: Duration) -> Result<(), Unavailable> {
        self.call(|steps| {
            if let Some(step) = steps.get_mut(name).filter(|step| step.progress == StepState::Running) {
                let mut stopped = self.engine.stopped.lock().unwrap();
                stopped.push(name.to_owned());
                // Some programs handle the signal and exit with 0.
                let exit_code = if stopped.len().is_multiple_of(2) { 0 } else { 143 };
                step.progress = StepState::Exited { exit_code, reason: None };
            }
        })
        .await
    }

    /// Every step leaves a plan, which is read only if it should have made one.
    async fn output(&self, name: &str, file: &str, _most: u64) -> Result<Option<Vec<u8>>, OutputError> {
        let plans = file == windlass::runner::terraform::layout::PLAN_FILE;
        Ok(self.call(|steps| (plans && steps.contains_key(name)).then(|| b"plan".to_vec())).await?)
    }

    async fn logs(&self, name: &str, skip: u64, limit: usize) -> Result<Lines, Unavailable> {
        self.call(|steps| {
            let Some(step) = steps.get(name) else { return Lines { lines: Vec::new(), end: true } };
            let skip = usize::try_from(skip).unwrap();
            let lines: Vec<Line> = step.lines.iter().skip(skip).take(limit).cloned().collect();
            let end = step.progress != StepState::Running && skip + lines.len() >= step.lines.len();
            Lines { lines, end }
        })
        .await
    }

    async fn remove(&self, name: &str) -> Result<(), Unavailable> {
        self.call(|steps| drop(steps.remove(name))).await
    }

    async fn list(&self) -> Result<Vec<String>, Unavailable> {
        self.call(|steps| steps.keys().cloned().collect()).await
    }

    async fn close(&self) {}
}
