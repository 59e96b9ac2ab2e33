//! Finds the versions of Terraform and OpenTofu on this machine.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::version_range::{Version, VersionRange};

/// The folders that are searched after the configured one.
const FOLDERS: [&str; 4] = ["/usr/local/sbin", "/usr/local/bin", "/usr/bin", "/bin"];
/// The time limit of asking a program for its version.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many programs of one name are asked for their versions.
const MOST: usize = 100;

/// The beginning of the line with the version.
const NAMES: [&str; 2] = ["Terraform v", "OpenTofu v"];

/// A program on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    pub path: PathBuf,
    pub version: Version,
    /// The line that it prints about its version.
    pub line: String,
}

type Known = (Option<SystemTime>, Option<Program>);

/// Finds programs and remembers their versions.
#[derive(Debug, Default)]
pub struct Toolbox {
    /// The configured folder.
    folder: Option<PathBuf>,
    /// What is known by path, with the modification time of the program.
    known: Mutex<HashMap<PathBuf, Known>>,
}

impl Toolbox {
    /// Creates a toolbox. Programs in `folder` are named like `tofu` or `tofu-1.12.6`.
    #[must_use]
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, known: Mutex::default() }
    }

    /// The newest program with this name in the range. If any version will do, the program with exactly this name comes first.
    ///
    /// # Errors
    /// The versions that were found.
    pub async fn find(&self, name: &str, range: &VersionRange) -> Result<Program, Vec<Version>> {
        let found = self.installed(name).await;
        let mut fits = found.iter().filter(|program| range.has(&program.version));
        let plain = fits.clone().find(|program| range.is_any() && program.path.ends_with(name));
        // Of equal versions, that in the first folder.
        let chosen = plain.or_else(|| {
            let first = fits.next()?;
            Some(fits.fold(first, |best, one| if one.version > best.version { one } else { best }))
        });
        chosen.cloned().ok_or_else(|| versions_of(&found))
    }

    /// The programs with this name, in the order of the folders, with their versions.
    async fn installed(&self, name: &str) -> Vec<Program> {
        let mut found = Vec::new();
        for path in self.programs(name) {
            found.extend(self.program(path).await);
        }
        found
    }

    /// Asks the programs with this name for the versions that are not known yet.
    pub async fn look(&self, name: &str) {
        self.installed(name).await;
    }

    /// The versions of the programs with this name, as far as they were asked.
    #[must_use]
    pub fn known(&self, name: &str) -> Vec<Version> {
        let known = |path: PathBuf| self.remembered(&path)?;
        versions_of(&self.programs(name).into_iter().filter_map(known).collect::<Vec<_>>())
    }

    /// The paths of programs that are named like `tofu`, `tofu-1.12.6` or `tofu_1.12.6`.
    fn programs(&self, name: &str) -> Vec<PathBuf> {
        let is_program = |file: &str| {
            let rest = file.strip_prefix(name)?;
            let version = rest.strip_prefix(['-', '_']).map(|version| Version::parse(version).is_some());
            (rest.is_empty() || version == Some(true)).then_some(())
        };
        let mut found = Vec::new();
        for folder in self.folder.iter().map(PathBuf::as_path).chain(FOLDERS.iter().map(Path::new)) {
            let Ok(entries) = std::fs::read_dir(folder) else { continue };
            let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
            let mut names: Vec<String> = names.filter(|file| is_program(file).is_some()).collect();
            names.sort_unstable();
            found.extend(names.into_iter().map(|file| folder.join(file)).filter(|path| path.is_file()));
        }
        found.truncate(MOST);
        found
    }

    /// What is known about a program as it is now.
    fn remembered(&self, path: &Path) -> Option<Option<Program>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
        known.filter(|(at, _)| *at == changed_at(path)).map(|(_, program)| program)
    }

    async fn program(&self, path: PathBuf) -> Option<Program> {
        if let Some(program) = self.remembered(&path) {
            return program;
        }
        let changed_at = changed_at(&path);
        let asked = tokio::process::Command::new(&path)
            .arg("version")
            .env_clear()
            .env("CHECKPOINT_DISABLE", "1")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(PATIENCE, asked).await.ok()?.ok()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let program = text.lines().find_map(|line| {
            let version = NAMES.iter().find_map(|name| line.strip_prefix(name))?;
            Some(Program { path: path.clone(), version: Version::parse(version)?, line: line.to_owned() })
        });
        let found = (changed_at, program.clone());
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(path, found);
        program
    }
}

fn changed_at(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|file| file.modified()).ok()
}

fn versions_of(programs: &[Program]) -> Vec<Version> {
    let mut versions: Vec<Version> = programs.iter().map(|program| program.version.clone()).collect();
    versions.sort_unstable();
    versions.dedup();
    versions
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::{Toolbox, VersionRange};

    #[tokio::test]
    async fn the_newest_program_that_fits() {
        let folder = tempfile::tempdir().unwrap();
        for (file, version) in [
            ("sample-tool", "1.4.0"),
            ("sample-tool-1.9.2", "1.9.2"),
            ("sample-tool_1.11.4", "1.11.4"),
            ("sample-tool-1.11.10", "1.11.10"),
            ("sample-tool-helper", "9.0.0"),
        ] {
            let path = folder.path().join(file);
            std::fs::write(&path, format!("#!/bin/sh\necho OpenTofu v{version}\n")).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let toolbox = Toolbox::new(Some(folder.path().to_owned()));
        assert!(toolbox.known("sample-tool").is_empty());
        for (range, file) in [
            ("", "sample-tool"),
            ("1.11", "sample-tool-1.11.10"),
            ("~> 1.9", "sample-tool-1.11.10"),
            ("< 1.11.10", "sample-tool_1.11.4"),
            ("1.4.0", "sample-tool"),
        ] {
            let found = toolbox.find("sample-tool", &VersionRange::parse(range).unwrap()).await.unwrap();
            assert_eq!(found.path, folder.path().join(file), "{range}");
            assert_eq!(found.line, format!("OpenTofu v{}", found.version));
        }
        let others = toolbox.find("sample-tool", &VersionRange::parse("2").unwrap()).await.unwrap_err();
        let others: Vec<String> = others.iter().map(ToString::to_string).collect();
        assert_eq!(others, ["1.4.0", "1.9.2", "1.11.4", "1.11.10"]);
        assert_eq!(toolbox.known("sample-tool").len(), 4);
    }
}
