//! PostgreSQL, a Docker engine and an image registry, started for the tests and stopped with them.
//!
//! Everything listens on loopback and keeps its files in target/services. On Debian, as root, missing programs are installed.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::command::{Result, find, read, root};
use crate::postgres::Postgres;
use crate::process::Background;
use crate::{docker, opentofu, packages, postgres, registry, test_provider};

/// The services that run; stopped when dropped.
pub(crate) struct Services {
    /// Kept until the end.
    database: Option<Postgres>,
    processes: Vec<Background>,
    /// Environment variables that tell the tests where to find the services.
    pub(crate) variables: Vec<(&'static str, String)>,
    /// The services that could not be started, and why.
    pub(crate) missing: Vec<String>,
}

impl Drop for Services {
    fn drop(&mut self) {
        // The last one first, as each may use those before it.
        while self.processes.pop().is_some() {}
    }
}

/// Starts every service that this machine can run.
pub(crate) fn start() -> Result<Services> {
    type Attempt = fn(&mut Services, &Path) -> Result<()>;
    let folder = root().join("target/services");
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    install();
    let mut services = Services { database: None, processes: Vec::new(), variables: Vec::new(), missing: Vec::new() };
    let attempts: [(&str, Attempt); 8] = [
        ("PostgreSQL", database),
        ("a Docker engine", engine),
        ("an image registry", images),
        ("OpenTofu", terraform),
        ("a provider", provider),
        ("gpg", gpg),
        ("an SSH server", sshd),
        ("promtool", promtool),
    ];
    for (name, attempt) in attempts {
        if let Err(reason) = attempt(&mut services, &folder) {
            services.missing.push(format!("{name}: {reason}"));
        }
    }
    Ok(services)
}

/// Only looks for the program: the test starts a server of its own.
fn sshd(services: &mut Services, _: &Path) -> Result<()> {
    let program = find("sshd").ok_or("sshd is not installed")?;
    services.variables.push(("WINDLASS_TEST_SSHD", program.display().to_string()));
    Ok(())
}

/// Only looks for the program, which checks rules and metrics.
fn promtool(services: &mut Services, _: &Path) -> Result<()> {
    let program = find("promtool").ok_or("promtool is not installed")?;
    services.variables.push(("WINDLASS_TEST_PROMTOOL", program.display().to_string()));
    Ok(())
}

fn terraform(services: &mut Services, _: &Path) -> Result<()> {
    let folder = opentofu::provide()?;
    services.variables.push(("WINDLASS_TEST_TOOLS", folder.display().to_string()));
    Ok(())
}

fn provider(services: &mut Services, _: &Path) -> Result<()> {
    services.variables.push(("WINDLASS_TEST_PROVIDER", test_provider::provide()?.display().to_string()));
    Ok(())
}

/// Only looks for the program, which signs what the tests publish.
fn gpg(services: &mut Services, _: &Path) -> Result<()> {
    let program = find("gpg").ok_or("gpg is not installed")?;
    services.variables.push(("WINDLASS_TEST_GPG", program.display().to_string()));
    Ok(())
}

/// Programs that the tests need, and the Debian packages that contain them.
const PACKAGES: [(&str, &str); 11] = [
    ("promtool", "prometheus"),
    ("sshd", "openssh-server"),
    ("python3", "python3"),
    ("git", "git"),
    ("gpg", "gnupg"),
    ("dockerd", "docker.io"),
    ("iptables", "iptables"),
    ("docker-registry", "docker-registry"),
    ("htpasswd", "apache2-utils"),
    ("busybox", "busybox-static"),
    ("curl", "curl"),
];

fn install() {
    let mut wanted = Vec::new();
    if postgres::programs().is_none() {
        wanted.push("postgresql");
    }
    // Virtual environments are in a package of their own on Debian.
    if read(Command::new("python3").args(["-c", "import ensurepip, venv"])).is_err() {
        wanted.push("python3-venv");
    }
    packages::install(&PACKAGES, &wanted);
}

fn database(services: &mut Services, folder: &Path) -> Result<()> {
    let server = postgres::start("127.0.0.1", folder)?;
    services.variables.push(("WINDLASS_TEST_DATABASE_URL", server.url.clone()));
    services.database = Some(server);
    Ok(())
}

fn engine(services: &mut Services, folder: &Path) -> Result<()> {
    services.processes.extend(docker::start(folder)?);
    services.variables.push(("WINDLASS_TEST_DOCKER", docker::IMAGE.to_owned()));
    Ok(())
}

/// Starts behind the engine, which pushes an image to it.
fn images(services: &mut Services, folder: &Path) -> Result<()> {
    if !services.variables.iter().any(|(name, _)| *name == "WINDLASS_TEST_DOCKER") {
        return Err("there is no Docker engine to push an image with".into());
    }
    let registry = registry::start(folder)?;
    services.processes.push(registry.process);
    services.variables.push(("WINDLASS_TEST_REGISTRY", registry.image));
    Ok(())
}
