//! Has supervisors started by a process of its own, which is started with the first step and ends with the server.

use std::io::Write as _;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use tokio::process::{Child, Command};

use super::spawn_steps::SPAWN_STEPS;

/// How long the process may take to accept an order, before it is replaced.
const PATIENCE: Duration = Duration::from_secs(5);

/// The process that starts supervisors, and the socket over which it gets its orders.
struct Started {
    socket: UnixStream,
    child: Child,
}

/// Sends orders to the process that starts supervisors.
#[derive(Clone)]
pub(super) struct Spawner {
    program: PathBuf,
    started: Arc<Mutex<Option<Started>>>,
}

impl Spawner {
    /// `program` is this program.
    pub(super) fn new(program: PathBuf) -> Self {
        Self { program, started: Arc::default() }
    }

    /// Sends an order; its supervisor gets the control socket, and the two ends of pipes for the output of the step. An order is
    /// carried out once or not at all: in the latter case the control socket ends without a report.
    ///
    /// # Errors
    /// The process cannot be started, or ends at once.
    pub(super) fn send(&self, order: &[u8], files: [OwnedFd; 3]) -> Result<(), String> {
        let files = [files[0].as_fd(), files[1].as_fd(), files[2].as_fd()];
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(spawner) = started.as_mut() {
            match transmit(&spawner.socket, order, files) {
                Ok(()) => return Ok(()),
                // Only an order that was received whole is carried out.
                Err(error) => {
                    tracing::warn!(%error, "the process that starts steps does not answer, and is replaced");
                    let _killed = spawner.child.start_kill();
                }
            }
        }
        let spawner =
            started.insert(self.start().map_err(|e| format!("cannot start the supervisor of the process: {e}"))?);
        transmit(&spawner.socket, order, files).map_err(|e| format!("cannot start the supervisor of the process: {e}"))
    }

    fn start(&self) -> std::io::Result<Started> {
        let (socket, other) = UnixStream::pair()?;
        socket.set_write_timeout(Some(PATIENCE))?;
        let child = Command::new(&self.program)
            .arg(SPAWN_STEPS)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(OwnedFd::from(other)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        Ok(Started { socket, child })
    }
}

/// Sends the length of an order with the files, and then the order.
fn transmit(socket: &UnixStream, order: &[u8], files: [BorrowedFd<'_>; 3]) -> std::io::Result<()> {
    let length = u32::try_from(order.len()).map_err(std::io::Error::other)?.to_ne_bytes();
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
    let mut attached = SendAncillaryBuffer::new(&mut space);
    attached.push(SendAncillaryMessage::ScmRights(&files));
    let sent = sendmsg(socket, &[std::io::IoSlice::new(&length)], &mut attached, SendFlags::NOSIGNAL)?;
    let mut socket = socket;
    socket.write_all(length.get(sent..).unwrap_or_default())?;
    socket.write_all(order)
}
