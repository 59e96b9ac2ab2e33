//! A PostgreSQL server for the tests.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{Result, find, read, run};
use crate::process::{Background, free_port, log, tied, wait_for};

/// A running server; stopped when dropped, and its data removed.
pub(crate) struct Postgres {
    pub(crate) url: String,
    // Fields are dropped in this order: the server has stopped when its folder is removed.
    _process: Background,
    _data: Data,
}

struct Data(PathBuf);

impl Drop for Data {
    fn drop(&mut self) {
        let _removed = fs::remove_dir_all(&self.0);
    }
}

/// The folder of `initdb`, which Debian keeps off the PATH.
pub(crate) fn programs() -> Option<PathBuf> {
    if let Some(program) = find("initdb") {
        // A link in another folder has none of the other programs beside it.
        return fs::canonicalize(program).ok()?.parent().map(PathBuf::from);
    }
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut folders: Vec<PathBuf> = versions.flatten().map(|entry| entry.path().join("bin")).collect();
    folders.sort();
    folders.into_iter().rev().find(|folder| folder.join("initdb").is_file())
}

/// As another user where this one is root: PostgreSQL refuses root.
fn as_postgres(program: PathBuf) -> Result<Command> {
    let mut command = tied(program);
    if read(Command::new("id").arg("-u"))? == "0" {
        let number =
            |flag| read(Command::new("id").args([flag, "postgres"]))?.parse::<u32>().map_err(|e| e.to_string());
        command.gid(number("-g")?).uid(number("-u")?);
    }
    command.current_dir("/");
    Ok(command)
}

/// Starts a server that listens on `address` and lets in everybody who can reach it.
pub(crate) fn start(address: &str, folder: &Path) -> Result<Postgres> {
    let programs = programs().ok_or("initdb is not installed")?;
    // Not below target: the user `postgres` may not be able to reach it there.
    let data = Data(std::env::temp_dir().join(format!("windlass-postgres-{}-{address}", std::process::id())));
    run(as_postgres(programs.join("initdb"))?
        .args(["--no-sync", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "-D"])
        .arg(&data.0)
        .stdout(log(folder, "initdb")?))?;
    if address != "127.0.0.1" {
        let rules = fs::read_to_string(data.0.join("pg_hba.conf")).map_err(|e| e.to_string())?;
        fs::write(data.0.join("pg_hba.conf"), format!("{rules}host all all {address}/24 trust\n"))
            .map_err(|e| e.to_string())?;
    }
    let port = free_port()?;
    let settings = [
        format!("port={port}"),
        format!("listen_addresses={address}"),
        "unix_socket_directories=".into(),
        "fsync=off".into(),
        "max_connections=300".into(),
    ];
    let mut command = as_postgres(programs.join("postgres"))?;
    command.arg("-D").arg(&data.0).args(settings.iter().flat_map(|setting| ["-c", setting.as_str()]));
    command.stdout(log(folder, "postgres")?).stderr(log(folder, "postgres-errors")?);
    let process = Background::start(&mut command)?;
    wait_for("PostgreSQL", || {
        let mut ready = Command::new(programs.join("pg_isready"));
        read(ready.args(["-q", "-h", address, "-p", &port.to_string()])).is_ok()
    })?;
    Ok(Postgres { url: format!("postgres://postgres@{address}:{port}/postgres"), _process: process, _data: data })
}
