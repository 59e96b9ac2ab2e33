//! A runner that does nothing.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use windlass::liveness::wake::Wake;
use windlass::runner::{Lines, OutputError, Runner, StepSpec, StepState, StepTimes, Target, Unavailable};

/// The program of a step that never ends. All others end at once.
pub(crate) const ENDLESS: &str = "endless";

pub(crate) struct NoOp {
    endless: Mutex<HashSet<String>>,
    wake: Wake,
}

impl NoOp {
    pub(crate) fn new(wake: Wake) -> Self {
        Self { endless: Mutex::default(), wake }
    }

    fn endless(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.endless.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Runner for NoOp {
    fn target(&self) -> Target {
        Target::Process
    }
    async fn place(&self) -> Result<String, Unavailable> {
        Ok("nowhere".into())
    }
    async fn start(&self, step: &StepSpec) -> Result<(), Unavailable> {
        if step.entrypoint.as_deref() == Some(ENDLESS) {
            self.endless().insert(step.name.clone());
        } else {
            // As a process that ends does.
            self.wake.here();
        }
        Ok(())
    }
    async fn poll(&self, name: &str) -> Result<StepState, Unavailable> {
        if self.endless().contains(name) {
            return Ok(StepState::Running);
        }
        Ok(StepState::Exited { exit_code: 0, reason: None })
    }
    async fn times(&self, _name: &str) -> Result<StepTimes, Unavailable> {
        Ok(StepTimes::default())
    }
    async fn stop(&self, _name: &str, _grace: Duration) -> Result<(), Unavailable> {
        Ok(())
    }
    async fn output(&self, _name: &str, _file: &str, _most: u64) -> Result<Option<Vec<u8>>, OutputError> {
        Ok(None)
    }
    async fn logs(&self, name: &str, skip: u64, _limit: usize) -> Result<Lines, Unavailable> {
        Ok(Lines { lines: Vec::new(), end: skip > 0 || !self.endless().contains(name) })
    }
    async fn remove(&self, name: &str) -> Result<(), Unavailable> {
        self.endless().remove(name);
        Ok(())
    }
    async fn list(&self) -> Result<Vec<String>, Unavailable> {
        Ok(self.endless().iter().cloned().collect())
    }
    async fn close(&self) {}
}
