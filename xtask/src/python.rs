//! A Python with packages from the Python Package Index.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{Result, read};

/// The Python of a virtual environment in `folder` that has `packages`, written as `name==version`; created once.
pub(crate) fn with(folder: &Path, packages: &[&str]) -> Result<PathBuf> {
    let python = folder.join("bin/python");
    let check = |package: &&str| {
        let (name, version) = package.split_once("==").unwrap_or((package, ""));
        format!("assert m.version({name:?}) == {version:?}\n")
    };
    let check = format!("import importlib.metadata as m\n{}", packages.iter().map(check).collect::<String>());
    if read(Command::new(&python).args(["-c", &check])).is_err() {
        read(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder))?;
        read(Command::new(&python).args(["-m", "pip", "install", "-q"]).args(packages))?;
    }
    Ok(python)
}
