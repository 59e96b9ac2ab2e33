//! Steps as containers of a Docker engine.
//!
//! A container is named after its step, so that a second start finds the first. Containers get no host mounts, no
//! new privileges and no more cpu and memory than the step asks for; they outlive this server.

mod build;
mod wire;

use std::collections::{HashMap, HashSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bollard::auth::DockerCredentials;
use bollard::container::LogOutput;
use bollard::models::{ContainerState, ContainerStateStatusEnum};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, CreateImageOptionsBuilder, DownloadFromContainerOptionsBuilder,
    InspectContainerOptions, ListContainersOptionsBuilder, LogsOptionsBuilder, RemoveContainerOptionsBuilder,
    StartContainerOptions, StopContainerOptionsBuilder, UploadToContainerOptionsBuilder, WaitContainerOptions,
};
use bollard::{API_DEFAULT_VERSION, Docker};
use chrono::DateTime;
use futures_util::StreamExt as _;
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;

use self::build::Builds;
use self::wire::{LABEL, container, first_file, line, progress, status, text, unavailable, uploads};
use super::terraform::script::SOURCE_FOLDER;
use super::{Image, Kind, Lines, OUTPUT_FOLDER, Runner, StepSpec, StepState, Times, Unavailable, source};
use crate::clock::Clock;
use crate::liveness::wake::Wake;

const SOCKET: &str = "/var/run/docker.sock";
/// For one answer of the engine, in seconds.
const TIMEOUT_SECONDS: u64 = 60;
/// How long a read of the log waits for the next line.
const LOG_PATIENCE: Duration = Duration::from_millis(20);
/// How long it waits for the first one after the log was opened, and for the end of an ended container's log.
const LOG_OPEN_PATIENCE: Duration = Duration::from_secs(2);
const PULL_PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];

type LogStream = Pin<Box<dyn futures_util::Stream<Item = Result<LogOutput, bollard::errors::Error>> + Send>>;

/// Runs steps as containers.
pub struct DockerRunner {
    engine: Arc<Engine>,
    starting: Mutex<HashMap<String, Starting>>,
    stopping: Arc<Mutex<HashSet<String>>>,
    logs: Mutex<HashMap<String, LogReader>>,
    builds: Builds,
    wake: Wake,
}

struct Engine {
    address: String,
    client: OnceCell<Docker>,
    id: OnceCell<String>,
}

struct Starting {
    task: JoinHandle<()>,
    failure: Arc<Mutex<Option<String>>>,
}

/// How a log was opened. Only the end of a log that was opened after its container had ended is the end of the log:
/// an engine may end a followed one early, and a busy one may take its time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Follow {
    WhileItRuns,
    ToTheEnd,
}

/// A log that was opened, and how many of its lines were taken.
struct LogReader {
    position: u64,
    follow: Follow,
    stream: LogStream,
}

impl Engine {
    /// The client, speaking the version of the engine; connects at first use.
    async fn client(&self) -> Result<&Docker, Unavailable> {
        self.client
            .get_or_try_init(|| async {
                let path = self.address.strip_prefix("unix://").unwrap_or(&self.address);
                let client = if self.address.starts_with("tcp://") || self.address.starts_with("http://") {
                    Docker::connect_with_http(&self.address, TIMEOUT_SECONDS, API_DEFAULT_VERSION)
                } else {
                    Docker::connect_with_unix(path, TIMEOUT_SECONDS, API_DEFAULT_VERSION)
                };
                client.map_err(unavailable)?.negotiate_version().await.map_err(unavailable)
            })
            .await
    }

    async fn state(&self, name: &str) -> Result<Option<ContainerState>, Unavailable> {
        match self.client().await?.inspect_container(name, None::<InspectContainerOptions>).await {
            Ok(container) => Ok(container.state),
            Err(error) if status(&error) == Some(404) => Ok(None),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Brings a container into being and starts it, unless it was started before. The error is for the reader of a run.
    async fn start(&self, step: &StepSpec) -> Result<(), String> {
        let image = step.image.as_ref().ok_or("there is no image")?;
        let client = self.client().await.map_err(|e| e.0)?;
        if client.inspect_container(&step.name, None::<InspectContainerOptions>).await.is_err() {
            self.provide(client, image).await?;
            if !step.may_start() {
                // Nothing has failed: whether it is still to be started is looked at again.
                return Ok(());
            }
            let options = CreateContainerOptionsBuilder::default().name(&step.name).build();
            match client.create_container(Some(options), container(step, image)).await {
                Err(error) if status(&error) != Some(409) => {
                    return Err(format!("the container was refused: {}", text(&error)));
                }
                _ => {}
            }
        }
        let state = self.state(&step.name).await.map_err(|e| e.0)?;
        let created = state.and_then(|state| state.status) == Some(ContainerStateStatusEnum::CREATED);
        if created && let Some(source) = &step.source {
            let archive = source::pack(source, SOURCE_FOLDER.trim_start_matches('/')).await?;
            let options = UploadToContainerOptionsBuilder::default().path("/").build();
            let sent = client.upload_to_container(&step.name, Some(options), bollard::body_full(archive.into()));
            sent.await.map_err(|e| format!("its files could not be put into the container: {}", text(&e)))?;
        }
        if created {
            let uploads = uploads(step).map_err(|e| format!("its files could not be packed: {e}"))?;
            for (folder, archive) in uploads {
                let options = UploadToContainerOptionsBuilder::default().path(&folder).build();
                let sent = client.upload_to_container(&step.name, Some(options), bollard::body_full(archive.into()));
                sent.await.map_err(|e| format!("its files could not be put into the container: {}", text(&e)))?;
            }
        }
        let state = self.state(&step.name).await.map_err(|e| e.0)?;
        if state.and_then(|state| state.status) != Some(ContainerStateStatusEnum::CREATED) {
            return Ok(());
        }
        if !step.may_start() {
            return Ok(());
        }
        match client.start_container(&step.name, None::<StartContainerOptions>).await {
            Err(error) if status(&error) != Some(304) => {
                Err(format!("the container could not be started: {}", text(&error)))
            }
            _ => Ok(()),
        }
    }

    /// Makes sure that the image is on the engine; tags are taken to be immutable.
    async fn provide(&self, client: &Docker, image: &Image) -> Result<(), String> {
        if client.inspect_image(&image.reference).await.is_ok() {
            return Ok(());
        }
        if image.local {
            let name = &image.reference;
            return Err(format!("the image {name} is not on this Docker engine any more; deploy the job to build it"));
        }
        let mut pauses = PULL_PAUSES.into_iter();
        loop {
            let Err(error) = pull(client, image).await else { return Ok(()) };
            let lower = error.to_lowercase();
            let final_answers = ["not found", "denied", "unauthorized", "manifest unknown", "no basic auth"];
            let pause = pauses.next().filter(|_| !final_answers.iter().any(|answer| lower.contains(answer)));
            match pause {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(format!("the image {} could not be pulled: {error}", image.reference)),
            }
        }
    }
}

async fn pull(client: &Docker, image: &Image) -> Result<(), String> {
    let options = CreateImageOptionsBuilder::default().from_image(&image.reference).build();
    let credentials = image.credentials.as_ref().map(|login| DockerCredentials {
        username: Some(login.username.clone()),
        password: Some(login.password.expose().clone()),
        serveraddress: Some(login.server.clone()),
        ..DockerCredentials::default()
    });
    let mut steps = client.create_image(Some(options), None, credentials);
    while let Some(step) = steps.next().await {
        let step = step.map_err(|error| text(&error))?;
        if let Some(message) = step.error_detail.and_then(|detail| detail.message) {
            return Err(message);
        }
    }
    Ok(())
}

/// Wakes the engine when a container ends. A hint: without it the end is found a little later.
fn tell_end(engine: Arc<Engine>, name: String, wake: Wake) {
    #[expect(clippy::disallowed_methods, reason = "ends with its container, or when the engine no longer answers")]
    tokio::spawn(async move {
        if let Ok(client) = engine.client().await {
            let mut ended = client.wait_container(&name, None::<WaitContainerOptions>);
            while ended.next().await.is_some() {}
        }
        wake.here();
    });
}

impl DockerRunner {
    /// Of the engine at `address` (`unix:///path` or `tcp://host:port`), or at the usual socket.
    #[must_use]
    pub fn new(address: Option<&str>, clock: Clock, wake: Wake) -> Self {
        let address = address.unwrap_or(SOCKET).to_owned();
        Self {
            engine: Arc::new(Engine { address, client: OnceCell::new(), id: OnceCell::new() }),
            builds: Builds::new(clock, wake.clone()),
            starting: Mutex::default(),
            stopping: Arc::default(),
            logs: Mutex::default(),
            wake,
        }
    }

    /// Whether the engine answers.
    ///
    /// # Errors
    /// When it does not, with the reason.
    pub async fn ping(&self) -> Result<(), Unavailable> {
        self.engine.client().await?.ping().await.map(|_| ()).map_err(unavailable)
    }

    fn starting(&self) -> MutexGuard<'_, HashMap<String, Starting>> {
        self.starting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the task that starts a container has come to; none when there is no such task.
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

    fn take_reader(&self, name: &str, skip: u64, follow: Follow) -> Option<LogReader> {
        let reader = self.logs.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        reader.filter(|reader| reader.position == skip && reader.follow == follow)
    }

    async fn open_log(&self, name: &str, skip: u64, follow: Follow) -> Result<LogReader, Unavailable> {
        let client = self.engine.client().await?;
        let options = LogsOptionsBuilder::default()
            .follow(follow == Follow::WhileItRuns)
            .stdout(true)
            .stderr(true)
            .timestamps(true)
            .build();
        let mut reader = LogReader { position: 0, follow, stream: Box::pin(client.logs(name, Some(options))) };
        while reader.position < skip {
            match tokio::time::timeout(LOG_OPEN_PATIENCE, reader.stream.next()).await {
                Ok(Some(Ok(_))) => reader.position += 1,
                Ok(Some(Err(error))) => return Err(unavailable(error)),
                Ok(None) | Err(_) => {
                    return Err(Unavailable(format!("the log of {name} has fewer lines than were read before")));
                }
            }
        }
        Ok(reader)
    }
}

#[async_trait]
impl Runner for DockerRunner {
    fn kind(&self) -> Kind {
        Kind::Docker
    }

    async fn place(&self) -> Result<String, Unavailable> {
        let ask = || async {
            let id = self.engine.client().await?.info().await.map_err(unavailable)?.id;
            id.map(|id| format!("docker {id}")).ok_or_else(|| Unavailable("the Docker engine has no name".into()))
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
        let (engine, told, wake, step) =
            (Arc::clone(&self.engine), Arc::clone(&failure), self.wake.clone(), step.clone());
        let name = step.name.clone();
        #[expect(clippy::disallowed_methods, reason = "kept in `starting`, which ends it")]
        let task = tokio::spawn(async move {
            match engine.start(&step).await {
                Ok(()) => tell_end(engine, step.name, wake.clone()),
                Err(reason) => *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason),
            }
            wake.here();
        });
        starting.insert(name, Starting { task, failure });
        Ok(())
    }

    async fn poll(&self, name: &str) -> Result<StepState, Unavailable> {
        if let Some(progress) = self.builds.progress(name) {
            return Ok(progress);
        }
        if let Some(progress) = self.start_progress(name) {
            return Ok(progress);
        }
        Ok(self.engine.state(name).await?.map_or(StepState::Unknown, |state| progress(&state)))
    }

    async fn times(&self, name: &str) -> Result<Times, Unavailable> {
        if let Some(times) = self.builds.times(name) {
            return Ok(times);
        }
        let state = self.engine.state(name).await?.unwrap_or_default();
        // The engine writes the year 1 for what has not happened.
        let time = |text: Option<String>| {
            let time = DateTime::parse_from_rfc3339(&text?).ok()?.to_utc();
            (time > DateTime::UNIX_EPOCH).then_some(time)
        };
        Ok(Times { started_at: time(state.started_at), finished_at: time(state.finished_at), attempts: None })
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
                    tracing::debug!(step = name, error = text(&error), "stopping a container failed");
                }
            }
            stopping.lock().unwrap_or_else(PoisonError::into_inner).remove(&name);
            wake.here();
        });
        Ok(())
    }

    async fn output(&self, name: &str, file: &str, most: u64) -> Result<Option<Vec<u8>>, Unavailable> {
        if let Some(output) = self.builds.output(name) {
            return Ok(output);
        }
        let client = self.engine.client().await?;
        let path = format!("{OUTPUT_FOLDER}/{file}");
        let options = DownloadFromContainerOptionsBuilder::default().path(&path).build();
        let mut parts = client.download_from_container(name, Some(options));
        let mut archive = Vec::new();
        // A file and the block before it; what is longer is cut, and found to be too long by the reader.
        let whole = usize::try_from(most).unwrap_or(usize::MAX).saturating_add(8 * 1024);
        while let Some(part) = parts.next().await {
            match part {
                Ok(bytes) => archive.extend_from_slice(&bytes),
                Err(error) if status(&error) == Some(404) => return Ok(None),
                Err(error) => return Err(unavailable(error)),
            }
            if archive.len() > whole {
                archive.truncate(whole);
                break;
            }
        }
        Ok(first_file(&archive, most + 1))
    }

    async fn logs(&self, name: &str, skip: u64, limit: usize) -> Result<Lines, Unavailable> {
        if let Some(lines) = self.builds.take(name, skip, limit) {
            return Ok(lines);
        }
        let ended = match self.engine.state(name).await? {
            None => return Ok(Lines { lines: Vec::new(), end: true }),
            Some(state) => matches!(progress(&state), StepState::Exited { .. }),
        };
        let follow = if ended { Follow::ToTheEnd } else { Follow::WhileItRuns };
        let mut reader = match self.take_reader(name, skip, follow) {
            Some(reader) => reader,
            None => self.open_log(name, skip, follow).await?,
        };
        let patience = if ended { LOG_OPEN_PATIENCE } else { LOG_PATIENCE };
        let mut lines = Vec::new();
        while lines.len() < limit {
            match tokio::time::timeout(patience, reader.stream.next()).await {
                Ok(Some(Ok(output))) => lines.push(line(output)),
                Ok(Some(Err(error))) => return Err(unavailable(error)),
                Ok(None) => return Ok(Lines { lines, end: ended }),
                Err(_) if ended && lines.is_empty() => {
                    return Err(Unavailable(format!("the log of {name} does not go on")));
                }
                Err(_) => break,
            }
            reader.position += 1;
        }
        self.logs.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), reader);
        Ok(Lines { lines, end: false })
    }

    async fn remove(&self, name: &str) -> Result<(), Unavailable> {
        if self.builds.remove(name) {
            return Ok(());
        }
        if let Some(starting) = self.starting().remove(name) {
            starting.task.abort();
        }
        self.logs.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
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
