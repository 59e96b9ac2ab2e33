//! A runner that does nothing.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::Utc;
use windlass::runner::{Line, Lines, OutputError, Runner, StepSpec, StepState, StepTimes, Stream, Target, Unavailable};

/// Ends every step at once, with a given number of lines.
pub(crate) struct NoOp {
    pub(crate) lines: AtomicU64,
    pub(crate) line: String,
}

#[async_trait]
impl Runner for NoOp {
    fn target(&self) -> Target {
        Target::Docker
    }
    async fn place(&self) -> Result<String, Unavailable> {
        Ok("nowhere".into())
    }
    async fn start(&self, _step: &StepSpec) -> Result<(), Unavailable> {
        Ok(())
    }
    async fn poll(&self, _name: &str) -> Result<StepState, Unavailable> {
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
    async fn logs(&self, _name: &str, skip: u64, limit: usize) -> Result<Lines, Unavailable> {
        let all = self.lines.load(Ordering::Relaxed);
        let count = usize::try_from(all.saturating_sub(skip)).unwrap().min(limit);
        let line = Line { at: Utc::now(), stream: Stream::Stdout, text: self.line.clone(), open: false };
        Ok(Lines { lines: vec![line; count], end: skip + count as u64 >= all })
    }
    async fn remove(&self, _name: &str) -> Result<(), Unavailable> {
        Ok(())
    }
    async fn list(&self) -> Result<Vec<String>, Unavailable> {
        Ok(Vec::new())
    }
    async fn close(&self) {}
}
