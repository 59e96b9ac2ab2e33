//! `cargo xtask image [--release]`: the container image from scratch, of the static program and nothing that it does not need.
//!
//! It is made without an engine, as an OCI layout and as an archive that `docker load` reads too. Then an engine runs it.

mod content;
mod layout;
mod tour;

use std::fs;
use std::process::Command;

use crate::command::{Result, read, root};
use crate::static_program::{self, Profile};

pub(crate) fn run_all(profile: Profile) -> Result<()> {
    let program = static_program::build(profile)?;
    let folder = root().join(content::FOLDER);
    let _older = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    // A release is stripped already.
    let stripped = folder.join("windlass");
    read(Command::new("strip").arg("-o").arg(&stripped).arg(&program))?;
    let layer = content::layer(&folder, &stripped)?;
    let archive = layout::write(&folder, &layer)?;
    let size = fs::metadata(&archive).map_err(|e| e.to_string())?.len();
    eprintln!("== {} ({} MiB)", archive.display(), size / (1024 * 1024));
    tour::run(&archive)
}
