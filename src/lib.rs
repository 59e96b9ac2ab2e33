//! Windlass: a control plane for jobs. See ARCHITECTURE.md for the map.

/// Who calls, and what they may reach.
pub mod access;
/// The Qovery-compatible JSON API.
pub mod api;
/// The state shared by the API and the engine.
pub mod app;
/// What the first start creates.
pub mod bootstrap;
/// The present time.
pub mod clock;
/// Settings.
pub mod config;
/// Deployments, schedules and runs.
pub mod engine;
/// What can go wrong.
pub mod error;
/// Git repositories, by the machine's git.
pub mod git;
/// Who is awake, and who may act.
pub mod liveness;
/// Metrics, logs and traces.
pub mod observe;
/// Webhook deliveries.
pub mod outbound;
/// A client of image registries.
pub mod registry_client;
/// Where runs are executed.
pub mod runner;
/// Tokens and sealed values.
pub mod secret;
/// Starting and stopping the server.
pub mod server;
/// Queries.
pub mod store;
/// The Terrakube-compatible JSON:API.
pub mod terrakube;
