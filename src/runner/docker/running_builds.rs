//! The builds that run on this server.
//!
//! Builds run inside the server: after a crash, the next server starts them again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::engine::Engine;
use super::engine_build::{BuildStep, ImageBuild, lock};
use crate::clock::Clock;
use crate::liveness::wake::Wake;
use crate::runner::image_build::Build;
use crate::runner::line::{Lines, Stream};
use crate::runner::memory::MemoryStep;
use crate::runner::step_state::{StepState, StepTimes};

/// Builds by the names of their steps.
pub(super) struct Builds {
    steps: Mutex<HashMap<String, Arc<BuildStep>>>,
    clock: Clock,
    wake: Wake,
}

impl Builds {
    pub(super) fn new(clock: Clock, wake: Wake) -> Self {
        Self { steps: Mutex::default(), clock, wake }
    }

    fn find(&self, name: &str) -> Option<Arc<BuildStep>> {
        lock(&self.steps).get(name).cloned()
    }

    pub(super) fn start(&self, engine: &Arc<Engine>, name: &str, build: &Build) {
        let mut steps = lock(&self.steps);
        if steps.contains_key(name) {
            return;
        }
        let memory = MemoryStep::new(name, StepState::Running, self.clock.now(), self.wake.clone());
        let step = Arc::new(BuildStep { memory, task: Mutex::default(), output: Mutex::default() });
        let job = ImageBuild {
            engine: Arc::clone(engine),
            step: Arc::clone(&step),
            clock: self.clock.clone(),
            build: build.clone(),
        };
        #[expect(clippy::disallowed_methods, reason = "kept in its step, which ends it")]
        let task = tokio::spawn(async move {
            let progress = match job.run().await {
                Ok(built) => {
                    *lock(&job.step.output) = Some(built.to_string().into_bytes());
                    StepState::Exited { exit_code: 0, reason: None }
                }
                Err(reason) => {
                    job.say(Stream::Stderr, &reason).await;
                    StepState::Exited { exit_code: 1, reason: Some(reason) }
                }
            };
            job.step.memory.end(progress, job.clock.now());
        });
        *lock(&step.task) = Some(task);
        steps.insert(name.to_owned(), step);
    }

    pub(super) fn progress(&self, name: &str) -> Option<StepState> {
        Some(self.find(name)?.memory.lock().progress.clone())
    }

    pub(super) fn times(&self, name: &str) -> Option<StepTimes> {
        Some(self.find(name)?.memory.lock().times)
    }

    pub(super) fn take(&self, name: &str, skip: u64, limit: usize) -> Option<Lines> {
        Some(self.find(name)?.memory.lines.take(skip, limit))
    }

    pub(super) fn lines_stored(&self, name: &str, lines: u64) {
        if let Some(step) = self.find(name) {
            step.memory.lines.drop_stored(lines);
        }
    }

    pub(super) fn output(&self, name: &str) -> Option<Option<Vec<u8>>> {
        Some(lock(&self.find(name)?.output).clone())
    }

    pub(super) fn stop(&self, name: &str) -> bool {
        let Some(step) = self.find(name) else { return false };
        if let Some(task) = lock(&step.task).take() {
            // The engine cancels a build when its client disconnects.
            task.abort();
        }
        let running = step.memory.lock().progress == StepState::Running;
        if running {
            let reason = Some("the build was stopped".to_owned());
            step.memory.end(StepState::Exited { exit_code: 143, reason }, self.clock.now());
        }
        true
    }

    pub(super) fn remove(&self, name: &str) -> bool {
        let there = self.stop(name);
        lock(&self.steps).remove(name);
        there
    }

    pub(super) fn close(&self) {
        let names: Vec<String> = lock(&self.steps).keys().cloned().collect();
        for name in names {
            self.stop(&name);
        }
    }
}
