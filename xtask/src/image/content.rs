//! The files of the image, as one layer: the same bytes whenever it is made of the same files.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{Result, read};
use crate::packages;

/// Where the image is made.
pub(super) const FOLDER: &str = "target/image";
/// The name of the image in an engine.
pub(super) const NAME: &str = concat!("windlass:", env!("CARGO_PKG_VERSION"));
/// The user of the server. Its data are in a volume.
pub(super) const USER: &str = "10001:10001";
pub(super) const HOME: &str = "var/lib/windlass";
/// The certificates of the authorities that Mozilla trusts, from Debian; not those that somebody has added to this machine.
const AUTHORITIES: &str = "/usr/share/ca-certificates/mozilla";
/// Where the program looks for them.
pub(super) const CERTIFICATES: &str = "etc/ssl/certs/ca-certificates.crt";

/// Everything that is in the image.
const CONTENT: [&str; 14] = [
    "etc/",
    "etc/group",
    "etc/passwd",
    "etc/ssl/",
    "etc/ssl/certs/",
    CERTIFICATES,
    "tmp/",
    "usr/",
    "usr/bin/",
    "usr/bin/windlass",
    "var/",
    "var/lib/",
    "var/lib/windlass/",
    "var/lib/windlass/data/",
];

/// Writes the archive of the files.
pub(super) fn layer(folder: &Path, program: &Path) -> Result<PathBuf> {
    let top = folder.join("root");
    for part in ["etc/ssl/certs", "tmp", "usr/bin", "var/lib/windlass/data"] {
        fs::create_dir_all(top.join(part)).map_err(|e| format!("{part}: {e}"))?;
    }
    write(&top, "etc/passwd", &format!("windlass:x:{USER}:Windlass:/{HOME}:/usr/sbin/nologin\n"))?;
    write(&top, "etc/group", "windlass:x:10001:\n")?;
    write(&top, CERTIFICATES, &authorities()?)?;
    fs::copy(program, top.join("usr/bin/windlass")).map_err(|e| e.to_string())?;
    for (path, mode) in [("usr/bin/windlass", 0o755), ("tmp", 0o1777), (HOME, 0o700), ("var/lib/windlass/data", 0o700)]
    {
        fs::set_permissions(top.join(path), fs::Permissions::from_mode(mode)).map_err(|e| format!("{path}: {e}"))?;
    }
    let layer = folder.join("layer.tar");
    let tar = |action: &str, owner: &str, parts: &[&str]| {
        let mut tar = Command::new("tar");
        tar.arg("-C").arg(&top).args([action, "--numeric-owner", "--format=ustar", "--sort=name", "--mtime=@0"]);
        tar.arg(format!("--owner={owner}")).arg(format!("--group={owner}")).arg("--file").arg(&layer);
        read(tar.arg(format!("--exclude={}", if owner == "0" { HOME } else { "" })).args(parts)).map(drop)
    };
    tar("--create", "0", &["etc", "tmp", "usr", "var"])?;
    tar("--append", "10001", &[HOME])?;
    let found = read(Command::new("tar").arg("--list").arg("--file").arg(&layer))?;
    if found.lines().collect::<Vec<_>>() != CONTENT {
        return Err(format!("the image has other files than it should:\n{found}"));
    }
    Ok(layer)
}

fn write(top: &Path, path: &str, text: &str) -> Result<()> {
    fs::write(top.join(path), text).map_err(|e| format!("{path}: {e}"))
}

/// The certificates of all authorities, in one file.
fn authorities() -> Result<String> {
    if !Path::new(AUTHORITIES).is_dir() {
        packages::install(&[], &["ca-certificates"]);
    }
    let entries = fs::read_dir(AUTHORITIES).map_err(|e| format!("{AUTHORITIES}: {e}"))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let texts: Result<Vec<String>> =
        files.iter().map(|file| fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))).collect();
    let texts = texts?;
    if texts.len() < 100 || !texts.iter().all(|text| text.starts_with("-----BEGIN CERTIFICATE-----")) {
        return Err(format!("{AUTHORITIES} does not have the certificates of all authorities"));
    }
    Ok(texts.concat())
}
