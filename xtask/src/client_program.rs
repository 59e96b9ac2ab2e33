//! The programs of tests/clients, which are built in the target folder.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::command::{Result, root};
use crate::npm;
use crate::server::Server;

/// Tells a program where the server is, and its token.
pub(crate) fn with<'a>(server: &Server, command: &'a mut Command) -> &'a mut Command {
    command.env("WINDLASS_URL", &server.url).env("WINDLASS_TOKEN", &server.token)
}

/// Copies a program of tests/clients to the folder where it is built.
pub(crate) fn copied(name: &str) -> Result<PathBuf> {
    let (from, to) = (root().join("tests/clients").join(name), root().join("target/clients").join(name));
    fs::create_dir_all(&to).map_err(|e| format!("{}: {e}", to.display()))?;
    for entry in fs::read_dir(&from).map_err(|e| format!("{}: {e}", from.display()))?.flatten() {
        if entry.path().is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).map_err(|e| format!("{}: {e}", to.display()))?;
        }
    }
    Ok(to)
}

/// Copies a program of tests/clients and installs the packages of its lock file.
pub(crate) fn install(name: &str) -> Result<PathBuf> {
    let folder = copied(name)?;
    npm::install(&folder)?;
    Ok(folder)
}
