//! How an agent runs steps on its machine: in containers, or as plain processes.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::certificates_for_steps::CertificatesForSteps;
use super::step_tool::StepTools;
use crate::clock::Clock;
use crate::config::{AgentOptions, Config, RunnerChoice};
use crate::error::{Error, Result};
use crate::file_lock;
use crate::liveness::wake::Wake;
use crate::runner::docker::DockerRunner;
use crate::runner::process::{ProcessRunner, check_default_user, runs_as_root};
use crate::runner::{Runner, StepSpec};

/// How long the engine has to answer when the agent starts.
const PATIENCE: Duration = Duration::from_secs(10);

/// The folder of the agent below its data folder.
const FOLDER: &str = "agent";

/// The runner of this machine.
pub(super) struct LocalEngine {
    pub(super) runner: Arc<dyn Runner>,
    pub(super) wake: Wake,
    /// `docker` or `process`.
    pub(super) kind: &'static str,
    /// The engine, by which the server knows whether this agent can know a step.
    pub(super) place: String,
    /// The programs of workspaces; none in containers, which bring their own.
    tools: Option<StepTools>,
    certificates: CertificatesForSteps,
    /// No other agent uses the folder, as long as this is open.
    _lock: File,
}

impl LocalEngine {
    pub(super) async fn start(config: &Config, options: &AgentOptions, clock: &Clock) -> Result<Self> {
        let folder = config.data_dir.join(FOLDER);
        let lock = locked(&folder).await?;
        let wake = Wake::default();
        let docker = || DockerRunner::new(config.docker_host.as_deref(), clock.clone(), wake.clone());
        let (runner, tools): (Arc<dyn Runner>, _) = match config.runner {
            RunnerChoice::Process => {
                let (runner, tools) = processes(config, &folder, clock, &wake)?;
                (Arc::new(runner) as Arc<dyn Runner>, Some(tools))
            }
            RunnerChoice::Auto | RunnerChoice::Docker => (Arc::new(docker()), None),
        };
        let asked = tokio::time::timeout(PATIENCE, runner.place()).await;
        let place = asked.map_err(|_| Error::internal("the runner of this machine does not answer"))?;
        let place = place.map_err(|error| match config.runner {
            RunnerChoice::Auto => Error::internal(format!(
                "no Docker engine responds ({}); with --runner process, steps are plain processes of this machine",
                error.0
            )),
            RunnerChoice::Docker | RunnerChoice::Process => Error::internal(error.0),
        })?;
        let kind = if tools.is_some() { "process" } else { "docker" };
        let certificates = CertificatesForSteps::read(config, options.ca_file.as_deref())?;
        Ok(Self { runner, wake, kind, place, tools, certificates, _lock: lock })
    }

    /// A step of the server, as it runs on this machine.
    ///
    /// # Errors
    /// Why it cannot run here; shown as the reason of the run.
    pub(super) async fn adapted(&self, mut step: StepSpec) -> Result<StepSpec, String> {
        if step.tool.is_some() {
            self.certificates.add_to(&mut step);
        }
        match (&self.tools, &step.tool) {
            (Some(tools), Some(tool)) => {
                let tool = tool.clone();
                step.process.path = Some(tools.path_for(&tool).await?);
                self.certificates.inherit(&mut step);
            }
            (None, Some(tool)) if step.image.is_none() => {
                return Err(format!(
                    "no image is known to have a version of {} that fits {:?}; give an exact version",
                    tool.name, tool.version
                ));
            }
            (None | Some(_), _) => {}
        }
        Ok(step)
    }
}

fn processes(config: &Config, folder: &Path, clock: &Clock, wake: &Wake) -> Result<(ProcessRunner, StepTools)> {
    if let Some(user) = &config.process_user {
        check_default_user(user).map_err(|reason| Error::invalid("--process-user", reason))?;
    } else if runs_as_root() {
        tracing::warn!("steps run as root, like the agent; run the agent as another user, or set --process-user");
    }
    let scratch = config.process_dir.clone().unwrap_or_else(|| folder.join("processes"));
    // A step runs in another folder, where a relative PATH leads nowhere.
    let scratch = std::path::absolute(&scratch).unwrap_or(scratch);
    let tools = StepTools::new(config.tools.clone(), scratch.join(".tools"));
    let runner = ProcessRunner::new(scratch, config.supervisor.clone(), clock.clone(), wake.clone());
    Ok((runner.as_user(config.process_user.clone()), tools))
}

/// The lock of an agent's folder.
async fn locked(folder: &Path) -> Result<File> {
    use std::os::unix::fs::DirBuilderExt as _;
    let failed =
        |path: &Path, error: std::io::Error| Error::internal(format!("cannot create {}: {error}", path.display()));
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| failed(folder, error))?;
    let path: PathBuf = folder.join("agent.lock");
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
    let file = file.map_err(|error| failed(&path, error))?;
    let taken = |_| Error::internal(format!("another agent uses the folder {}; set --data-dir", folder.display()));
    file_lock::lock(file).await.map_err(taken)
}
