//! The limits of connections, from the settings.

use std::time::Duration;

use crate::config::Config;

/// The open files that are kept for the database, runners and files, for each one that a connection may have.
const FILES_PER_CONNECTION: u64 = 2;

/// How long a client may be waited for, and how many may be connected.
#[derive(Clone, Copy, Debug)]
pub(in crate::server) struct HttpLimits {
    /// From the first byte of a request, or from the connection, to the end of its headers. Also bounds the TLS handshake.
    pub(super) headers: Duration,
    /// From a response to the next request.
    pub(super) idle: Duration,
    /// How long a body may be waited for, apart from `body_bytes_per_second`.
    pub(super) body: Duration,
    pub(super) body_bytes_per_second: u32,
    /// How long a client may receive nothing of a response.
    pub(super) send: Duration,
    pub(super) connections: u32,
    pub(super) connections_per_address: u32,
}

impl HttpLimits {
    /// The settings; no more connections than half of the files that this process may open.
    pub(in crate::server) fn new(config: &Config) -> Self {
        let seconds = |count: u32| Duration::from_secs(u64::from(count));
        let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        let possible = files.map_or(u32::MAX, |files| u32::try_from(files / FILES_PER_CONNECTION).unwrap_or(u32::MAX));
        if possible < config.max_connections {
            tracing::info!(
                max_connections = possible,
                "fewer connections than --max-connections, because of the limit of open files"
            );
        }
        Self {
            headers: seconds(config.header_timeout_seconds),
            idle: seconds(config.idle_timeout_seconds),
            body: seconds(config.body_timeout_seconds),
            body_bytes_per_second: config.body_bytes_per_second,
            send: seconds(config.send_timeout_seconds),
            connections: config.max_connections.min(possible),
            connections_per_address: config.max_connections_per_address,
        }
    }
}
