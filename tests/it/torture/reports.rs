//! The reports of containers, which count their own starts.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;
use std::sync::{Arc, Mutex};

/// The address by which containers reach this machine: the gateway of their default route. A container is asked for it, because the
/// engine's own record of its bridge may name none.
fn gateway(image: &str) -> Ipv4Addr {
    let run = ["run", "--rm", "--network", "bridge", image, "cat", "/proc/net/route"];
    let output = Command::new("docker").args(run).output().unwrap();
    let routes = String::from_utf8(output.stdout).unwrap();
    default_gateway(&routes).unwrap_or_else(|| {
        let errors = String::from_utf8_lossy(&output.stderr);
        panic!("a container of the network `bridge` has no default route, so it cannot report to this test: {routes}{errors}")
    })
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

/// Listens where containers can reach it, and counts their reports.
pub(super) fn listen(image: &str) -> (String, Arc<Mutex<BTreeMap<String, u32>>>) {
    let gateway = gateway(image);
    let listener = TcpListener::bind((gateway, 0)).unwrap();
    let address = format!("{gateway} {}", listener.local_addr().unwrap().port());
    let heard: Arc<Mutex<BTreeMap<String, u32>>> = Arc::default();
    let counts = Arc::clone(&heard);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut line = String::new();
            if BufReader::new(stream).read_line(&mut line).is_ok() && !line.trim().is_empty() {
                *counts.lock().unwrap().entry(line.trim().to_owned()).or_default() += 1;
            }
        }
    });
    (address, heard)
}

