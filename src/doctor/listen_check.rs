//! The listen address: free, used by a server of this installation, or by another program.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use super::finding::Finding;
use crate::config::Config;

const SUBJECT: &str = "listen address";
const PATIENCE: Duration = Duration::from_secs(3);

/// The finding, and whether a server of Windlass listens there.
pub(super) async fn check(config: &Config) -> (Finding, bool) {
    let address = config.listen;
    match std::net::TcpListener::bind(address) {
        Ok(_) => (Finding::ok(SUBJECT, format!("{address} is free")), false),
        Err(error) if error.kind() == ErrorKind::AddrInUse => match server(config).await {
            Some(health) => {
                (Finding::ok(SUBJECT, format!("a server of Windlass listens on {address} ({health})")), true)
            }
            None => {
                let by = holder(address).unwrap_or_else(|| "another program".into());
                let detail = format!("{address} is used by {by}");
                (Finding::wrong(SUBJECT, detail, "stop that program, or set --listen to another port"), false)
            }
        },
        Err(error) => {
            let remedy = match error.kind() {
                ErrorKind::PermissionDenied => {
                    "ports below 1024 need root or the capability CAP_NET_BIND_SERVICE; use another port, or a proxy"
                }
                ErrorKind::AddrNotAvailable => {
                    "set --listen to an address of this machine, or to 0.0.0.0 for all of them"
                }
                _ => "set --listen to another address",
            };
            (Finding::wrong(SUBJECT, format!("{address} cannot be used: {error}"), remedy), false)
        }
    }
}

/// What the health check of a server of Windlass says, if that is what listens.
async fn server(config: &Config) -> Option<String> {
    let mut address = config.listen;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    // The certificate is for the name of the server, not for its own address, and nothing confidential is sent.
    let client =
        reqwest::Client::builder().tls_danger_accept_invalid_certs(true).timeout(PATIENCE).no_proxy().build().ok()?;
    let answer = client.get(format!("{}://{address}/health", config.scheme())).send().await.ok()?;
    let health: serde_json::Value = answer.json().await.ok()?;
    let (database, engine) = (health.get("database")?.as_str()?, health.get("engine")?.as_str()?);
    Some(format!("database {database}, engine {engine}"))
}

/// The program that listens on a port, if this user may see it.
fn holder(address: SocketAddr) -> Option<String> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|table| std::fs::read_to_string(table).unwrap_or_default());
    let socket = format!("socket:[{}]", tables.iter().find_map(|table| socket_of(table, address.port()))?);
    for entry in std::fs::read_dir("/proc").ok()?.flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let Ok(files) = std::fs::read_dir(entry.path().join("fd")) else { continue };
        if files.flatten().any(|file| std::fs::read_link(file.path()).is_ok_and(|to| to == Path::new(&socket))) {
            let name = std::fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
            return Some(format!("{} (process {id})", name.trim()));
        }
    }
    None
}

/// The number of the socket that listens on a port, in a table of the kernel.
fn socket_of(table: &str, port: u16) -> Option<&str> {
    const LISTENS: &str = "0A";
    table.lines().skip(1).find_map(|line| {
        let mut fields = line.split_whitespace();
        let (own, state) = (fields.nth(1)?, fields.nth(1)?);
        let own = u16::from_str_radix(own.rsplit_once(':')?.1, 16).ok()?;
        (own == port && state == LISTENS).then(|| fields.nth(5)).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::socket_of;

    #[test]
    fn the_table_of_the_kernel_is_read() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
                     0: 0100007F:1F90 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 111 1 0 20 4 30 10 -1\n\
                     1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 222 1 0 100 0 0 10 0\n";
        assert_eq!(socket_of(table, 8080), Some("222"), "the one that listens");
        assert_eq!(socket_of(table, 8081), None);
    }
}
