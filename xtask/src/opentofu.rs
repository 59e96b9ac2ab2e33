//! OpenTofu, built from its source because no package registry has the program.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::command::{Result, read, root};
use crate::go;

const VERSION: &str = "1.12.6";

/// The folder of the program `tofu`, which is built once.
pub(crate) fn provide() -> Result<PathBuf> {
    let folder = root().join("target/tools");
    let program = folder.join("tofu");
    let asked = read(Command::new(&program).arg("version").env_clear());
    if asked.is_ok_and(|text| text.contains(&format!("OpenTofu v{VERSION}"))) {
        return Ok(folder);
    }
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let go = go::program(&folder)?;
    eprintln!("building OpenTofu {VERSION}");
    let source = go::source(&go, &folder, &format!("github.com/opentofu/opentofu@v{VERSION}"))?;
    let link = "-s -w -X github.com/opentofu/opentofu/version.dev=no";
    let mut build = Command::new(&go);
    build.args(["build", "-trimpath", "-ldflags", link, "-o"]).arg(&program).arg("./cmd/tofu");
    read(build.current_dir(source).env("CGO_ENABLED", "0").env("GOTOOLCHAIN", "local"))?;
    Ok(folder)
}
