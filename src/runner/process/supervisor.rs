//! The process between the server and a step: it starts the step, reports how it ended, and ends everything that the step has started.
//!
//! It adopts the orphans of the step, so that nothing can leave it. Over a socket the server sends orders, one byte each, and gets
//! reports, one line each. When the server is gone, the socket ends, and everything is killed.

use std::ffi::{OsStr, OsString};
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, kill_process_group, wait};

use super::control_group::ControlGroup;
use super::descendants::{kill_below, pid};
use super::step_order::Order;

/// Asks the group of the step to end.
pub(super) const TERMINATE: u8 = b't';
/// Asks the first process of the step to end.
pub(super) const INTERRUPT: u8 = b'i';
/// Kills everything.
pub(super) const KILL: u8 = b'k';

/// The process id of the supervisor. It is told before anything is started.
pub(super) const SUPERVISED: &str = "supervised ";
/// The step runs.
pub(super) const STARTED: &str = "started";
/// The step could not be started, for a reason.
pub(super) const FAILED: &str = "failed ";
/// The step exited with a code.
pub(super) const EXITED: &str = "exited ";
/// A signal ended the step.
pub(super) const SIGNALLED: &str = "signalled ";

/// How long processes are killed that do not end, or are started again and again.
const LONGEST: Duration = Duration::from_secs(60);

/// Supervises one step until nothing of it is left.
pub(super) fn supervise(order: &Order, socket: UnixStream) -> ExitCode {
    say(&socket, &format!("{SUPERVISED}{}", getpid().as_raw_nonzero()));
    let group = ControlGroup::create(&order.name);
    prepare();
    let (started, group) = match group {
        Some(group) => group.inside(|| start(order)),
        None => (start(order), None),
    };
    match started {
        Err(reason) => {
            say(&socket, &format!("{FAILED}{}", reason.replace('\n', " ")));
            ControlGroup::find(&order.name).iter().for_each(ControlGroup::remove);
            ExitCode::FAILURE
        }
        Ok(first) => {
            say(&socket, STARTED);
            follow(socket, first, group.map(Arc::new));
            ControlGroup::find(&order.name).iter().for_each(ControlGroup::remove);
            ExitCode::SUCCESS
        }
    }
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

fn start(order: &Order) -> Result<Pid, String> {
    let (program, arguments) = order.command.split_first().ok_or("there is no program to start")?;
    let mut command = Command::new(find_program(program, &order.environment));
    command.arg0(program).args(arguments).current_dir(&order.folder);
    command.env_clear().envs(order.environment.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null()).process_group(0);
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

/// Obeys the orders of the server until the step has ended, and then kills what is left.
fn follow(socket: UnixStream, first: Pid, group: Option<Arc<ControlGroup>>) {
    let orders = socket.try_clone();
    let killed = group.clone();
    let _obeys = std::thread::spawn(move || {
        if let Ok(orders) = orders {
            obey(orders, first);
        }
        // The first process ends first, so that the other thread reports it.
        let _gone = kill_process(first, Signal::KILL);
        killed.iter().for_each(|group| group.kill());
        kill_below(getpid());
    });
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((ended, status))) if ended == first => {
                match (status.exit_status(), status.terminating_signal()) {
                    (_, Some(signal)) => say(&socket, &format!("{SIGNALLED}{signal}")),
                    (code, None) => say(&socket, &format!("{EXITED}{}", code.unwrap_or(255))),
                }
                break;
            }
            Err(rustix::io::Errno::INTR) | Ok(_) => {}
            Err(_) => break,
        }
    }
    let begun = Instant::now();
    while is_anything_left() && begun.elapsed() < LONGEST {
        group.iter().for_each(|group| group.kill());
        kill_below(getpid());
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Buries the processes that have ended, and tells whether others are left.
fn is_anything_left() -> bool {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) | Err(rustix::io::Errno::INTR) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

/// Passes orders on, until everything is to be killed or the server is gone.
fn obey(mut orders: UnixStream, first: Pid) {
    let mut order = [0];
    while orders.read(&mut order).is_ok_and(|count| count == 1) {
        // The step may have ended already.
        let _sent = match order {
            [TERMINATE] => kill_process_group(first, Signal::TERM),
            [INTERRUPT] => kill_process(first, Signal::INT),
            _ => return,
        };
    }
}
