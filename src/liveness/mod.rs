//! Wake-ups within and between servers, the engine's heartbeat and failures for health checks, the fence that stops a server
//! without leases, and the shutdown.

/// Whether the TLS certificate could be reloaded.
pub mod certificate;
/// Whether the clock runs forward.
pub mod clock_watch;
/// Stops a server that lost its leases from starting runs another server now owns.
pub mod fence;
/// Whether the key file belongs to the database.
pub mod key_check;
/// What runners report about steps.
mod news;
/// Wake-ups between servers, by PostgreSQL notifications.
pub mod notify;
/// Which passes keep failing, and which rows they could not process.
pub mod passes;
/// How often each check may be pinged.
pub mod ping_rate;
/// Shares one write to the database among many health checks.
pub mod probe;
/// The engine's heartbeat, for health checks.
pub mod pulse;
/// The shutdown of this server.
pub mod shutdown;
/// Which running runs have to be visited.
pub mod visits;
/// Wake-ups inside a server.
pub mod wake;
