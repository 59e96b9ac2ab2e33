//! The runner for containers.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bollard::query_parameters::{
    ListContainersOptionsBuilder, RemoveContainerOptionsBuilder, StopContainerOptionsBuilder, WaitContainerOptions,
};
use chrono::DateTime;
use futures_util::StreamExt as _;
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;

use super::container_file;
use super::container_log::ContainerLogs;
use super::container_spec::LABEL;
use super::engine::Engine;
use super::engine_reply::{progress, status, text, unavailable};
use super::running_builds::Builds;
use crate::clock::Clock;
use crate::liveness::wake::Wake;
use crate::runner::interface::{OutputError, Runner, Target, Unavailable};
use crate::runner::line::Lines;
use crate::runner::output_file::OUTPUT_FOLDER;
use crate::runner::step_spec::StepSpec;
use crate::runner::step_state::{StepState, StepTimes};

const SOCKET: &str = "/var/run/docker.sock";

/// Runs steps as containers.
pub struct DockerRunner {
    engine: Arc<Engine>,
    starting: Mutex<HashMap<String, PendingStart>>,
    stopping: Arc<Mutex<HashSet<String>>>,
    logs: ContainerLogs,
    builds: Builds,
    wake: Wake,
}

struct PendingStart {
    task: JoinHandle<()>,
    failure: Arc<Mutex<Option<String>>>,
}

/// Reports the end of a container. This is only a hint: without it, the end is noticed a little later.
fn notify_end(engine: Arc<Engine>, name: String, wake: Wake) {
    #[expect(clippy::disallowed_methods, reason = "ends with its container, or when the engine no longer answers")]
    tokio::spawn(async move {
        if let Ok(client) = engine.client().await {
            let mut ended = client.wait_container(&name, None::<WaitContainerOptions>);
            while ended.next().await.is_some() {}
        }
        wake.step(&name);
    });
}

impl DockerRunner {
    /// Uses the engine at `address` (`unix:///path` or `tcp://host:port`), or at the default socket.
    #[must_use]
    pub fn new(address: Option<&str>, clock: Clock, wake: Wake) -> Self {
        let address = address.unwrap_or(SOCKET).to_owned();
        let engine = Arc::new(Engine { address, client: OnceCell::new(), id: OnceCell::new() });
        let logs = ContainerLogs::new(Arc::clone(&engine), wake.clone());
        Self {
            engine,
            builds: Builds::new(clock, wake.clone()),
            starting: Mutex::default(),
            stopping: Arc::default(),
            logs,
            wake,
        }
    }

    /// Checks that the engine answers.
    ///
    /// # Errors
    /// The reason if it does not.
    pub async fn ping(&self) -> Result<(), Unavailable> {
        self.engine.client().await?.ping().await.map(|_| ()).map_err(unavailable)
    }

    fn starting(&self) -> MutexGuard<'_, HashMap<String, PendingStart>> {
        self.starting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state of the task that starts a container; none if there is no such task.
    fn start_progress(&self, name: &str) -> Option<StepState> {
        let mut starting = self.starting();
        let entry = starting.get(name)?;
        if !entry.task.is_finished() {
            return Some(StepState::Starting { reason: None });
        }
        let failure = entry.failure.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match failure {
            Some(reason) => Some(StepState::CannotStart { reason }),
            None => {
                starting.remove(name);
                None
            }
        }
    }
}

#[async_trait]
impl Runner for DockerRunner {
    fn target(&self) -> Target {
        Target::Docker
    }

    async fn place(&self) -> Result<String, Unavailable> {
        let ask = || async {
            let id = self.engine.client().await?.info().await.map_err(unavailable)?.id;
            id.map(|id| format!("docker {id}")).ok_or_else(|| Unavailable("the Docker engine reports no id".into()))
        };
        self.engine.id.get_or_try_init(ask).await.cloned()
    }

    async fn start(&self, step: &StepSpec) -> Result<(), Unavailable> {
        self.engine.client().await?;
        if let Some(build) = &step.build {
            self.builds.start(&self.engine, &step.name, build);
            return Ok(());
        }
        let mut starting = self.starting();
        if starting.contains_key(&step.name) {
            return Ok(());
        }
        let failure = Arc::new(Mutex::new(None));
        let (engine, failed, wake, step) =
            (Arc::clone(&self.engine), Arc::clone(&failure), self.wake.clone(), step.clone());
        let name = step.name.clone();
        #[expect(clippy::disallowed_methods, reason = "kept in `starting`, which ends it")]
        let task = tokio::spawn(async move {
            match engine.start(&step).await {
                Ok(()) => notify_end(engine, step.name.clone(), wake.clone()),
                Err(reason) => *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason),
            }
            wake.step(&step.name);
        });
        starting.insert(name, PendingStart { task, failure });
        Ok(())
    }

    async fn poll(&self, name: &str) -> Result<StepState, Unavailable> {
        if let Some(progress) = self.builds.progress(name) {
            return Ok(progress);
        }
        if let Some(progress) = self.start_progress(name) {
            return Ok(progress);
        }
        let progress = self.engine.state(name).await?.map_or(StepState::Unknown, |state| progress(&state));
        if matches!(progress, StepState::Exited { .. }) {
            self.logs.container_ended(name);
        }
        Ok(progress)
    }

    async fn times(&self, name: &str) -> Result<StepTimes, Unavailable> {
        if let Some(times) = self.builds.times(name) {
            return Ok(times);
        }
        let state = self.engine.state(name).await?.unwrap_or_default();
        // The engine reports the year 1 for times that are not set yet.
        let time = |text: Option<String>| {
            let time = DateTime::parse_from_rfc3339(&text?).ok()?.to_utc();
            (time > DateTime::UNIX_EPOCH).then_some(time)
        };
        Ok(StepTimes { started_at: time(state.started_at), finished_at: time(state.finished_at), attempts: None })
    }

    async fn stop(&self, name: &str, grace: Duration) -> Result<(), Unavailable> {
        if self.builds.stop(name) {
            return Ok(());
        }
        if let Some(starting) = self.starting().remove(name) {
            starting.task.abort();
        }
        if !self.stopping.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned()) {
            return Ok(());
        }
        let seconds = i32::try_from(grace.as_secs()).unwrap_or(i32::MAX);
        let (engine, stopping, wake, name) =
            (Arc::clone(&self.engine), Arc::clone(&self.stopping), self.wake.clone(), name.to_owned());
        #[expect(clippy::disallowed_methods, reason = "ends when the container has, at most the grace later")]
        tokio::spawn(async move {
            if let Ok(client) = engine.client().await {
                let options = StopContainerOptionsBuilder::default().t(seconds).build();
                if let Err(error) = client.stop_container(&name, Some(options)).await {
                    tracing::debug!(step = name, error = text(&error), "cannot stop container");
                }
            }
            stopping.lock().unwrap_or_else(PoisonError::into_inner).remove(&name);
            wake.step(&name);
        });
        Ok(())
    }

    async fn output(&self, name: &str, file: &str, most: u64) -> Result<Option<Vec<u8>>, OutputError> {
        if let Some(output) = self.builds.output(name) {
            return Ok(output);
        }
        container_file::read(self.engine.client().await?, name, &format!("{OUTPUT_FOLDER}/{file}"), most + 1).await
    }

    async fn logs(&self, name: &str, skip: u64, limit: usize) -> Result<Lines, Unavailable> {
        if let Some(lines) = self.builds.take(name, skip, limit) {
            return Ok(lines);
        }
        self.logs.read(name, skip, limit).await
    }

    fn lines_stored(&self, name: &str, lines: u64) {
        self.builds.lines_stored(name, lines);
        self.logs.lines_stored(name, lines);
    }

    async fn remove(&self, name: &str) -> Result<(), Unavailable> {
        if self.builds.remove(name) {
            return Ok(());
        }
        if let Some(starting) = self.starting().remove(name) {
            starting.task.abort();
        }
        self.logs.forget(name);
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        match self.engine.client().await?.remove_container(name, Some(options)).await {
            Err(error) if !matches!(status(&error), Some(404 | 409)) => Err(unavailable(error)),
            _ => Ok(()),
        }
    }

    async fn list(&self) -> Result<Vec<String>, Unavailable> {
        let filters = HashMap::from([("label", vec![LABEL])]);
        let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
        let containers = self.engine.client().await?.list_containers(Some(options)).await.map_err(unavailable)?;
        Ok(containers.into_iter().filter_map(|found| found.labels?.remove(LABEL)).collect())
    }

    async fn close(&self) {
        self.builds.close();
        for (_, starting) in self.starting().drain() {
            starting.task.abort();
        }
    }
}
