//! Observability: metrics, logs and traces of the server.

/// The two text formats.
pub mod exposition;
mod job_metrics;
mod labels;
/// Counters in the Prometheus text format.
pub mod metrics;
/// Logs and traces of the server itself.
pub mod telemetry;
