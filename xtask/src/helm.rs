//! Helm, built from its Go module because no package registry has the program.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::command::{Result, read, root};
use crate::go;

const VERSION: &str = "4.3.2";

/// The program, which is built once.
pub(crate) fn provide() -> Result<PathBuf> {
    let tools = root().join("target/tools");
    let program = tools.join("helm");
    let asked = read(Command::new(&program).args(["version", "--template", "{{.Version}}"]));
    if asked.is_ok_and(|text| text == format!("v{VERSION}")) {
        return Ok(program);
    }
    fs::create_dir_all(&tools).map_err(|e| format!("{}: {e}", tools.display()))?;
    let go = go::program(&tools)?;
    eprintln!("building Helm {VERSION}, which takes a few minutes");
    let source = go::source(&go, &tools, &format!("helm.sh/helm/v4@v{VERSION}"))?;
    let link = format!("-s -w -X helm.sh/helm/v4/internal/version.version=v{VERSION}");
    let mut build = Command::new(&go);
    build.args(["build", "-trimpath", "-ldflags", &link, "-o"]).arg(&program).arg("./cmd/helm");
    read(build.current_dir(source).env("CGO_ENABLED", "0").env("GOTOOLCHAIN", "local"))?;
    Ok(program)
}
