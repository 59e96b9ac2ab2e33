//! Processes that stay in the background: started on free ports, waited for, and stopped with this program.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::command::{Result, find};

const PATIENCE: Duration = Duration::from_secs(60);

/// A port of the loopback address that nobody listens on.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| e.to_string())?;
    listener.local_addr().map(|address| address.port()).map_err(|e| e.to_string())
}

/// Waits until `ready` answers yes.
pub(crate) fn wait_for(what: &str, mut ready: impl FnMut() -> bool) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if ready() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Err(format!("{what} did not answer in {} seconds", PATIENCE.as_secs()))
}

/// A new log file for the output of a program.
pub(crate) fn log(folder: &Path, name: &str) -> Result<Stdio> {
    let path = folder.join(format!("{name}.log"));
    fs::File::create(&path).map(Stdio::from).map_err(|e| format!("{}: {e}", path.display()))
}

/// A program that is stopped with this one, also when this one is killed, if util-linux is installed.
pub(crate) fn tied(program: PathBuf) -> Command {
    match find("setpriv") {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "TERM"]).arg(program);
            command
        }
        None => Command::new(program),
    }
}

/// A program in the background, stopped when dropped.
pub(crate) struct Background(Child);

impl Background {
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let name = command.get_program().display().to_string();
        command.spawn().map(Self).map_err(|e| format!("{name}: {e}"))
    }
}

impl Drop for Background {
    /// SIGTERM lets a program clean up; after 15 seconds it is killed.
    fn drop(&mut self) {
        let _asked = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status();
        let deadline = Instant::now() + Duration::from_secs(15);
        while matches!(self.0.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(100));
        }
        let _killed = self.0.kill();
        let _ended = self.0.wait();
    }
}
