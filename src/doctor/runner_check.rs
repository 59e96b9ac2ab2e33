//! What runs jobs: the Docker engine, plain processes, and the programs of workspaces.

use std::path::Path;
use std::time::Duration;

use super::finding::Finding;
use crate::clock::Clock;
use crate::config::{Config, RunnerChoice};
use crate::liveness::wake::Wake;
use crate::runner::docker::DockerRunner;
use crate::runner::process::check_default_user;
use crate::runner::terraform::toolbox::Toolbox;

const ENGINE: &str = "Docker engine";
const PROCESSES: &str = "plain processes";
const TOOLS: &str = "Terraform and OpenTofu";
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) async fn check(config: &Config, clock: &Clock) -> Vec<Finding> {
    let docker = engine(config, clock).await;
    let found = match &docker {
        Ok(()) => Finding::ok(ENGINE, "the engine responds"),
        Err(reason) => without_engine(config, reason),
    };
    let mut all = vec![found];
    let processes = match config.runner {
        RunnerChoice::Process => true,
        RunnerChoice::Auto => config.listen.ip().is_loopback() || config.tools.is_some(),
        RunnerChoice::Docker => config.tools.is_some(),
    };
    if processes {
        all.push(plain_processes(config));
    }
    all.push(tools(config, docker.is_ok(), processes).await);
    all
}

async fn engine(config: &Config, clock: &Clock) -> Result<(), String> {
    let docker = DockerRunner::new(config.docker_host.as_deref(), clock.clone(), Wake::default());
    match tokio::time::timeout(PATIENCE, docker.ping()).await {
        Ok(answer) => answer.map_err(|unavailable| unavailable.0),
        Err(_) => Err(format!("the engine did not respond within {} s", PATIENCE.as_secs())),
    }
}

fn without_engine(config: &Config, reason: &str) -> Finding {
    let remedy = "start Docker, let the server's user access its socket (group docker), or set --docker-host; or set --runner process";
    match config.runner {
        RunnerChoice::Docker => Finding::wrong(ENGINE, reason, remedy),
        RunnerChoice::Process => Finding::skipped(ENGINE, "--runner process does not use it"),
        RunnerChoice::Auto if config.listen.ip().is_loopback() => {
            Finding::warning(ENGINE, format!("{reason}; jobs run as plain processes instead"), remedy)
        }
        RunnerChoice::Auto => {
            let detail = format!(
                "{reason}; jobs of the cluster local cannot run, because plain processes need --runner process here"
            );
            Finding::wrong(ENGINE, detail, remedy)
        }
    }
}

fn plain_processes(config: &Config) -> Finding {
    if !Path::new("/proc/self/stat").exists() {
        return Finding::wrong(PROCESSES, "/proc cannot be read", "mount proc on /proc");
    }
    let Some(user) = &config.process_user else { return Finding::ok(PROCESSES, "they run as the user of the server") };
    if let Err(reason) = check_default_user(user) {
        let remedy = "set --process-user to an ordinary user of this machine, and run the server as root";
        return Finding::wrong(PROCESSES, format!("--process-user {reason}"), remedy);
    }
    match closed_to_others(&config.process_dir()) {
        Some(folder) => {
            let detail = format!("{user} may not be able to enter {folder}, which is on the way to --process-dir");
            Finding::warning(PROCESSES, detail, format!("chmod o+x {folder}, or set --process-dir to another folder"))
        }
        None => Finding::ok(PROCESSES, format!("they run as {user}")),
    }
}

/// The first folder on the way that other users cannot enter.
fn closed_to_others(folder: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt as _;
    let whole = std::path::absolute(folder).ok()?;
    let above: Vec<&Path> = whole.ancestors().skip(1).collect();
    let is_closed =
        |folder: &Path| std::fs::metadata(folder).is_ok_and(|found| found.permissions().mode() & 0o001 == 0);
    above.into_iter().rev().find(|folder| is_closed(folder)).map(|folder| folder.display().to_string())
}

async fn tools(config: &Config, has_engine: bool, processes: bool) -> Finding {
    if let Some(folder) = config.tools.as_ref().filter(|folder| !folder.is_dir()) {
        let detail = format!("--tools is {}, which is not a folder", folder.display());
        return Finding::wrong(
            TOOLS,
            detail,
            "set it to a folder with programs such as tofu or terraform-1.9.8, or remove it",
        );
    }
    if !processes {
        return Finding::skipped(TOOLS, "workspace steps run in containers, which bring their own");
    }
    let toolbox = Toolbox::new(config.tools.clone());
    let mut found = Vec::new();
    for name in ["terraform", "tofu"] {
        toolbox.look(name).await;
        found.extend(toolbox.known(name).iter().map(|version| format!("{name} {version}")));
    }
    if !found.is_empty() {
        return Finding::ok(TOOLS, found.join(", "));
    }
    if has_engine {
        return Finding::ok(TOOLS, "none on this machine; workspace steps run in containers");
    }
    let remedy =
        "install tofu or terraform, or set --tools to their folder, if there are workspaces that run on this machine";
    Finding::warning(TOOLS, "neither is installed", remedy)
}
