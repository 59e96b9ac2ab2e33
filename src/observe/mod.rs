//! What an operator sees of the server: metrics, logs and traces.

mod labels;
/// Counters in the Prometheus text format.
pub mod metrics;
/// Logs and traces of the server itself.
pub mod telemetry;
