//! The bill of materials of the program: every crate in it, with its version and its licence, in the form of `CycloneDX`.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::command::{self, Result, read, root};
use crate::tools::installed;

/// Pinned, so that a new release does not change an old package.
const CYCLONEDX: (&str, &str) = ("cargo-cyclonedx", "0.5.9");
/// The name of the file that the tool writes beside the manifest of each crate of the workspace.
const NAME: &str = "windlass-materials";
/// The program that narrows it.
const NARROWS: &str = include_str!("sbom.py");

/// Writes the file, with as many crates as cargo builds into the program.
pub(crate) fn write(file: &Path) -> Result<()> {
    let program = installed(CYCLONEDX)?;
    let target = target()?;
    let mut make = Command::new(program);
    let words = ["cyclonedx", "--quiet", "--format", "json", "--spec-version", "1.5", "--no-build-deps"];
    make.current_dir(root()).args(words).args(["--target", &target, "--override-filename", NAME]);
    // Without the time at which it was made, so that the same crates give the same file.
    let made = read(make.env("SOURCE_DATE_EPOCH", "0"));
    let all = file.with_extension("all");
    let moved = fs::copy(root().join(NAME).with_extension("json"), &all);
    for member in ["", "client", "entity", "import", "migration", "schedule", "xtask"] {
        let _removed = fs::remove_file(root().join(member).join(NAME).with_extension("json"));
    }
    made?;
    moved.map_err(|e| format!("{NAME}.json: {e}"))?;
    let mut tree = command::cargo();
    tree.args(["tree", "--locked", "--package", "windlass", "--edges", "normal", "--prefix", "none"]);
    let tree = read(tree.args(["--target", &target, "--format", "{p}"]))?;
    let count = narrowed(&all, file, &tree);
    let _removed = fs::remove_file(&all);
    let count = count?;
    eprintln!("== the bill of materials lists {count} crates");
    Ok(())
}

/// Writes the part of a file that is in the tree, and returns the number of its crates.
fn narrowed(all: &Path, file: &Path, tree: &str) -> Result<String> {
    let mut narrow = Command::new("python3");
    narrow.args(["-c", NARROWS]).arg(all).arg(file).arg(root()).stdin(Stdio::piped());
    narrow.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = narrow.spawn().map_err(|e| format!("python3: {e}"))?;
    let mut input = child.stdin.take().ok_or("python3 reads nothing")?;
    input.write_all(tree.as_bytes()).map_err(|e| format!("python3: {e}"))?;
    drop(input);
    let output = child.wait_with_output().map_err(|e| format!("python3: {e}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}

/// The target of the programs that this machine runs.
fn target() -> Result<String> {
    let version = read(Command::new("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(ToOwned::to_owned).ok_or_else(|| "rustc does not say its target".into())
}
