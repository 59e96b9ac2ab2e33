//! Steps as containers of a Docker engine.
//!
//! A container is named after its step, so that a second start finds the first. Containers get no host mounts, no
//! new privileges and no more cpu and memory than the step asks for; they outlive this server.

use std::collections::{HashMap, HashSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bollard::auth::DockerCredentials;
use bollard::container::LogOutput;
use bollard::models::{ContainerCreateBody, ContainerState, ContainerStateStatusEnum, HostConfig, HostConfigLogConfig};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, CreateImageOptionsBuilder, InspectContainerOptions, ListContainersOptionsBuilder,
    LogsOptionsBuilder, RemoveContainerOptionsBuilder, StartContainerOptions, StopContainerOptionsBuilder,
    UploadToContainerOptionsBuilder,
};
use bollard::{API_DEFAULT_VERSION, Docker};
use chrono::DateTime;
use futures_util::StreamExt as _;
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;

use super::{Image, Kind, LINE_BYTES, Line, Lines, Progress, Runner, StepFile, StepSpec, Stream, Times, Unavailable};
use crate::wake::Wake;

const SOCKET: &str = "/var/run/docker.sock";
/// For one answer of the engine, in seconds.
const TIMEOUT_SECONDS: u64 = 60;
/// How long a read of the log waits for the next line.
const LOG_PATIENCE: Duration = Duration::from_millis(20);
/// How long it waits for the first one after the log was opened, and for the end of an ended container's log.
const LOG_OPEN_PATIENCE: Duration = Duration::from_secs(2);
const PULL_PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];
const MOST_PROCESSES: i64 = 4096;
/// Marks our containers; its value is the name of the step.
const LABEL: &str = "windlass.step";

type LogStream = Pin<Box<dyn futures_util::Stream<Item = Result<LogOutput, bollard::errors::Error>> + Send>>;

/// Runs steps as containers.
pub struct DockerRunner {
    engine: Arc<Engine>,
    starting: Mutex<HashMap<String, Starting>>,
    stopping: Arc<Mutex<HashSet<String>>>,
    logs: Mutex<HashMap<String, LogReader>>,
    wake: Wake,
}

struct Engine {
    address: String,
    client: OnceCell<Docker>,
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
        if created && !step.files.is_empty() {
            let options = UploadToContainerOptionsBuilder::default().path("/").build();
            let archive = archive(&step.files).map_err(|e| format!("its files could not be packed: {e}"))?;
            client
                .upload_to_container(&step.name, Some(options), bollard::body_full(archive.into()))
                .await
                .map_err(|e| format!("its files could not be put into the container: {}", text(&e)))?;
        }
        let state = self.state(&step.name).await.map_err(|e| e.0)?;
        if state.and_then(|state| state.status) != Some(ContainerStateStatusEnum::CREATED) {
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

/// The files as a tape archive, readable by everybody and writable by nobody.
fn archive(files: &[StepFile]) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for file in files {
        let content = file.content.expose().as_bytes();
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o444);
        header.set_cksum();
        archive.append_data(&mut header, file.path.trim_start_matches('/'), content)?;
    }
    archive.into_inner()
}

fn container(step: &StepSpec, image: &Image) -> ContainerCreateBody {
    let memory_bytes = i64::from(step.memory_mib) * 1024 * 1024;
    let mut labels: HashMap<String, String> = step.labels.iter().cloned().collect();
    labels.insert(LABEL.into(), step.name.clone());
    let log = HostConfigLogConfig { typ: Some("json-file".into()), config: Some(HashMap::new()) };
    ContainerCreateBody {
        image: Some(image.reference.clone()),
        entrypoint: step.entrypoint.clone().map(|program| vec![program]),
        cmd: (!step.arguments.is_empty()).then(|| step.arguments.clone()),
        env: Some(step.environment.iter().map(|(name, value)| format!("{name}={}", value.expose())).collect()),
        labels: Some(labels),
        host_config: Some(HostConfig {
            nano_cpus: Some(i64::from(step.cpu_milli) * 1_000_000),
            memory: Some(memory_bytes),
            memory_swap: Some(memory_bytes),
            pids_limit: Some(MOST_PROCESSES),
            security_opt: Some(vec!["no-new-privileges".into()]),
            log_config: Some(log),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    }
}

impl DockerRunner {
    /// Of the engine at `address` (`unix:///path` or `tcp://host:port`), or at the usual socket.
    #[must_use]
    pub fn new(address: Option<&str>, wake: Wake) -> Self {
        let address = address.unwrap_or(SOCKET).to_owned();
        Self {
            engine: Arc::new(Engine { address, client: OnceCell::new() }),
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
    fn start_progress(&self, name: &str) -> Option<Progress> {
        let mut starting = self.starting();
        let entry = starting.get(name)?;
        if !entry.task.is_finished() {
            return Some(Progress::Starting);
        }
        let failure = entry.failure.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match failure {
            Some(reason) => Some(Progress::CannotStart { reason }),
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

    async fn start(&self, step: &StepSpec) -> Result<(), Unavailable> {
        self.engine.client().await?;
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
            if let Err(reason) = engine.start(&step).await {
                *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
            }
            wake.now();
        });
        starting.insert(name, Starting { task, failure });
        Ok(())
    }

    async fn poll(&self, name: &str) -> Result<Progress, Unavailable> {
        if let Some(progress) = self.start_progress(name) {
            return Ok(progress);
        }
        Ok(self.engine.state(name).await?.map_or(Progress::Unknown, |state| progress(&state)))
    }

    async fn times(&self, name: &str) -> Result<Times, Unavailable> {
        let state = self.engine.state(name).await?.unwrap_or_default();
        // The engine writes the year 1 for what has not happened.
        let time = |text: Option<String>| {
            let time = DateTime::parse_from_rfc3339(&text?).ok()?.to_utc();
            (time > DateTime::UNIX_EPOCH).then_some(time)
        };
        Ok(Times { started_at: time(state.started_at), finished_at: time(state.finished_at) })
    }

    async fn stop(&self, name: &str, grace: Duration) -> Result<(), Unavailable> {
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
            wake.now();
        });
        Ok(())
    }

    async fn logs(&self, name: &str, skip: u64, limit: usize) -> Result<Lines, Unavailable> {
        let ended = match self.engine.state(name).await? {
            None => return Ok(Lines { lines: Vec::new(), end: true }),
            Some(state) => matches!(progress(&state), Progress::Exited { .. }),
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
        for (_, starting) in self.starting().drain() {
            starting.task.abort();
        }
    }
}

fn progress(state: &ContainerState) -> Progress {
    use ContainerStateStatusEnum::{CREATED, DEAD, EXITED};
    match state.status {
        Some(CREATED) => Progress::Unknown,
        Some(EXITED | DEAD) => Progress::Exited {
            exit_code: state.exit_code.and_then(|code| i32::try_from(code).ok()).unwrap_or(255),
            reason: state.oom_killed.unwrap_or(false).then(|| "out of memory".to_owned()),
        },
        _ => Progress::Running,
    }
}

/// One entry of the log: the time that the engine put in front, a space, and the text.
fn line(output: LogOutput) -> Line {
    let (stream, bytes) = match output {
        LogOutput::StdErr { message } => (Stream::Stderr, message),
        LogOutput::StdOut { message } | LogOutput::StdIn { message } | LogOutput::Console { message } => {
            (Stream::Stdout, message)
        }
    };
    let bytes = bytes.get(..LINE_BYTES + 64).unwrap_or(&bytes);
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_end_matches(['\n', '\r']);
    let (time, rest) = text.split_once(' ').unwrap_or((text, ""));
    match DateTime::parse_from_rfc3339(time) {
        Ok(at) => Line { at: at.to_utc(), stream, text: rest.to_owned() },
        Err(_) => Line { at: DateTime::UNIX_EPOCH, stream, text: text.to_owned() },
    }
}

fn status(error: &bollard::errors::Error) -> Option<u16> {
    match error {
        bollard::errors::Error::DockerResponseServerError { status_code, .. } => Some(*status_code),
        _ => None,
    }
}

fn text(error: &bollard::errors::Error) -> String {
    match error {
        bollard::errors::Error::DockerResponseServerError { message, .. } => message.trim().to_owned(),
        other => other.to_string(),
    }
}

fn unavailable(error: bollard::errors::Error) -> Unavailable {
    Unavailable(format!("the Docker engine: {}", text(&error)))
}
