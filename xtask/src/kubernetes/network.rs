//! The bridge that the pods are connected to.

use std::process::{Command, Stdio};

use crate::command::{Result, read};

/// The name of the bridge, and the addresses of the pods.
pub(super) const BRIDGE: &str = "windlass0";
pub(super) const SUBNET: &str = "10.89.77.0/24";
/// The address at which pods reach this machine.
pub(super) const HOST: &str = "10.89.77.1";

/// Creates the bridge before the first pod does, because the API server and the database listen on it.
pub(super) fn create() -> Result<()> {
    let ip = |words: &[&str]| read(Command::new("ip").args(words));
    if ip(&["link", "show", BRIDGE]).is_err() {
        ip(&["link", "add", BRIDGE, "type", "bridge"])?;
        ip(&["addr", "add", &format!("{HOST}/24"), "dev", BRIDGE])?;
    }
    ip(&["link", "set", BRIDGE, "up"]).map(|_| ())
}

/// Removes the bridge.
pub(super) fn remove() {
    let _gone = Command::new("ip").args(["link", "del", BRIDGE]).stderr(Stdio::null()).status();
}
