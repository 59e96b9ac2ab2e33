//! Which runner the cluster `local` has.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::config::{Config, RunnerChoice};
use crate::liveness::wake::Wake;
use crate::runner::docker::DockerRunner;
use crate::runner::kubernetes::clusters::Clusters;
use crate::runner::process::ProcessRunner;
use crate::runner::{Kind, Runners};

/// How long a Docker engine has to answer at the start.
const DOCKER_PATIENCE: Duration = Duration::from_secs(2);

pub(super) async fn runners(config: &Config, clock: &Clock, wake: &Wake) -> Runners {
    let docker = DockerRunner::new(config.docker_host.as_deref(), clock.clone(), wake.clone());
    let process = ProcessRunner::new(config.data_dir.join("processes"), clock.clone(), wake.clone());
    let local = match config.runner {
        RunnerChoice::Docker => Ok(Kind::Docker),
        RunnerChoice::Process => Ok(Kind::Process),
        RunnerChoice::Auto => match tokio::time::timeout(DOCKER_PATIENCE, docker.ping()).await {
            Ok(Ok(())) => Ok(Kind::Docker),
            _ if config.listen.ip().is_loopback() => Ok(Kind::Process),
            _ => Err(format!(
                "no Docker engine answered when the server started, and plain processes are refused while it listens \
                 on {}, where others can reach it; start it with --runner docker or --runner process",
                config.listen.ip()
            )),
        },
    };
    match &local {
        Ok(kind) => tracing::info!(?kind, "the cluster local is ready"),
        Err(refused) => tracing::warn!(refused, "the cluster local runs nothing"),
    }
    let processes = match config.runner {
        RunnerChoice::Process => true,
        RunnerChoice::Auto => config.listen.ip().is_loopback() || config.tools.is_some(),
        // Whoever names a folder of programs wants them to be started.
        RunnerChoice::Docker => config.tools.is_some(),
    };
    Runners { docker: Arc::new(docker), process: Arc::new(process), clusters: Clusters::default(), local, processes }
}
