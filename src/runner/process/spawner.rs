//! Starts supervisors through a separate process, which is started with the first step and ends with the server.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::process::{Child, Command};

use super::spawn_steps::SPAWN_STEPS;
use super::step_request;

/// How long the process may take to accept a request, before it is replaced.
const PATIENCE: Duration = Duration::from_secs(5);

/// The process that starts supervisors, and the socket over which it gets its requests.
struct Started {
    socket: UnixStream,
    child: Child,
}

/// Sends requests to the process that starts supervisors.
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

    /// Sends an order; `files` are those of `step_request::send`. It is carried out once or not at all: in the latter case the control
    /// socket ends without a report.
    ///
    /// # Errors
    /// The process cannot be started, or ends at once.
    pub(super) fn send(&self, order: &[u8], files: [BorrowedFd<'_>; 3]) -> std::io::Result<()> {
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(spawner) = started.as_mut() {
            match step_request::send(&spawner.socket, order, &files) {
                Ok(()) => return Ok(()),
                // Only an order that was received whole is carried out.
                Err(error) => {
                    tracing::warn!(%error, "the process that starts steps does not answer, and is replaced");
                    let _killed = spawner.child.start_kill();
                }
            }
        }
        let spawner = started.insert(self.start()?);
        step_request::send(&spawner.socket, order, &files)
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
