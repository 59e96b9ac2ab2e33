//! The provider of the tests of the private registry, built from its source with Go.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::command::{Result, read, root};
use crate::go;

/// The program, which Go builds again only if its source has changed.
pub(crate) fn provide() -> Result<PathBuf> {
    let tools = root().join("target/tools");
    fs::create_dir_all(&tools).map_err(|e| format!("{}: {e}", tools.display()))?;
    let program = tools.join("terraform-provider-internal");
    let go = go::program(&tools)?;
    let mut build = Command::new(&go);
    build.args(["build", "-trimpath", "-ldflags", "-s -w", "-o"]).arg(&program).arg(".");
    let source = root().join("tests/clients/provider");
    read(build.current_dir(source).env("CGO_ENABLED", "0").env("GOTOOLCHAIN", "local"))?;
    Ok(program)
}
