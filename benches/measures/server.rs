//! Programs that run beside the benchmark.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// A program that is killed when dropped.
pub(crate) struct Server {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
    pub(crate) address: String,
    pub(crate) token: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        // A server removes what it started when it is asked to end.
        let _asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
        while matches!(self.child.try_wait(), Ok(None)) && std::time::Instant::now() < deadline {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let _gone = self.child.kill();
        let _ended = self.child.wait();
    }
}

impl Server {
    /// Starts a program that prints something.
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output, address: String::new(), token: String::new() }
    }

    /// This program again, with another task.
    pub(crate) fn own(words: &[&str]) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(words);
        command
    }

    /// The next line of its output.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        assert!(self.output.read_line(&mut line).unwrap() > 0, "the program ended early");
        line.trim_end().to_owned()
    }

    /// The numbers of the next line of its output.
    pub(crate) fn numbers(&mut self) -> Vec<f64> {
        let line = self.line();
        line.split_whitespace().map(|word| word.parse().unwrap_or_else(|_| panic!("no numbers: {line}"))).collect()
    }

    /// Reads the greeting of a server up to its address, and its token at a first start.
    pub(crate) fn greeting(mut self, first: bool) -> Self {
        while self.address.is_empty() || (first && self.token.is_empty()) {
            let line = self.line();
            let address = |word: &str| {
                word.split_once("://").filter(|(scheme, _)| scheme.starts_with("http")).map(|(_, rest)| rest.to_owned())
            };
            if let Some(url) = line.split_whitespace().find_map(address)
                && self.address.is_empty()
            {
                url.trim_end_matches('/').clone_into(&mut self.address);
            }
            if let Some(token) = line.split("TOKEN=").nth(1) {
                token.trim().clone_into(&mut self.token);
            }
        }
        self
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}
