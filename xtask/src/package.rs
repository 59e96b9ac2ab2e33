//! `cargo xtask package`: builds the Debian package from the program that is there, with its bill of materials, and installs,
//! upgrades and removes it in a folder.
//!
//! The program is that of the debug build, because the package is what is tested. `cargo deb` alone packs a release.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{self, Result, find, read, root, run};
use crate::tools::installed;
use crate::{packages, sbom};

/// Pinned, so that a new release does not change an old package.
const CARGO_DEB: (&str, &str) = ("cargo-deb", "3.8.0");

/// Where the package and the system that it is installed into are made.
const FOLDER: &str = "target/package";
const UNIT: &str = "usr/lib/systemd/system/windlass.service";
const SETTINGS: &str = "etc/windlass/windlass.env";
const DATA: &str = "var/lib/windlass";

/// What is in the package, with its mode.
const CONTENT: [(&str, u32); 10] = [
    ("usr/bin/windlass", 0o755),
    (UNIT, 0o644),
    ("usr/lib/sysusers.d/windlass.conf", 0o644),
    ("usr/lib/tmpfiles.d/windlass.conf", 0o644),
    ("usr/share/bash-completion/completions/windlass", 0o644),
    ("usr/share/zsh/vendor-completions/_windlass", 0o644),
    ("usr/share/fish/vendor_completions.d/windlass.fish", 0o644),
    ("usr/share/man/man1/windlass.1.gz", 0o644),
    ("usr/share/doc/windlass/windlass.cdx.json", 0o644),
    (SETTINGS, 0o600),
];

pub(crate) fn run_all() -> Result<()> {
    packages::install(&[("dpkg-shlibdeps", "dpkg-dev"), ("systemd-analyze", "systemd")], &[]);
    let program = root().join("target/debug/windlass");
    if !program.is_file() {
        run(command::cargo().args(["build", "--locked"]))?;
    }
    generated(&program)?;
    let (first, second) = (build("1")?, build("2")?);
    eprintln!("== {}", first.display());
    if find("dpkg").is_none() || !is_root()? {
        eprintln!("== SKIPPED: the package was built, and is installed only by root on Debian");
        return Ok(());
    }
    let system = System::new()?;
    system.installs(&first)?;
    system.is_checked()?;
    system.upgrades(&second)?;
    system.removes()?;
    eprintln!("== the package was installed, upgraded and removed");
    Ok(())
}

fn is_root() -> Result<bool> {
    Ok(read(Command::new("id").arg("-u"))? == "0")
}

/// The completions and the manual pages, which the program writes, and the bill of materials.
fn generated(program: &Path) -> Result<()> {
    let folder = root().join(FOLDER);
    let _removed = fs::remove_dir_all(&folder);
    let man = folder.join("man");
    fs::create_dir_all(&man).map_err(|error| error.to_string())?;
    for (shell, name) in [("bash", "windlass.bash"), ("zsh", "_windlass"), ("fish", "windlass.fish")] {
        let script = read(Command::new(program).args(["completions", shell]))?;
        fs::write(folder.join(name), script + "\n").map_err(|error| error.to_string())?;
    }
    run(Command::new(program).arg("man").arg(man))?;
    sbom::write(&folder.join("windlass.cdx.json"))
}

fn build(revision: &str) -> Result<PathBuf> {
    let program = installed(CARGO_DEB)?;
    let file = root().join(FOLDER).join(format!("windlass_{revision}.deb"));
    let mut build = Command::new(program);
    build.current_dir(root()).args([
        "--no-build",
        "--no-strip",
        "--fast",
        "--profile",
        "dev",
        "--deb-revision",
        revision,
    ]);
    run(build.arg("--output").arg(&file))?;
    Ok(file)
}

/// A system in a folder, with nothing but what the package needs. Maintainer scripts run outside of it, and know its folder.
struct System(PathBuf);

impl System {
    fn new() -> Result<Self> {
        let folder = root().join(FOLDER).join("system");
        for part in ["var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers", "etc"] {
            fs::create_dir_all(folder.join(part)).map_err(|error| error.to_string())?;
        }
        for file in ["var/lib/dpkg/status", "var/lib/dpkg/available", "etc/passwd", "etc/group"] {
            fs::write(folder.join(file), "").map_err(|error| error.to_string())?;
        }
        Ok(Self(folder))
    }

    fn dpkg(&self, words: &[&str], file: Option<&Path>) -> Result<()> {
        let mut dpkg = Command::new("dpkg");
        dpkg.arg(format!("--root={}", self.0.display()));
        // There is no other package in this system, nor a shell.
        dpkg.args(["--force-script-chrootless", "--force-depends", "--force-confold"]).args(words).args(file);
        run(&mut dpkg)
    }

    fn installs(&self, file: &Path) -> Result<()> {
        self.dpkg(&["--install"], Some(file))?;
        for (path, mode) in CONTENT {
            let found = fs::metadata(self.0.join(path)).map_err(|error| format!("{path}: {error}"))?;
            expect(found.permissions().mode() & 0o777 == mode, &format!("{path} has the mode {mode:o}"))?;
        }
        let users = fs::read_to_string(self.0.join("etc/passwd")).map_err(|error| error.to_string())?;
        let user = users.lines().find(|line| line.starts_with("windlass:")).ok_or("there is no user windlass")?;
        let id = user.split(':').nth(2).unwrap_or_default();
        let data = fs::metadata(self.0.join(DATA)).map_err(|error| format!("{DATA}: {error}"))?;
        expect(
            data.uid().to_string() == id && data.mode() & 0o777 == 0o700,
            "the data folder belongs to the user alone",
        )?;
        let version = read(Command::new(self.0.join("usr/bin/windlass")).arg("--version"))?;
        expect(version.starts_with("windlass "), "the program says its version")
    }

    /// The unit can be started, and keeps the server from most of the machine.
    fn is_checked(&self) -> Result<()> {
        if find("systemd-analyze").is_none() {
            eprintln!("== SKIPPED: systemd-analyze is not installed");
            return Ok(());
        }
        let unit = self.0.join(UNIT);
        // The targets of a whole system are not there, but the program is.
        let copy = root().join(FOLDER).join("windlass.service");
        let text = fs::read_to_string(&unit).map_err(|error| error.to_string())?;
        let program = self.0.join("usr/bin/windlass").display().to_string();
        fs::write(&copy, text.replace("/usr/bin/windlass", &program)).map_err(|error| error.to_string())?;
        run(Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&copy))?;
        run(Command::new("systemd-analyze")
            .args(["security", "--offline=true", "--threshold=20", "--no-pager"])
            .arg(&unit))
    }

    /// Changed settings and data stay.
    fn upgrades(&self, file: &Path) -> Result<()> {
        let settings = self.0.join(SETTINGS);
        fs::write(&settings, "WINDLASS_LISTEN=127.0.0.1:9090\n").map_err(|error| error.to_string())?;
        fs::write(self.0.join(DATA).join("secret.key"), "key").map_err(|error| error.to_string())?;
        self.dpkg(&["--install"], Some(file))?;
        let kept = fs::read_to_string(&settings).map_err(|error| error.to_string())?;
        expect(kept.contains("9090"), "changed settings are kept")?;
        let status = fs::read_to_string(self.0.join("var/lib/dpkg/status")).map_err(|error| error.to_string())?;
        expect(
            status.lines().any(|line| line.starts_with("Version:") && line.ends_with("-2")),
            "the new version is installed",
        )
    }

    fn removes(&self) -> Result<()> {
        self.dpkg(&["--remove", "windlass"], None)?;
        for (path, _) in CONTENT {
            expect(
                self.0.join(path).exists() == (path == SETTINGS),
                &format!("after removal only the settings are left: {path}"),
            )?;
        }
        self.dpkg(&["--purge", "windlass"], None)?;
        expect(!self.0.join(SETTINGS).exists(), "purging removes the settings")?;
        expect(self.0.join(DATA).join("secret.key").exists(), "purging leaves the data")
    }
}

fn expect(is_so: bool, what: &str) -> Result<()> {
    if is_so { Ok(()) } else { Err(format!("not so: {what}")) }
}
