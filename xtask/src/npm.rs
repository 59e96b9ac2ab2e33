//! npm: installs what a lock file names. It has been seen to end with success before it had unpacked all packages, so what it says that it
//! has installed is looked at.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::command::{Result, read};

/// Installs the packages of the lock file in `folder`; what was missing then is installed once more.
pub(crate) fn install(folder: &Path) -> Result<()> {
    let mut missing = None;
    for _ in 0..2 {
        let words = ["ci", "--silent", "--no-fund", "--no-audit", "--ignore-scripts"];
        read(Command::new("npm").args(words).current_dir(folder))?;
        missing = incomplete(folder)?;
        if missing.is_none() {
            return Ok(());
        }
    }
    Err(format!("npm ci succeeded in {}, but {} has no package.json", folder.display(), missing.unwrap_or_default()))
}

/// A package that is listed as installed and is not there. npm writes the list with one package a line.
fn incomplete(folder: &Path) -> Result<Option<String>> {
    let list = folder.join("node_modules/.package-lock.json");
    let text = fs::read_to_string(&list).map_err(|e| format!("{}: {e}", list.display()))?;
    let named = |line: &str| {
        let name = line.trim_start().strip_prefix('"')?.strip_suffix("\": {")?;
        name.starts_with("node_modules/").then(|| name.to_owned())
    };
    Ok(text.lines().filter_map(named).find(|name| !folder.join(name).join("package.json").is_file()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_that_is_listed_only_is_found() {
        let folder = std::env::temp_dir().join(format!("windlass-npm-{}", std::process::id()));
        let modules = folder.join("node_modules");
        fs::create_dir_all(modules.join("@a/b")).unwrap();
        fs::create_dir_all(modules.join("c")).unwrap();
        let list = "{\n  \"packages\": {\n    \"node_modules/@a/b\": {\n      \"version\": \"1\"\n    },\n    \"node_modules/c\": {\n    }\n  }\n}\n";
        fs::write(modules.join(".package-lock.json"), list).unwrap();
        fs::write(modules.join("@a/b/package.json"), "{}").unwrap();
        assert_eq!(incomplete(&folder).unwrap().as_deref(), Some("node_modules/c"));
        fs::write(modules.join("c/package.json"), "{}").unwrap();
        assert_eq!(incomplete(&folder).unwrap(), None);
        fs::remove_dir_all(&folder).unwrap();
    }
}
