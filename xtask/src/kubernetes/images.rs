//! The images of the pods, made from Debian's busybox and imported into containerd.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::machine::Machine;
use crate::command::{self, Result, find, read, root};
use crate::opentofu;

/// Only busybox.
pub(super) const BUSYBOX: &str = "windlass.test/busybox:1";
/// With OpenTofu.
pub(super) const TOFU: &str = "windlass.test/opentofu:1.12.6";
/// With the server.
pub(super) const SERVER: &str = "windlass.test/windlass:1";
/// The container that keeps the network of a pod.
pub(super) const PAUSE: &str = "windlass.test/pause:1";

/// Imports all images.
pub(super) fn import_all(machine: &Machine) -> Result<()> {
    import(machine, PAUSE, r#""Entrypoint": ["/bin/busybox", "sleep", "2147483647"]"#, &[])?;
    import(machine, BUSYBOX, r#""Cmd": ["sh"]"#, &[])?;
    let tofu = (opentofu::provide()?.join("tofu"), PathBuf::from("bin/tofu"));
    import(machine, TOFU, r#""Cmd": ["sh"]"#, &[tofu])?;
    import(machine, SERVER, r#""Entrypoint": ["/bin/windlass"]"#, &server(machine)?)
}

/// Imports an image of busybox with `more` files, given as their paths here and in the image.
fn import(machine: &Machine, name: &str, starts: &str, more: &[(PathBuf, PathBuf)]) -> Result<()> {
    let busybox = find("busybox").ok_or("busybox is not installed")?;
    let folder = machine.folder.join("image");
    let _older = fs::remove_dir_all(&folder);
    for part in ["root/bin", "root/tmp", "root/etc", "archive"] {
        fs::create_dir_all(folder.join(part)).map_err(|e| e.to_string())?;
    }
    fs::copy(&busybox, folder.join("root/bin/busybox")).map_err(|e| e.to_string())?;
    for applet in read(Command::new(&busybox).arg("--list"))?.lines().filter(|applet| *applet != "busybox") {
        let link = folder.join("root/bin").join(applet);
        std::os::unix::fs::symlink("/bin/busybox", link).map_err(|e| e.to_string())?;
    }
    for (from, to) in more {
        let to = folder.join("root").join(to);
        let parent = to.parent().ok_or("a file without a folder")?;
        fs::create_dir_all(parent).map_err(|e| e.to_string())?;
        fs::copy(from, &to).map_err(|e| format!("{}: {e}", from.display()))?;
    }
    let layer = folder.join("archive/layer.tar");
    read(Command::new("tar").arg("-C").arg(folder.join("root")).arg("-cf").arg(&layer).arg("."))?;
    let sum = read(Command::new("sha256sum").arg(&layer))?;
    let sum = sum.split(' ').next().unwrap_or_default();
    let config = format!(
        r#"{{"architecture": "{}", "os": "linux", "config": {{"Env": ["PATH=/bin"], {starts}}},
          "rootfs": {{"type": "layers", "diff_ids": ["sha256:{sum}"]}}}}"#,
        if std::env::consts::ARCH == "aarch64" { "arm64" } else { "amd64" }
    );
    machine.write("image/archive/config.json", config)?;
    let manifest = format!(r#"[{{"Config": "config.json", "RepoTags": ["{name}"], "Layers": ["layer.tar"]}}]"#);
    machine.write("image/archive/manifest.json", manifest)?;
    let archive = folder.join("image.tar");
    read(Command::new("tar").arg("-C").arg(folder.join("archive")).arg("-cf").arg(&archive).arg("."))?;
    machine.ctr(&["images", "import", &archive.display().to_string()]).map(|_| ())
}

/// The server and the libraries that it is linked with, with their paths in the image.
fn server(machine: &Machine) -> Result<Vec<(PathBuf, PathBuf)>> {
    // The program that the tests have built, as in `server::start`.
    command::run(command::cargo().args(["test", "--workspace", "--no-run"]))?;
    let program = machine.folder.join("windlass");
    let built = root().join("target/debug/windlass");
    read(Command::new("strip").arg("-o").arg(&program).arg(&built))?;
    let libraries = read(Command::new("ldd").arg(&built))?;
    let paths = libraries.split_whitespace().filter(|word| word.starts_with('/'));
    let same = paths.map(|path| (PathBuf::from(path), PathBuf::from(path.trim_start_matches('/'))));
    Ok(std::iter::once((program, PathBuf::from("bin/windlass"))).chain(same).collect())
}
