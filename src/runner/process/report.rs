//! What a supervisor reports about its step.

use std::os::unix::net::UnixStream;

use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};

use super::supervisor::{EXITED, FAILED, FREE, SIGNALLED, STARTED, SUPERVISED};
use crate::runner::step_state::StepState;

/// A report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// The process id of the supervisor.
    Supervised(u32),
    Started,
    /// The program could not be started.
    Failed(String),
    Ended(StepState),
    /// Nothing is left of the step; the supervisor can get the next one.
    Free,
}

/// The reports of one supervisor.
pub(super) struct Reports(Lines<BufReader<tokio::net::UnixStream>>);

impl Reports {
    pub(super) fn of(control: &UnixStream) -> std::io::Result<Self> {
        let socket = control.try_clone()?;
        socket.set_nonblocking(true)?;
        Ok(Self(BufReader::new(tokio::net::UnixStream::from_std(socket)?).lines()))
    }

    /// The next report; none if the supervisor has ended.
    pub(super) async fn next(&mut self) -> Option<Report> {
        loop {
            let line = self.0.next_line().await.ok()??;
            if let Some(report) = parse(&line) {
                return Some(report);
            }
        }
    }
}

fn parse(line: &str) -> Option<Report> {
    if let Some(id) = line.strip_prefix(SUPERVISED) {
        return Some(Report::Supervised(id.parse().ok()?));
    }
    if line == FREE {
        return Some(Report::Free);
    }
    if line == STARTED {
        return Some(Report::Started);
    }
    if let Some(reason) = line.strip_prefix(FAILED) {
        return Some(Report::Failed(reason.to_owned()));
    }
    if let Some(code) = line.strip_prefix(EXITED) {
        return Some(Report::Ended(StepState::Exited { exit_code: code.parse().ok()?, reason: None }));
    }
    Some(Report::Ended(signalled(line.strip_prefix(SIGNALLED)?.parse().ok()?)))
}

/// The end of a step by a signal.
pub(super) fn signalled(signal: i32) -> StepState {
    StepState::Exited { exit_code: 128 + signal, reason: Some(format!("killed by signal {signal}")) }
}

#[cfg(test)]
mod tests {
    use super::{Report, StepState, parse};

    #[test]
    fn reports_are_lines() {
        let exited = |exit_code, reason: Option<&str>| {
            Some(Report::Ended(StepState::Exited { exit_code, reason: reason.map(str::to_owned) }))
        };
        assert_eq!(parse("supervised 17"), Some(Report::Supervised(17)));
        assert_eq!(parse("free"), Some(Report::Free));
        assert_eq!(parse("started"), Some(Report::Started));
        assert_eq!(parse("failed no such file"), Some(Report::Failed("no such file".into())));
        assert_eq!(parse("exited 3"), exited(3, None));
        assert_eq!(parse("signalled 9"), exited(137, Some("killed by signal 9")));
        assert_eq!((parse(""), parse("exited x")), (None, None));
    }
}
