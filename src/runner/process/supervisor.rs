//! The process between the server and a step: it starts the step, reports how it ended, and ends everything that the step has started.
//!
//! It adopts the orphans of the step, so that nothing can leave it. Over a socket the server sends orders, one byte each, and gets
//! reports, one line each. When nothing is left of a step, it can get the next one. When the server is gone, the socket ends, and
//! everything is killed.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, kill_process_group, wait};

use super::control_group::ControlGroup;
use super::descendants::{kill_below, pid, reap};
use super::step_order::Order;
use super::step_request::{Received, StepRequest, receive};

/// Asks the group of the step to end.
pub(super) const TERMINATE: u8 = b't';
/// Asks the first process of the step to end.
pub(super) const INTERRUPT: u8 = b'i';
/// Kills everything.
pub(super) const KILL: u8 = b'k';

/// The process id of the supervisor, reported before it starts anything.
pub(super) const SUPERVISED: &str = "supervised ";
/// The step runs.
pub(super) const STARTED: &str = "started";
/// The step could not be started, for a reason.
pub(super) const FAILED: &str = "failed ";
/// The step exited with a code.
pub(super) const EXITED: &str = "exited ";
/// A signal ended the step.
pub(super) const SIGNALLED: &str = "signalled ";
/// Nothing is left of the step; this supervisor can get the next one.
pub(super) const FREE: &str = "free";

/// How long processes are killed that do not end, or are started again and again.
const LONGEST: Duration = Duration::from_secs(60);

/// What orders act on.
#[derive(Default)]
struct Current {
    /// The first process of the step, until it has ended.
    first: Option<Pid>,
    group: Option<ControlGroup>,
}

/// The current step, for both threads.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Current>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Current> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Kills everything that is below this process at this moment.
    fn kill_all(&self) {
        let current = self.lock();
        // The first process ends first, so that it is reported.
        if let Some(first) = current.first {
            let _gone = kill_process(first, Signal::KILL);
        }
        current.group.iter().for_each(ControlGroup::kill);
        drop(current);
        kill_below(getpid());
    }
}

/// Supervises steps, one after the other, until the server needs no more.
pub(super) fn supervise(first: StepRequest, socket: UnixStream) -> ExitCode {
    say(&socket, &format!("{SUPERVISED}{}", getpid().as_raw_nonzero()));
    prepare();
    let Ok(orders) = socket.try_clone() else { return ExitCode::FAILURE };
    let (sender, next) = channel();
    let (begun, has_begun) = channel();
    let current = Shared::default();
    let obeyed = current.clone();
    let _obeys = std::thread::spawn(move || obey(&orders, &obeyed, &sender, &has_begun));
    let mut step = Some(first);
    while let Some(request) = step {
        let Some(report) = supervise_one(request, &socket, &current, &begun) else { return ExitCode::FAILURE };
        // Together, because each message wakes the server.
        say(&socket, &format!("{report}{FREE}"));
        step = next.recv().ok();
    }
    ExitCode::SUCCESS
}

/// Supervises one step until nothing of it is left, and returns what is still to be reported; nothing if something is left.
fn supervise_one(request: StepRequest, socket: &UnixStream, current: &Shared, begun: &Sender<()>) -> Option<String> {
    let Some(order) = request.order() else {
        say(socket, &format!("{FAILED}the order cannot be read"));
        return None;
    };
    let (started, group) = match ControlGroup::create(&order.name) {
        Some(group) => group.inside(|| start(&order, request)),
        None => (start(&order, request), None),
    };
    *current.lock() = Current { first: started.as_ref().ok().copied(), group };
    // Only now can orders be obeyed.
    let _obeys = begun.send(());
    let ended = match started {
        Err(reason) => Some(format!("{FAILED}{}\n", reason.replace('\n', " "))),
        Ok(first) => {
            say(socket, STARTED);
            follow(socket, first, current)
        }
    };
    let group = std::mem::take(&mut *current.lock()).group;
    group.or_else(|| ControlGroup::find(&order.name)).iter().for_each(ControlGroup::remove);
    ended
}

/// Adopts orphans, and takes from the step what would let it read the memory of the server.
fn prepare() {
    #[cfg(target_os = "linux")]
    {
        let _named = rustix::thread::set_name(c"windlass-step");
        let _adopts = rustix::process::set_child_subreaper(Some(getpid()));
        let _dropped = rustix::thread::remove_capability_from_bounding_set(rustix::thread::CapabilitySet::SYS_PTRACE);
    }
}

fn start(order: &Order, request: StepRequest) -> Result<Pid, String> {
    let (program, arguments) = order.command.split_first().ok_or("there is no program to start")?;
    let mut command = Command::new(find_program(program, &order.environment));
    command.arg0(program).args(arguments).current_dir(&order.folder);
    command.env_clear().envs(order.environment.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null()).stdout(request.stdout).stderr(request.stderr).process_group(0);
    if let Some((user, group)) = order.account {
        command.uid(user).gid(group);
    }
    let child = command.spawn().map_err(|error| error.to_string())?;
    pid(child.id()).ok_or_else(|| "its process id is not valid".to_owned())
}

/// The path of a program, by the PATH of the step. A process is created at less cost if its path is known.
fn find_program(program: &OsStr, environment: &[(OsString, OsString)]) -> OsString {
    let is_name = !program.as_bytes().contains(&b'/');
    let path = environment.iter().rfind(|(name, _)| name == "PATH").filter(|_| is_name);
    let found =
        path.into_iter().flat_map(|(_, path)| std::env::split_paths(path)).map(|folder| folder.join(program)).find(
            |path| {
                path.is_absolute()
                    && path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
            },
        );
    found.map_or_else(|| program.to_owned(), OsString::from)
}

/// Reports to the server; one that is gone needs no report.
pub(super) fn say(mut socket: &UnixStream, line: &str) {
    let _sent = socket.write_all(format!("{line}\n").as_bytes());
}

/// Waits for the end of the step, and kills what is left. Returns the report of the end, unless it was sent meanwhile; nothing if
/// something is left.
fn follow(socket: &UnixStream, first: Pid, current: &Shared) -> Option<String> {
    let mut report = String::new();
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((ended, status))) if ended == first => {
                current.lock().first = None;
                report = match (status.exit_status(), status.terminating_signal()) {
                    (_, Some(signal)) => format!("{SIGNALLED}{signal}\n"),
                    (code, None) => format!("{EXITED}{}\n", code.unwrap_or(255)),
                };
                break;
            }
            Err(rustix::io::Errno::INTR) | Ok(_) => {}
            Err(_) => break,
        }
    }
    if !reap() {
        return Some(report);
    }
    // The end of the step does not wait for what it has left behind.
    if !report.is_empty() {
        say(socket, report.trim_end());
    }
    let begun = Instant::now();
    while reap() {
        if begun.elapsed() >= LONGEST {
            return None;
        }
        current.kill_all();
        std::thread::sleep(Duration::from_millis(1));
    }
    Some(String::new())
}

/// Obeys the orders of the server until it is gone; then everything is killed. While a step is being started, its orders wait.
fn obey(socket: &UnixStream, current: &Shared, next: &Sender<StepRequest>, begun: &Receiver<()>) {
    let mut starting = true;
    loop {
        if std::mem::take(&mut starting) && begun.recv().is_err() {
            return;
        }
        match receive(socket) {
            Some(Received::Order(TERMINATE)) => {
                // The step may have ended already.
                current.lock().first.map(|first| kill_process_group(first, Signal::TERM));
            }
            Some(Received::Order(INTERRUPT)) => {
                current.lock().first.map(|first| kill_process(first, Signal::INT));
            }
            Some(Received::Order(_)) => current.kill_all(),
            Some(Received::Next(request)) => {
                starting = true;
                if next.send(request).is_err() {
                    return;
                }
            }
            None => return current.kill_all(),
        }
    }
}
