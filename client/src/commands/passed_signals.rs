//! The signals that `windlass exec` passes on to its command.

use std::io;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Child;
use tokio::signal::unix::{self, SignalKind, signal};

/// What the kernel tells about this process.
const OWN_STATE: &str = "/proc/self/stat";

/// Those with which supervisors and terminals end a program. While somebody listens, they do not end this one.
pub(super) struct Signals {
    hang_up: unix::Signal,
    interrupt: unix::Signal,
    quit: unix::Signal,
    terminate: unix::Signal,
}

impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            hang_up: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    pub(super) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.hang_up.recv() => Signal::HUP,
            _ = self.interrupt.recv() => Signal::INT,
            _ = self.quit.recv() => Signal::QUIT,
            _ = self.terminate.recv() => Signal::TERM,
        }
    }
}

/// Passes a signal on to a command that has not ended.
pub(super) fn pass_on(signal: Signal, command: &Child) {
    // Programs such as Terraform stop at once at a second Ctrl-C, so that they must not get the first one twice.
    let is_of_keyboard = signal == Signal::INT || signal == Signal::QUIT;
    if is_of_keyboard && is_in_foreground(&std::fs::read_to_string(OWN_STATE).unwrap_or_default()) {
        return;
    }
    let process = command.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(process) = process {
        // It may have ended by now.
        let _gone = kill_process(process, signal);
    }
}

/// Whether a terminal sends its signals to the group of a process, in which its command is, too.
fn is_in_foreground(state: &str) -> bool {
    // After the name of the program, in which anything may be: state, parent, group, session, terminal, the group in the foreground.
    let fields = state.rsplit_once(')').map_or("", |(_, fields)| fields);
    let mut numbers = fields.split_whitespace().skip(2);
    let (group, foreground) = (numbers.next(), numbers.nth(2));
    group.is_some() && group == foreground
}

/// The exit code of a process that a signal has ended, as a shell tells it.
pub(super) fn exit_code(signal: i32) -> u8 {
    u8::try_from(signal).ok().and_then(|signal| signal.checked_add(128)).unwrap_or(255)
}

#[cfg(test)]
mod tests {
    use super::{exit_code, is_in_foreground};

    #[test]
    fn a_terminal_signals_the_group_in_its_foreground() {
        for (state, expected) in [
            ("77 (windlass) S 50 77 50 34816 77 4194304 100", true),
            ("77 (a) b) R) S 50 77 50 34816 77 4194304 100", true),
            ("77 (windlass) S 50 77 50 34816 50 4194304 100", false),
            ("77 (windlass) S 1 77 77 0 -1 4194304 100", false),
            ("", false),
        ] {
            assert_eq!(is_in_foreground(state), expected, "{state}");
        }
        assert_eq!((exit_code(15), exit_code(-1), exit_code(200)), (143, 255, 255));
    }
}
