//! The programs of Kubernetes, built from its Go module.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use crate::command::{Result, read, root};
use crate::go;

/// The newest minor version whose kubelet supports the containerd and the control groups of Debian 12.
pub(super) const VERSION: &str = "1.34.4";
const PROGRAMS: [&str; 4] = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet"];

/// The folder of the programs, which are built once.
pub(super) fn provide() -> Result<PathBuf> {
    let tools = root().join("target/tools");
    let folder = tools.join("kubernetes");
    let there = |program: &&str| {
        let asked = read(Command::new(folder.join(program)).arg("--version").env_clear());
        asked.is_ok_and(|text| text == format!("Kubernetes v{VERSION}"))
    };
    if PROGRAMS.iter().all(there) {
        return Ok(folder);
    }
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let go = go::program(&tools)?;
    let begun = Instant::now();
    eprintln!("building Kubernetes {VERSION}, which takes several minutes");
    let module = go::source(&go, &tools, &format!("k8s.io/kubernetes@v{VERSION}"))?;
    // A copy, because the module refers to staging folders that are modules of their own and are not part of it.
    let source = tools.join("kubernetes-source");
    let _older = fs::remove_dir_all(&source);
    read(Command::new("cp").arg("-r").arg(module).arg(&source))?;
    read(Command::new("chmod").args(["-R", "u+w"]).arg(&source))?;
    let manifest = source.join("go.mod");
    let text = fs::read_to_string(&manifest).map_err(|e| e.to_string())?;
    let parts = VERSION.split_once('.').map_or(VERSION, |(_, rest)| rest);
    let lines: Vec<String> = text.lines().map(|line| published(line, parts)).collect();
    fs::write(&manifest, lines.join("\n")).map_err(|e| e.to_string())?;
    let _none = fs::remove_dir_all(source.join("vendor"));
    let package = "k8s.io/component-base/version";
    let link = format!("-s -w -X {package}.gitVersion=v{VERSION}");
    let mut build = Command::new(&go);
    build.args(["build", "-trimpath", "-ldflags", &link, "-o"]).arg(&folder);
    build.args(PROGRAMS.map(|program| format!("./cmd/{program}"))).current_dir(&source);
    build.env("GOWORK", "off").env("GOFLAGS", "-mod=mod").env("CGO_ENABLED", "0").env("GOTOOLCHAIN", "local");
    read(&mut build)?;
    let _copy = fs::remove_dir_all(&source);
    eprintln!("built in {} seconds", begun.elapsed().as_secs());
    Ok(folder)
}

/// A line of go.mod, with a published module in place of a staging folder.
fn published(line: &str, version: &str) -> String {
    match line.trim().split_once(" => ./staging/src/") {
        Some((module, path)) => format!("\t{module} => {path} v0.{version}"),
        None => line.to_owned(),
    }
}
