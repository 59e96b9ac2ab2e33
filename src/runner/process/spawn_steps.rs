//! The program that starts the supervisors of steps, each as a copy of itself.
//!
//! A copy costs a small part of what it costs to start this program again. Copying is safe because this one has a single thread.
//! It keeps nothing of an order: what it has read is wiped before it reads the next one, so that no supervisor inherits the
//! secrets of another step. Its standard input is a socket of the server, and it ends with it.

use std::io::Read as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use fork::Fork;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use rustix::process::{WaitOptions, wait};
use zeroize::Zeroizing;

use super::step_order::Order;
use super::supervisor::{FAILED, say, supervise};

/// The first argument that makes this program start steps.
pub const SPAWN_STEPS: &str = "spawn-steps";

/// How many bytes announce the length of an order.
pub(super) const LENGTH_BYTES: usize = 4;

/// How long a supervisor that has ended stays in the table of processes, at most.
const BURY: Timespec = Timespec { tv_sec: 5, tv_nsec: 0 };

/// An order, and what belongs to it.
struct Request {
    order: Zeroizing<Vec<u8>>,
    control: UnixStream,
    stdout: OwnedFd,
    stderr: OwnedFd,
}

/// Starts steps until the server is gone.
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
        let Some(request) = receive(&socket) else { return ExitCode::SUCCESS };
        match fork::fork() {
            Ok(Fork::Parent(_)) => left = true,
            Ok(Fork::Child) => {
                drop(socket);
                return become_supervisor(request);
            }
            Err(error) => say(&request.control, &format!("{FAILED}cannot create a process: {error}")),
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

/// Whether there is an order, or the server is gone; waits for that, but not forever if supervisors are `left`.
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

/// The next order; nothing if the server is gone.
fn receive(socket: &UnixStream) -> Option<Request> {
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
    let mut attached = RecvAncillaryBuffer::new(&mut space);
    let mut length = [0; LENGTH_BYTES];
    let received = loop {
        let mut parts = [std::io::IoSliceMut::new(&mut length)];
        match recvmsg(socket, &mut parts, &mut attached, RecvFlags::empty()) {
            Err(Errno::INTR) => {}
            received => break received.ok()?.bytes,
        }
    };
    let files = attached.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(files) => Some(files.collect::<Vec<OwnedFd>>()),
        _ => None,
    });
    let [control, stdout, stderr] = <[OwnedFd; 3]>::try_from(files?).ok()?;
    let mut socket = socket;
    socket.read_exact(length.get_mut(received..)?).ok()?;
    let mut order = Zeroizing::new(vec![0; usize::try_from(u32::from_ne_bytes(length)).ok()?]);
    socket.read_exact(&mut order).ok()?;
    Some(Request { order, control: control.into(), stdout, stderr })
}

/// Supervises one step. The files of the server are closed in this process by then, except for those of this step.
fn become_supervisor(request: Request) -> ExitCode {
    let Request { order, control, stdout, stderr } = request;
    let own = rustix::stdio::dup2_stdin(&control)
        .and_then(|()| rustix::stdio::dup2_stdout(&stdout))
        .and_then(|()| rustix::stdio::dup2_stderr(&stderr))
        // The socket ends with the supervisor, so the step must not get it.
        .and_then(|()| rustix::io::fcntl_setfd(&control, rustix::io::FdFlags::CLOEXEC))
        .and_then(|()| rustix::process::setpgid(None, None));
    drop((stdout, stderr));
    let parsed = Order::parse(&order);
    drop(order);
    match (own, parsed) {
        (Ok(()), Some(order)) => supervise(&order, control),
        (Err(error), _) => {
            say(&control, &format!("{FAILED}{error}"));
            ExitCode::FAILURE
        }
        (Ok(()), None) => {
            say(&control, &format!("{FAILED}the order cannot be read"));
            ExitCode::FAILURE
        }
    }
}
