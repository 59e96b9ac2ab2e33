//! Converts responses of the engine to step states, log lines and runner errors.

use bollard::container::LogOutput;
use bollard::models::{ContainerState, ContainerStateStatusEnum};
use chrono::DateTime;

use crate::runner::interface::Unavailable;
use crate::runner::line::{LINE_BYTES, Line, Stream};
use crate::runner::step_state::StepState;

pub(super) fn progress(state: &ContainerState) -> StepState {
    use ContainerStateStatusEnum::{CREATED, DEAD, EXITED};
    match state.status {
        Some(CREATED) => StepState::Unknown,
        Some(EXITED | DEAD) => StepState::Exited {
            exit_code: state.exit_code.and_then(|code| i32::try_from(code).ok()).unwrap_or(255),
            reason: state.oom_killed.unwrap_or(false).then(|| "out of memory".to_owned()),
        },
        _ => StepState::Running,
    }
}

/// One log entry: the time that the engine adds, a space, and the text.
pub(super) fn line(output: LogOutput) -> Line {
    let (stream, bytes) = match output {
        LogOutput::StdErr { message } => (Stream::Stderr, message),
        LogOutput::StdOut { message } | LogOutput::StdIn { message } | LogOutput::Console { message } => {
            (Stream::Stdout, message)
        }
    };
    let bytes = bytes.get(..LINE_BYTES + 64).unwrap_or(&bytes);
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_end_matches(['\n', '\r']);
    let (time, rest) = text.split_once(' ').unwrap_or((text, ""));
    match DateTime::parse_from_rfc3339(time) {
        Ok(at) => Line { at: at.to_utc(), stream, text: rest.to_owned() },
        Err(_) => Line { at: DateTime::UNIX_EPOCH, stream, text: text.to_owned() },
    }
}

/// The first file of a tar archive, truncated to a length.
pub(super) fn first_file(archive: &[u8], most: u64) -> Option<Vec<u8>> {
    use std::io::Read as _;
    let mut archive = tar::Archive::new(archive);
    let file = archive.entries().ok()?.filter_map(Result::ok).find(|entry| entry.header().entry_type().is_file())?;
    let mut content = Vec::new();
    file.take(most).read_to_end(&mut content).ok()?;
    Some(content)
}

pub(super) fn status(error: &bollard::errors::Error) -> Option<u16> {
    match error {
        bollard::errors::Error::DockerResponseServerError { status_code, .. } => Some(*status_code),
        _ => None,
    }
}

pub(super) fn text(error: &bollard::errors::Error) -> String {
    match error {
        bollard::errors::Error::DockerResponseServerError { message, .. } => message.trim().to_owned(),
        other => other.to_string(),
    }
}

pub(super) fn unavailable(error: bollard::errors::Error) -> Unavailable {
    Unavailable(format!("Docker engine: {}", text(&error)))
}
