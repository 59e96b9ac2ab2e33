//! The versions of Terraform and OpenTofu that are on this machine.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// Where programs are, beside the folder that is configured.
const FOLDERS: [&str; 4] = ["/usr/local/sbin", "/usr/local/bin", "/usr/bin", "/bin"];
/// For the answer of a program about its version.
const PATIENCE: Duration = Duration::from_secs(10);

/// How the line with the version begins.
const NAMES: [&str; 2] = ["Terraform v", "OpenTofu v"];

type Version = (Option<SystemTime>, Option<String>);

/// Finds programs, and remembers their versions.
#[derive(Debug, Default)]
pub struct Toolbox {
    /// Looked in first.
    folder: Option<PathBuf>,
    /// With the time at which the program was last changed.
    versions: Mutex<HashMap<PathBuf, Version>>,
}

impl Toolbox {
    /// With a folder of programs, as `tofu` or `tofu-1.12.6`.
    #[must_use]
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, versions: Mutex::default() }
    }

    /// The program of this name and version; any version will do where none is wanted.
    ///
    /// # Errors
    /// The versions that are there instead.
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
