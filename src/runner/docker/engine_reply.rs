//! Converts responses of the engine to step states, log lines and runner errors.

use bollard::container::LogOutput;
use bollard::models::{ContainerState, ContainerStateStatusEnum};
use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::runner::interface::Unavailable;
use crate::runner::line::Stream;
use crate::runner::step_state::StepState;

pub(super) fn progress(state: &ContainerState) -> StepState {
    use ContainerStateStatusEnum::{CREATED, DEAD, EXITED};
    match state.status {
        Some(CREATED) => StepState::Unknown,
        Some(EXITED | DEAD) => StepState::Exited {
            exit_code: state.exit_code.and_then(|code| i32::try_from(code).ok()).unwrap_or(255),
            reason: out_of_memory(state),
        },
        _ => StepState::Running,
    }
}

/// Whether the engine killed a process of the container for memory: the first one, which ends the container, or a child.
fn out_of_memory(state: &ContainerState) -> Option<String> {
    let text = match (state.oom_killed.unwrap_or(false), state.exit_code) {
        (false, _) => return None,
        (true, Some(137)) => "out of memory",
        (true, _) => "a process ran out of memory and was killed",
    };
    Some(text.to_owned())
}

/// How many bytes of a line the engine puts into one entry.
const ENTRY_BYTES: usize = 16 * 1024;

/// An entry of a log.
pub(super) struct Entry {
    pub(super) stream: Stream,
    /// The time that the engine adds.
    pub(super) at: DateTime<Utc>,
    /// Ends with a line feed, unless the line goes on in the next entry of the stream.
    pub(super) text: Bytes,
}

/// An entry; none if it broke off. Not every log driver keeps the line feed at the end of a long line, but only an entry that is full
/// goes on.
pub(super) fn entry(output: LogOutput) -> Option<Entry> {
    let (stream, bytes) = match output {
        LogOutput::StdErr { message } => (Stream::Stderr, message),
        LogOutput::StdOut { message } | LogOutput::StdIn { message } => (Stream::Stdout, message),
        // The containers have no terminal: this is an entry without its beginning or its end.
        LogOutput::Console { .. } => return None,
    };
    let space = bytes.iter().position(|byte| *byte == b' ').unwrap_or(bytes.len());
    let (time, _) = bytes.split_at(space);
    let at = std::str::from_utf8(time).ok().and_then(|time| DateTime::parse_from_rfc3339(time.trim_end()).ok());
    let (at, mut text) = match at {
        Some(at) => (at.to_utc(), bytes.slice((space + 1).min(bytes.len())..)),
        None => (DateTime::UNIX_EPOCH, bytes),
    };
    if text.len() < ENTRY_BYTES && text.last() != Some(&b'\n') {
        text = [&text, b"\n".as_slice()].concat().into();
    }
    Some(Entry { stream, at, text })
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

#[cfg(test)]
mod tests {
    use bollard::container::LogOutput;
    use chrono::DateTime;

    use super::{ENTRY_BYTES, entry};

    #[test]
    fn only_full_entries_go_on() {
        let at = "2026-11-27T16:00:00.123456789Z";
        let full = "x".repeat(ENTRY_BYTES);
        for (given, expected) in [
            ("one two\n", "one two\n"),
            ("\n", "\n"),
            ("", "\n"),
            ("the end of a long line", "the end of a long line\n"),
            (full.as_str(), full.as_str()),
        ] {
            let message = format!("{at} {given}").into_bytes().into();
            let found = entry(LogOutput::StdOut { message }).unwrap();
            assert_eq!(
                (found.at, &found.text[..]),
                (DateTime::parse_from_rfc3339(at).unwrap().to_utc(), expected.as_bytes())
            );
        }
    }
}
