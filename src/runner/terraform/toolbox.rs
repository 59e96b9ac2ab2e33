//! Finds the versions of Terraform and OpenTofu on this machine.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// The folders that are searched after the configured one.
const FOLDERS: [&str; 4] = ["/usr/local/sbin", "/usr/local/bin", "/usr/bin", "/bin"];
/// The time limit of asking a program for its version.
const PATIENCE: Duration = Duration::from_secs(10);

/// The beginning of the line with the version.
const NAMES: [&str; 2] = ["Terraform v", "OpenTofu v"];

type Version = (Option<SystemTime>, Option<String>);

/// Finds programs and remembers their versions.
#[derive(Debug, Default)]
pub struct Toolbox {
    /// The configured folder.
    folder: Option<PathBuf>,
    /// Versions by path, with the modification time of the program.
    versions: Mutex<HashMap<PathBuf, Version>>,
}

impl Toolbox {
    /// Creates a toolbox. Programs in `folder` are named like `tofu` or `tofu-1.12.6`.
    #[must_use]
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, versions: Mutex::default() }
    }

    /// The program with this name and version; an empty version matches any.
    ///
    /// # Errors
    /// The other versions that were found.
    pub async fn find(&self, name: &str, version: &str) -> Result<PathBuf, Vec<String>> {
        let mut others = Vec::new();
        let folders = self.folder.iter().cloned().chain(FOLDERS.iter().map(PathBuf::from));
        for folder in folders {
            for file in [format!("{name}-{version}"), format!("{name}_{version}"), name.to_owned()] {
                let path = folder.join(file);
                if !path.is_file() {
                    continue;
                }
                match self.version(&path).await {
                    Some(found) if version.is_empty() || found == version => return Ok(path),
                    Some(found) => others.push(found),
                    None => {}
                }
            }
        }
        others.sort_unstable();
        others.dedup();
        Err(others)
    }

    async fn version(&self, path: &PathBuf) -> Option<String> {
        let changed_at = std::fs::metadata(path).and_then(|file| file.modified()).ok();
        let known = self.versions.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
        if let Some((_, version)) = known.filter(|(at, _)| *at == changed_at) {
            return version;
        }
        let asked = tokio::process::Command::new(path)
            .arg("version")
            .env_clear()
            .env("CHECKPOINT_DISABLE", "1")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(PATIENCE, asked).await.ok()?.ok()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let version = text.lines().find_map(|line| NAMES.iter().find_map(|name| line.strip_prefix(name)));
        let version = version.map(|version| version.trim().to_owned());
        let found = (changed_at, version.clone());
        self.versions.lock().unwrap_or_else(PoisonError::into_inner).insert(path.clone(), found);
        version
    }
}
