//! Chooses the runner of the cluster `local`.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::config::{Config, RunnerChoice};
use crate::git;
use crate::liveness::wake::Wake;
use crate::runner::agent::Agents;
use crate::runner::docker::DockerRunner;
use crate::runner::kubernetes::connections::Clusters;
use crate::runner::process::{ProcessRunner, runs_as_root};
use crate::runner::{Runners, Target};

/// How long to wait for a Docker engine at startup.
const DOCKER_PATIENCE: Duration = Duration::from_secs(2);

pub(super) async fn runners(config: &Config, clock: &Clock, wake: &Wake, agents: Agents) -> Runners {
    git::remove_abandoned();
    let docker = DockerRunner::new(config.docker_host.as_deref(), clock.clone(), wake.clone());
    let process = ProcessRunner::new(config.process_dir(), config.supervisor.clone(), clock.clone(), wake.clone())
        .as_user(config.process_user.clone());
    let local = match config.runner {
        RunnerChoice::Docker => Ok(Target::Docker),
        RunnerChoice::Process => Ok(Target::Process),
        RunnerChoice::Auto => match tokio::time::timeout(DOCKER_PATIENCE, docker.ping()).await {
            Ok(Ok(())) => Ok(Target::Docker),
            _ if config.listen.ip().is_loopback() => Ok(Target::Process),
            _ => Err(format!(
                "no Docker engine responded at startup, and plain processes are not allowed while the server listens on \
                 {}, which is not loopback; use --runner docker or --runner process",
                config.listen.ip()
            )),
        },
    };
    match &local {
        Ok(kind) => tracing::info!(?kind, "local runner ready"),
        Err(reason) => tracing::warn!(reason, "local runner disabled"),
    }
    let processes = match config.runner {
        RunnerChoice::Process => true,
        RunnerChoice::Auto => config.listen.ip().is_loopback() || config.tools.is_some(),
        // Setting --tools implies that its programs may be started.
        RunnerChoice::Docker => config.tools.is_some(),
    };
    if processes && config.process_user.is_none() && runs_as_root() {
        tracing::warn!(
            "plain processes run as root, like the server: a job can read the key file, the database and whatever else is on this \
             machine. Run the server as another user, or set --process-user"
        );
    }
    Runners {
        docker: Arc::new(docker),
        process: Arc::new(process),
        clusters: Clusters::default(),
        agents,
        local,
        processes,
    }
}
