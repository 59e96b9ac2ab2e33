//! The program that runs between the server and a step: it starts the step, reports how it ended, and ends everything that the step
//! has started.
//!
//! It adopts the orphans of the step, so that nothing can leave it. Its standard input is a socket: the server sends orders, one byte
//! each, and gets reports, one line each. When the server is gone, the socket ends, and everything is killed.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;

use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, kill_process_group, wait};

use super::control_group::ControlGroup;
use super::descendants::{kill_below, pid};

/// The first argument that makes this program a supervisor.
pub const SUPERVISE: &str = "supervise-step";

/// Asks the group of the step to end.
pub(super) const TERMINATE: u8 = b't';
/// Asks the first process of the step to end.
pub(super) const INTERRUPT: u8 = b'i';
/// Kills everything.
pub(super) const KILL: u8 = b'k';

/// The step runs.
pub(super) const STARTED: &str = "started";
/// The step could not be started, for a reason.
pub(super) const FAILED: &str = "failed ";
/// The step exited with a code.
pub(super) const EXITED: &str = "exited ";
/// A signal ended the step.
pub(super) const SIGNALLED: &str = "signalled ";

/// What to start.
struct Order {
    /// The name of the step.
    name: String,
    /// The user and the group of the step, if they are not those of this process.
    account: Option<(u32, u32)>,
    program: OsString,
    arguments: Vec<OsString>,
}

/// The arguments of a supervisor; `supervise` reads them.
pub(super) fn arguments(name: &str, account: Option<(u32, u32)>) -> [String; 3] {
    let account = account.map_or_else(|| "-".to_owned(), |(user, group)| format!("{user}:{group}"));
    [SUPERVISE.to_owned(), name.to_owned(), account]
}

impl Order {
    fn parse(mut words: impl Iterator<Item = OsString>) -> Option<Self> {
        let name = words.next()?.into_string().ok()?;
        let account = match words.next()?.to_str()? {
            "-" => None,
            text => {
                let (user, group) = text.split_once(':')?;
                Some((user.parse().ok()?, group.parse().ok()?))
            }
        };
        Some(Self { name, account, program: words.next()?, arguments: words.collect() })
    }
}

/// Supervises one step until nothing of it is left.
#[must_use]
pub fn supervise(words: impl Iterator<Item = OsString>) -> ExitCode {
    let socket = std::io::stdin().as_fd().try_clone_to_owned().map(UnixStream::from);
    let (Some(order), Ok(socket)) = (Order::parse(words), socket) else { return ExitCode::FAILURE };
    let group = ControlGroup::create(&order.name);
    prepare();
    let (started, group) = match group {
        Some(group) => group.inside(|| start(&order)),
        None => (start(&order), None),
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
    let mut command = Command::new(&order.program);
    command.args(&order.arguments).stdin(Stdio::null()).process_group(0);
    if let Some((user, group)) = order.account {
        command.uid(user).gid(group);
    }
    let child = command.spawn().map_err(|error| error.to_string())?;
    pid(child.id()).ok_or_else(|| "its process id is not valid".to_owned())
}

/// Reports to the server; one that is gone needs no report.
fn say(mut socket: &UnixStream, line: &str) {
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
        kill_below(getpid(), || true);
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
    group.iter().for_each(|group| group.kill());
    kill_below(getpid(), || {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some(_)) | Err(rustix::io::Errno::INTR) => {}
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
    });
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
