//! The process that forks the supervisors of steps.
//!
//! Forking costs a small part of what executing this program again would cost, and is safe because this process has a single thread.
//! A request is wiped before the next one is read, so that no supervisor inherits the secrets of another step. Standard input is a
//! socket of the server; the process ends when the server closes it.

use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use fork::Fork;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::descendants::reap;
use super::step_request::{Received, receive};
use super::supervisor::{FAILED, say, supervise};

/// The first argument that makes this program start steps.
pub const SPAWN_STEPS: &str = "spawn-steps";

/// How long a supervisor that has ended remains a zombie, at most.
const REAPED_WITHIN: Timespec = Timespec { tv_sec: 5, tv_nsec: 0 };

/// Starts supervisors until the server is gone.
#[must_use]
pub fn spawn_steps() -> ExitCode {
    prepare();
    let Ok(socket) = std::io::stdin().as_fd().try_clone_to_owned().map(UnixStream::from) else {
        return ExitCode::FAILURE;
    };
    let mut left = false;
    loop {
        if !waits(&socket, left) {
            left = reap();
            continue;
        }
        let Some(Received::Next(mut request)) = receive(&socket) else { return ExitCode::SUCCESS };
        let Some(control) = request.control.take() else { continue };
        match fork::fork() {
            Ok(Fork::Parent(_)) => left = true,
            Ok(Fork::Child) => {
                drop(socket);
                // Replaces the inherited socket of the server. A process group of its own keeps signals of the terminal away.
                let _own = rustix::stdio::dup2_stdin(&control).and_then(|()| rustix::process::setpgid(None, None));
                return supervise(request, control);
            }
            Err(error) => say(&control, &format!("{FAILED}cannot create a process: {error}")),
        }
        reap();
    }
}

/// Prevents steps of the same user from reading the memory of this process and of its forks.
fn prepare() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _named = rustix::thread::set_name(c"windlass-spawn");
        let _protected = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// Waits for a request, or for the server to close the socket. If supervisors are `left`, gives up after a while and returns false.
fn waits(socket: &UnixStream, left: bool) -> bool {
    let mut watched = [PollFd::new(socket, PollFlags::IN)];
    loop {
        match poll(&mut watched, left.then_some(&REAPED_WITHIN)) {
            Err(Errno::INTR) => {}
            Ok(0) => return false,
            // What cannot be watched cannot be read either.
            Ok(_) | Err(_) => return true,
        }
    }
}
