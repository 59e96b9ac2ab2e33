//! Wake-ups within and between servers, the engine's heartbeat for health checks, and the fence that stops a server
//! without leases.

/// Whether the clock runs forward.
pub mod clock_watch;
/// Stops a server that lost its leases from starting runs another server now owns.
pub mod fence;
/// Wake-ups between servers, by PostgreSQL notifications.
pub mod notify;
/// The engine's heartbeat, for health checks.
pub mod pulse;
/// Wake-ups inside a server.
pub mod wake;
