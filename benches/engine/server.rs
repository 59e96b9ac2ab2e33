//! A server as a process of its own, and what it uses.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server that is stopped when dropped.
pub(crate) struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _ended = self.0.wait();
    }
}

/// Starts a server; returns it with its URL and the token of its first start.
pub(crate) fn serve(folder: &Path, words: &[&str]) -> (Server, String, String) {
    let out = folder.join("out");
    let mut command = Command::new(env!("CARGO_BIN_EXE_windlass"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--log", "off", "--data-dir"]).arg(folder).args(words);
    command.stdout(std::fs::File::create(&out).unwrap()).stderr(Stdio::null());
    let server = Server(command.spawn().unwrap());
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        assert!(Instant::now() < deadline, "the server does not start");
        std::thread::sleep(Duration::from_millis(50));
        let text = std::fs::read_to_string(&out).unwrap();
        let Some(url) = text.split_whitespace().find(|word| word.starts_with("http://")) else { continue };
        let token = text.split("TOKEN=").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap_or_default();
        if !token.is_empty() || !text.contains("TOKEN") {
            return (server, url.to_owned(), token.to_owned());
        }
    }
}

impl Server {
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }
}

/// The CPU time of a process; a clock tick of Linux is a hundredth of a second.
pub(crate) fn cpu_seconds(process: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

/// The resident memory of a process.
pub(crate) fn memory_mib(process: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = text.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}
