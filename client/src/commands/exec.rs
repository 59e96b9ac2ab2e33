//! `windlass exec` and `windlass check ping`: jobs that run elsewhere tell their check how it goes. Neither needs a token.

use std::io::Write;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use clap::Args;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Child;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::passed_signals::{Signals, exit_code, pass_on};
use crate::api::base;
use crate::failure::{Failure, Result};

/// The end of the output that is sent; the server keeps as much.
const KEPT: usize = 100_000;
/// How often a ping is tried, and the pause before the next one.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_secs(2);
/// How long an answer may take. A command does not wait longer for its server.
const WAIT: Duration = Duration::from_secs(10);
/// How long the rest of the output of a command may take that was stopped: what it has started may still have it open.
const REST: Duration = Duration::from_secs(1);

#[derive(Args)]
pub(crate) struct Exec {
    /// The key of the check.
    #[arg(long, env = "WINDLASS_PING_KEY", hide_env_values = true)]
    key: String,
    /// The command, after `--`.
    #[arg(last = true, required = true)]
    command: Vec<std::ffi::OsString>,
}

#[derive(Args)]
pub(crate) struct Ping {
    /// What is told: success, start, fail, log, or an exit code.
    #[arg(default_value = "success", value_parser = told)]
    state: String,
    /// The key of the check.
    #[arg(long, env = "WINDLASS_PING_KEY", hide_env_values = true)]
    key: String,
}

fn told(text: &str) -> std::result::Result<String, String> {
    let known = matches!(text, "success" | "start" | "fail" | "log") || text.parse::<u8>().is_ok();
    if known {
        Ok(text.to_owned())
    } else {
        Err("must be success, start, fail, log, or an exit code from 0 to 255".into())
    }
}

/// Sends one ping.
pub(crate) async fn ping(url: &str, ping: Ping) -> Result<()> {
    let Ping { state, key } = ping;
    let path = if state == "success" { String::new() } else { format!("/{state}") };
    Target::new(url, &key)?.send(&path, Vec::new(), TRIES).await
}

/// Runs a command here, and reports its start, the end of its output and its exit code, which is returned. A signal is for the command.
pub(crate) async fn exec(url: &str, exec: Exec) -> Result<u8> {
    let Exec { key, command } = exec;
    let target = Target::new(url, &key)?;
    let Some((program, arguments)) = command.split_first() else {
        return Err(Failure::Usage("give a command after --".into()));
    };
    let mut signals = Signals::listen().map_err(|error| Failure::Refused(error.to_string()))?;
    // The command runs even if its server cannot be told, and does not wait for that.
    let stopped = tokio::select! {
        () = target.try_to_send("/start", Vec::new(), 1) => None,
        signal = signals.next() => Some(exit_code(signal.as_raw())),
    };
    if let Some(code) = stopped {
        let text = "a signal came before the command was started";
        target.try_to_send(&format!("/{code}"), text.into(), TRIES).await;
        return Ok(code);
    }
    let mut started = tokio::process::Command::new(program);
    let started = started.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = match started {
        Ok(child) => child,
        Err(error) => {
            let text = format!("{} cannot be started: {error}", program.display());
            target.try_to_send("/127", text.clone().into_bytes(), TRIES).await;
            return Err(Failure::Refused(text));
        }
    };
    let kept = Mutex::new(Vec::new());
    let ended = follow(child, &mut signals, &kept).await;
    let ended = ended.map_err(|error| Failure::Refused(format!("the command cannot be waited for: {error}")))?;
    let code = code(ended);
    target.try_to_send(&format!("/{code}"), kept.into_inner(), TRIES).await;
    Ok(code)
}

/// Waits for the end of a command and of its output, and passes signals on to it.
async fn follow(mut child: Child, signals: &mut Signals, kept: &Mutex<Vec<u8>>) -> std::io::Result<ExitStatus> {
    let (out, errors) = (child.stdout.take(), child.stderr.take());
    let output = async { tokio::join!(pass(out, std::io::stdout(), kept), pass(errors, std::io::stderr(), kept)) };
    let mut output = std::pin::pin!(output);
    let (mut is_read, mut is_stopped) = (false, false);
    let ended = loop {
        tokio::select! {
            ended = child.wait() => break ended?,
            signal = signals.next() => {
                is_stopped = true;
                pass_on(signal, &child);
            }
            _ = &mut output, if !is_read => is_read = true,
        }
    };
    if !is_read {
        // What the command has started may keep its output open. There is no command any more that a signal would be for.
        let enough = async {
            if is_stopped {
                tokio::time::sleep(REST).await;
            } else {
                signals.next().await;
            }
        };
        tokio::select! {
            _ = &mut output => {}
            () = enough => {}
        }
    }
    Ok(ended)
}

/// The exit code of a process; as a shell does, 128 and the number of the signal that ended it.
fn code(ended: ExitStatus) -> u8 {
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&ended) {
        return exit_code(signal);
    }
    ended.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(255)
}

/// Passes output on, and keeps its end.
async fn pass(from: Option<impl AsyncRead + Unpin>, mut to: impl Write, kept: &Mutex<Vec<u8>>) {
    let Some(mut from) = from else { return };
    let mut piece = vec![0; 8192];
    while let Ok(count) = from.read(&mut piece).await {
        let Some(read) = piece.get(..count).filter(|read| !read.is_empty()) else { return };
        keep(&mut *kept.lock().await, read);
        // The command goes on if nobody reads its output here.
        let _written = to.write_all(read);
        let _flushed = to.flush();
    }
}

/// Adds output, and forgets what is too old.
fn keep(kept: &mut Vec<u8>, read: &[u8]) {
    kept.extend_from_slice(read);
    if kept.len() > 2 * KEPT {
        kept.drain(..kept.len() - KEPT);
    }
}

/// Where the pings of one run go.
struct Target {
    address: String,
    /// Tells the pings of one run from those of another one.
    run: Uuid,
    http: reqwest::Client,
}

impl Target {
    fn new(url: &str, key: &str) -> Result<Self> {
        let address = address(url, key)?;
        let http = reqwest::Client::builder().timeout(WAIT).build();
        let http = http.map_err(|error| Failure::Refused(error.to_string()))?;
        Ok(Self { address, run: Uuid::new_v4(), http })
    }

    async fn send(&self, path: &str, mut log: Vec<u8>, tries: u32) -> Result<()> {
        log.drain(..log.len().saturating_sub(KEPT));
        let mut why = String::new();
        for attempt in 0..tries {
            if attempt > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            let request = self.http.post(format!("{}{path}", self.address)).query(&[("rid", self.run.to_string())]);
            match request.body(log.clone()).send().await {
                Ok(answer) if answer.status().is_success() => return Ok(()),
                Ok(answer) if answer.status().as_u16() == 404 => {
                    return Err(Failure::NotFound("there is no check with this key".into()));
                }
                Ok(answer) => why = format!("the server answered {}", answer.status()),
                // Without the address, which contains the key.
                Err(error) => why = error.without_url().to_string(),
            }
        }
        Err(Failure::Refused(format!("the ping was not accepted: {why}")))
    }

    /// Sends a ping; a command is not held up by its check.
    async fn try_to_send(&self, path: &str, log: Vec<u8>, tries: u32) {
        if let Err(failure) = self.send(path, log, tries).await {
            // There is nobody to tell if that fails.
            let _told = writeln!(std::io::stderr(), "windlass: {failure}");
        }
    }
}

/// The address of the pings of a check.
fn address(url: &str, key: &str) -> Result<String> {
    let base = base(url)?;
    if key.is_empty() || !key.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_') {
        return Err(Failure::Usage("--key is not the key of a check".into()));
    }
    Ok(format!("{base}/ping/{key}"))
}

#[cfg(test)]
mod tests {
    use super::{KEPT, address, keep, told};

    #[test]
    fn the_end_of_the_output_is_kept() {
        let mut kept = Vec::new();
        for _ in 0..50 {
            keep(&mut kept, &[b'a'; 8192]);
        }
        keep(&mut kept, b"the end");
        assert!(kept.ends_with(b"the end") && (KEPT..=2 * KEPT).contains(&kept.len()), "{}", kept.len());
    }

    #[test]
    fn states_and_keys_are_checked_before_anything_is_sent() {
        for known in ["success", "start", "fail", "log", "0", "255"] {
            assert!(told(known).is_ok(), "{known}");
        }
        for unknown in ["", "256", "-1", "failed", "start/x"] {
            assert!(told(unknown).is_err(), "{unknown}");
        }
        assert_eq!(address("http://127.0.0.1:1/", "abc_-1").unwrap(), "http://127.0.0.1:1/ping/abc_-1");
        for (url, key) in [("127.0.0.1:1", "abc"), ("http://127.0.0.1:1", ""), ("http://127.0.0.1:1", "a/b")] {
            assert!(address(url, key).is_err(), "{url} {key}");
        }
    }
}
