//! The machine of the cluster: its folder, its processes, and its containerd.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::network::HOST;
use crate::command::{Result, read};
use crate::process::{Background, free_port, log, tied};

/// The token of the administrator.
pub(super) const TOKEN: &str = "not-a-secret";

/// The ports of the programs.
pub(super) struct Ports {
    pub(super) etcd: u16,
    pub(super) peers: u16,
    pub(super) api: u16,
    pub(super) kubelet: u16,
}

/// Where the programs run; each part of the cluster adds its own.
pub(super) struct Machine {
    pub(super) folder: PathBuf,
    pub(super) processes: Vec<Background>,
    pub(super) ports: Ports,
}

impl Machine {
    pub(super) fn new(folder: PathBuf) -> Result<Self> {
        let ports = Ports { etcd: free_port()?, peers: free_port()?, api: free_port()?, kubelet: free_port()? };
        Ok(Self { folder, processes: Vec::new(), ports })
    }

    /// The socket of containerd.
    pub(super) fn containerd(&self) -> PathBuf {
        self.folder.join("containerd.sock")
    }

    /// The URL of the API server.
    pub(super) fn api(&self) -> String {
        format!("https://{HOST}:{}", self.ports.api)
    }

    /// A path in the folder, as text.
    pub(super) fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// Writes a file into the folder.
    pub(super) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> Result<String> {
        let path = self.path(name);
        fs::write(&path, text).map_err(|e| format!("{path}: {e}"))?;
        Ok(path)
    }

    /// Starts a program, with its errors in a log file.
    pub(super) fn spawn(&mut self, program: PathBuf, arguments: &[&str]) -> Result<()> {
        let name = program.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let mut command = tied(program);
        command.args(arguments).stdout(Stdio::null()).stderr(log(&self.folder, &name)?);
        self.processes.push(Background::start(&mut command)?);
        Ok(())
    }

    /// Sends a GET request to the API server.
    pub(super) fn ask(&self, path: &str) -> Result<String> {
        let header = format!("Authorization: Bearer {TOKEN}");
        read(Command::new("curl").args(["-skf", "-H", &header, &format!("{}{path}", self.api())]))
    }

    /// Runs the command line of containerd.
    pub(super) fn ctr(&self, words: &[&str]) -> Result<String> {
        read(Command::new("ctr").arg("-a").arg(self.containerd()).args(["-n", "k8s.io"]).args(words))
    }
}
