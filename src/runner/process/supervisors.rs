//! The supervisors of this server: new ones are started by the spawner, and those that are free get the next steps.

use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::output_reader::spawn;
use super::report::Reports;
use super::spawner::Spawner;
use super::step_request::send;

/// How long a supervisor stays free before it is ended.
const FREE_TIME: Duration = Duration::from_secs(10);

/// The longest order that is sent to a free supervisor, in bytes. It fits into the buffer of a socket.
const SHORT_ORDER: usize = 64 * 1024;

/// A supervisor. It ends when this is dropped.
pub(super) struct Supervisor {
    pub(super) control: UnixStream,
    pub(super) reports: Reports,
    /// Its process id, once reported.
    pub(super) id: Option<u32>,
}

/// A supervisor that is free, and since when.
type Free = (Supervisor, Instant);

#[derive(Clone)]
pub(super) struct Supervisors {
    spawner: Spawner,
    free: Arc<Mutex<Vec<Free>>>,
}

impl Supervisors {
    /// `program` is this program.
    pub(super) fn new(program: PathBuf) -> Self {
        Self { spawner: Spawner::new(program), free: Arc::default() }
    }

    fn free(&self) -> MutexGuard<'_, Vec<Free>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a step under a supervisor; `output` are the pipes for its standard output and standard error.
    ///
    /// # Errors
    /// No supervisor can be started.
    pub(super) fn start(&self, order: &[u8], output: [OwnedFd; 2]) -> Result<Supervisor, String> {
        let [stdout, stderr] = &output;
        while order.len() <= SHORT_ORDER {
            let Some((supervisor, _)) = self.free().pop() else { break };
            // Only an order that was received whole is obeyed, and one that cannot be sent leaves the supervisor to its end.
            if send(&supervisor.control, order, &[stdout.as_fd(), stderr.as_fd()]).is_ok() {
                return Ok(supervisor);
            }
        }
        let failed = |error| format!("cannot start the supervisor of the process: {error}");
        let (control, other) = UnixStream::pair().map_err(failed)?;
        self.spawner.send(order, [stdout.as_fd(), stderr.as_fd(), other.as_fd()]).map_err(failed)?;
        let reports = Reports::of(&control).map_err(failed)?;
        Ok(Supervisor { control, reports, id: None })
    }

    /// Takes back a supervisor that is free.
    pub(super) fn give_back(&self, supervisor: Supervisor) {
        let mut free = self.free();
        free.push((supervisor, Instant::now()));
        if free.len() == 1 {
            let all = Arc::downgrade(&self.free);
            spawn(async move {
                loop {
                    tokio::time::sleep(FREE_TIME / 2).await;
                    let Some(all) = all.upgrade() else { return };
                    let mut free = all.lock().unwrap_or_else(PoisonError::into_inner);
                    free.retain(|(_, since)| since.elapsed() < FREE_TIME);
                    if free.is_empty() {
                        return;
                    }
                }
            });
        }
    }
}
