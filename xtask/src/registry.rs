//! A private image registry for the tests, with one image in it.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use crate::command::{Result, find, read};
use crate::docker::IMAGE;
use crate::process::{Background, free_port, log, tied, wait_for};

const USER: &str = "windlass";
const PASSWORD: &str = "not-a-secret";

/// A running registry.
pub(crate) struct Registry {
    pub(crate) process: Background,
    /// `user:password@reference` of the image in it.
    pub(crate) image: String,
}

/// Starts a registry, and pushes the image of the tests to it.
pub(crate) fn start(folder: &Path) -> Result<Registry> {
    let program = find("docker-registry").ok_or("docker-registry is not installed")?;
    let password = read(Command::new("htpasswd").args(["-Bbn", USER, PASSWORD]))?;
    let passwords = folder.join("htpasswd");
    fs::write(&passwords, password).map_err(|e| e.to_string())?;
    let port = free_port()?;
    let data = folder.join("registry");
    let config = format!(
        "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: 127.0.0.1:{port}\n\
         auth:\n  htpasswd:\n    realm: tests\n    path: {}\n",
        data.display(),
        passwords.display()
    );
    let file = folder.join("registry.yml");
    fs::write(&file, config).map_err(|e| e.to_string())?;
    let mut command = tied(program);
    command.arg("serve").arg(&file).stdout(log(folder, "registry")?).stderr(log(folder, "registry-errors")?);
    let process = Background::start(&mut command)?;
    wait_for("the registry", || TcpStream::connect(("127.0.0.1", port)).is_ok())?;
    let reference = format!("127.0.0.1:{port}/tests/busybox:1");
    let docker = |words: &[&str]| {
        let mut command = Command::new("docker");
        command.args(words).env("DOCKER_CONFIG", folder.join("docker-config"));
        read(&mut command)
    };
    docker(&["login", "-u", USER, "-p", PASSWORD, &format!("127.0.0.1:{port}")])?;
    docker(&["tag", IMAGE, &reference])?;
    docker(&["push", "-q", &reference])?;
    docker(&["rmi", &reference])?;
    Ok(Registry { process, image: format!("{USER}:{PASSWORD}@{reference}") })
}
