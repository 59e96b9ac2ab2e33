//! `cargo xtask services`: starts what the tests need, and keeps it running for tests that are started elsewhere.

use std::time::Duration;

use crate::command::Result;
use crate::kubernetes::Cluster;
use crate::services;

/// Starts everything, prints the variables, and waits for Ctrl-C.
pub(crate) fn run(with_kubernetes: bool) -> Result<()> {
    let mut services = services::start()?;
    let cluster = if with_kubernetes { Some(Cluster::start()?) } else { None };
    services.variables.extend(cluster.iter().flat_map(Cluster::variables));
    for (name, value) in &services.variables {
        println!("export {name}={value}");
    }
    for missing in &services.missing {
        eprintln!("missing: {missing}");
    }
    eprintln!("press Enter or Ctrl-C to stop them");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(|e| e.to_string())?;
    while line.is_empty() {
        std::thread::sleep(Duration::from_secs(3600));
    }
    Ok(())
}
