//! Observability: metrics, logs and traces of the server.

mod labels;
/// Counters in the Prometheus text format.
pub mod metrics;
/// Logs and traces of the server itself.
pub mod telemetry;
