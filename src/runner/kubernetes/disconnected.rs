//! The runner of a cluster without a connection.

use std::time::Duration;

use async_trait::async_trait;
use entity::id::ClusterId;

use crate::runner::interface::{OutputError, Runner, Target, Unavailable};
use crate::runner::line::Lines;
use crate::runner::step_spec::StepSpec;
use crate::runner::step_state::{StepState, StepTimes};

/// Fails every call with the reason why there is no connection.
pub(super) struct Disconnected {
    pub(super) id: ClusterId,
    pub(super) reason: String,
}

impl Disconnected {
    fn fail<T>(&self) -> Result<T, Unavailable> {
        Err(Unavailable(self.reason.clone()))
    }
}

#[async_trait]
impl Runner for Disconnected {
    fn target(&self) -> Target {
        Target::Kubernetes(self.id)
    }

    async fn place(&self) -> Result<String, Unavailable> {
        self.fail()
    }

    async fn start(&self, _step: &StepSpec) -> Result<(), Unavailable> {
        self.fail()
    }

    async fn poll(&self, _name: &str) -> Result<StepState, Unavailable> {
        self.fail()
    }

    async fn times(&self, _name: &str) -> Result<StepTimes, Unavailable> {
        self.fail()
    }

    async fn stop(&self, _name: &str, _grace: Duration) -> Result<(), Unavailable> {
        self.fail()
    }

    async fn logs(&self, _name: &str, _skip: u64, _limit: usize) -> Result<Lines, Unavailable> {
        self.fail()
    }

    async fn output(&self, _name: &str, _file: &str, _most: u64) -> Result<Option<Vec<u8>>, OutputError> {
        Ok(self.fail()?)
    }

    async fn remove(&self, _name: &str) -> Result<(), Unavailable> {
        self.fail()
    }

    async fn list(&self) -> Result<Vec<String>, Unavailable> {
        self.fail()
    }

    async fn close(&self) {}
}
