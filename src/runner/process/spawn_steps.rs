//! The program that starts the supervisors of steps, each as a copy of itself.
//!
//! A copy costs a small part of what it costs to start this program again. Copying is safe because this one has a single thread.
//! It keeps nothing of a request: what it has read is wiped before it reads the next one, so that no supervisor inherits the
//! secrets of another step. Its standard input is a socket of the server, and it ends with it.

use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use fork::Fork;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{WaitOptions, wait};

use super::step_request::{Received, receive};
use super::supervisor::{FAILED, say, supervise};

/// The first argument that makes this program start steps.
pub const SPAWN_STEPS: &str = "spawn-steps";

/// How long a supervisor that has ended stays in the table of processes, at most.
const BURY: Timespec = Timespec { tv_sec: 5, tv_nsec: 0 };

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
            left = bury();
            continue;
        }
        let Some(Received::Next(mut request)) = receive(&socket) else { return ExitCode::SUCCESS };
        let Some(control) = request.control.take() else { continue };
        match fork::fork() {
            Ok(Fork::Parent(_)) => left = true,
            Ok(Fork::Child) => {
                drop(socket);
                // In place of the socket of the other process. In a group of its own, so that no signal of the terminal ends it.
                let _own = rustix::stdio::dup2_stdin(&control).and_then(|()| rustix::process::setpgid(None, None));
                return supervise(request, control);
            }
            Err(error) => say(&control, &format!("{FAILED}cannot create a process: {error}")),
        }
        bury();
    }
}

/// Lets no step of the same user read the memory of this process and of its copies.
fn prepare() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _named = rustix::thread::set_name(c"windlass-spawn");
        let _protected = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// Whether there is a request, or the server is gone; waits for that, but not forever if supervisors are `left`.
fn waits(socket: &UnixStream, left: bool) -> bool {
    let mut watched = [PollFd::new(socket, PollFlags::IN)];
    loop {
        match poll(&mut watched, left.then_some(&BURY)) {
            Err(Errno::INTR) => {}
            Ok(0) => return false,
            // What cannot be watched cannot be read either.
            Ok(_) | Err(_) => return true,
        }
    }
}

/// Buries the supervisors that have ended, and tells whether others are left.
fn bury() -> bool {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}
