//! An address of this machine that containers reach.

use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;

use crate::runner::found;

/// The address by which containers reach this machine: the gateway of their default route. A container is asked for it, because the
/// engine's own record of its bridge may name none.
fn gateway(image: &str) -> Result<Ipv4Addr, String> {
    let run = ["run", "--rm", "--network", "bridge", image, "cat", "/proc/net/route"];
    let output = Command::new("docker").args(run).output().map_err(|error| format!("docker cannot be run: {error}"))?;
    let routes = String::from_utf8_lossy(&output.stdout);
    default_gateway(&routes).ok_or_else(|| {
        let errors = String::from_utf8_lossy(&output.stderr);
        format!("a container of the network `bridge` has no default route by which it reaches this machine: {routes}{errors}")
    })
}

/// Listens at an address that containers reach. Without one the test is skipped, or fails in strict mode.
pub(crate) fn container_listener(image: &str) -> Option<TcpListener> {
    let listener = gateway(image).and_then(|gateway| {
        TcpListener::bind((gateway, 0))
            .map_err(|error| format!("cannot listen at {gateway}, where containers are: {error}"))
    });
    found(listener)
}

/// The gateway of the default route in the format of /proc/net/route: addresses are hexadecimal, in the order of the machine.
fn default_gateway(routes: &str) -> Option<Ipv4Addr> {
    let columns = routes.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    let default =
        columns.filter(|columns| columns.get(1) == Some(&"00000000")).find_map(|columns| columns.get(2).copied())?;
    let address = u32::from_str_radix(default, 16).ok()?;
    Some(Ipv4Addr::from(address.to_ne_bytes()))
}

#[test]
fn the_gateway_of_containers_is_read_from_their_routes() {
    let address = u32::from_ne_bytes([172, 17, 0, 1]);
    let routes = format!(
        "Iface\tDestination\tGateway\tFlags\neth0\t000011AC\t00000000\t0001\neth0\t00000000\t{address:08X}\t0003\n"
    );
    assert_eq!(default_gateway(&routes), Some(Ipv4Addr::new(172, 17, 0, 1)));
    assert_eq!(default_gateway("Iface\tDestination\tGateway\neth0\t000011AC\t00000000\n"), None);
}
