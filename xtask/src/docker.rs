//! A Docker engine for the tests, with the image that they run.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::command::{Result, find, read};
use crate::process::{Background, log, tied, wait_for};

/// The image that tests run, made from Debian's busybox.
pub(crate) const IMAGE: &str = "docker.io/library/busybox:1.36.1";

/// Starts an engine, unless one answers already, and builds the image.
pub(crate) fn start(folder: &Path) -> Result<Option<Background>> {
    if find("docker").is_none() {
        return Err("docker is not installed".into());
    }
    let mut engine = None;
    if !engine_answers() {
        let program = find("dockerd").ok_or("no engine answers, and dockerd is not installed")?;
        let mut command = tied(program);
        command.arg("--data-root").arg(folder.join("docker")).arg("--exec-root").arg(folder.join("docker-run"));
        command.arg("--pidfile").arg(folder.join("docker.pid"));
        command.stdout(Stdio::null()).stderr(log(folder, "dockerd")?);
        engine = Some(Background::start(&mut command)?);
        wait_for("dockerd", engine_answers)?;
    }
    if read(Command::new("docker").args(["image", "inspect", IMAGE])).is_err() {
        build_image(folder)?;
    }
    Ok(engine)
}

/// Builds the image here, because the machine may have no registry to pull it from.
fn build_image(folder: &Path) -> Result<()> {
    let busybox = find("busybox").ok_or("busybox-static is not installed")?;
    let context = folder.join("image");
    fs::create_dir_all(&context).map_err(|e| e.to_string())?;
    fs::copy(busybox, context.join("busybox")).map_err(|e| e.to_string())?;
    let dockerfile = "FROM scratch\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"--install\", \"-s\", \"/bin\"]\n\
         ENV PATH=/bin\nCMD [\"sh\"]\n";
    fs::write(context.join("Dockerfile"), dockerfile).map_err(|e| e.to_string())?;
    let mut build = Command::new("docker");
    build.args(["build", "-q", "-t", IMAGE]).arg(&context).env("DOCKER_BUILDKIT", "0");
    read(&mut build).map(|_| ())
}

fn engine_answers() -> bool {
    read(Command::new("docker").args(["version", "--format", "{{.Server.Version}}"])).is_ok()
}
