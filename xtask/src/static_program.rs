//! The program without any library of the machine: linked statically with musl.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{self, Result, find, read, root, run};
use crate::packages;

/// Which build of the program is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Unoptimized, for tests.
    Debug,
    Release,
}

/// The target of this machine's processor.
pub(crate) fn target() -> String {
    format!("{}-unknown-linux-musl", std::env::consts::ARCH)
}

/// Builds the program, and checks that it needs no other file to be started.
pub(crate) fn build(profile: Profile) -> Result<PathBuf> {
    packages::install(&[("musl-gcc", "musl-tools")], &[]);
    find("musl-gcc").ok_or("musl-gcc is not installed (Debian package musl-tools)")?;
    let target = target();
    let library = PathBuf::from(read(Command::new("rustc").args(["--print", "target-libdir", "--target", &target]))?);
    if !library.is_dir() {
        run(Command::new("rustup").args(["target", "add", &target]).current_dir(root()))?;
    }
    let mut build = command::cargo();
    build.args(["build", "--locked", "--bin", "windlass", "--target", &target]);
    let folder = match profile {
        Profile::Debug => "debug",
        Profile::Release => {
            build.arg("--release");
            "release"
        }
    };
    run(&mut build)?;
    let program = root().join("target").join(&target).join(folder).join("windlass");
    is_static(&program)?;
    Ok(program)
}

fn is_static(program: &Path) -> Result<()> {
    let parts = read(Command::new("readelf").args(["--wide", "--program-headers", "--dynamic"]).arg(program))?;
    match parts.lines().find(|line| line.contains("INTERP") || line.contains("(NEEDED)")) {
        None => Ok(()),
        Some(line) => Err(format!("{} is not linked statically: {}", program.display(), line.trim())),
    }
}
