//! A runner that does nothing.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use windlass::liveness::wake::Wake;
use windlass::runner::{Lines, OutputError, Runner, StepSpec, StepState, StepTimes, Target, Unavailable};

/// The program of a step that never ends. All others end at once.
pub(crate) const ENDLESS: &str = "endless";

pub(crate) struct NoOp {
    /// The steps that were started and not removed, and whether they never end.
    steps: Mutex<HashMap<String, bool>>,
    wake: Wake,
}

impl NoOp {
    pub(crate) fn new(wake: Wake) -> Self {
        Self { steps: Mutex::default(), wake }
    }

    fn steps(&self) -> std::sync::MutexGuard<'_, HashMap<String, bool>> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
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
        let endless = step.entrypoint.as_deref() == Some(ENDLESS);
        self.steps().insert(step.name.clone(), endless);
        if !endless {
            // As a process that ends does.
            self.wake.here();
        }
        Ok(())
    }
    async fn poll(&self, name: &str) -> Result<StepState, Unavailable> {
        Ok(match self.steps().get(name) {
            None => StepState::Unknown,
            Some(true) => StepState::Running,
            Some(false) => StepState::Exited { exit_code: 0, reason: None },
        })
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
        Ok(Lines { lines: Vec::new(), end: skip > 0 || self.steps().get(name) != Some(&true) })
    }
    async fn remove(&self, name: &str) -> Result<(), Unavailable> {
        self.steps().remove(name);
        Ok(())
    }
    async fn list(&self) -> Result<Vec<String>, Unavailable> {
        Ok(self.steps().keys().cloned().collect())
    }
    async fn close(&self) {}
}
