//! A Python with one package from the Python Package Index.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{Result, read};

/// The Python of a virtual environment in `folder` that has `package`, written as `name==version`; created once.
pub(crate) fn with(folder: &Path, package: &str) -> Result<PathBuf> {
    let python = folder.join("bin/python");
    let (name, version) = package.split_once("==").unwrap_or((package, ""));
    let check = format!("import importlib.metadata as m; assert m.version({name:?}) == {version:?}");
    if read(Command::new(&python).args(["-c", &check])).is_err() {
        read(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder))?;
        read(Command::new(&python).args(["-m", "pip", "install", "-q", package]))?;
    }
    Ok(python)
}
