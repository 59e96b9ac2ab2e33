//! Windlass: a control plane for jobs. ARCHITECTURE.md describes the modules.

/// Authentication and authorization.
pub mod access;
/// The program of an agent.
pub mod agent;
/// What agents request of the server.
pub mod agent_api;
/// The Qovery-compatible JSON API.
pub mod alert;
pub mod api;
/// The state shared by the API and the engine.
pub mod app;
/// Backups of the whole database.
pub mod backup;
/// The first start: organization, token, templates, samples.
pub mod bootstrap;
/// The clock.
pub mod clock;
/// The API of `cloud` blocks and the `remote` backend.
pub mod cloud;
/// Settings.
pub mod config;
/// The web console.
pub mod console;
/// Examines settings and their surroundings.
pub mod doctor;
/// The engine: deployments, schedules and runs.
pub mod engine;
/// The error type.
pub mod error;
/// The exclusive use of a file.
pub mod file_lock;
/// The lines of a run as a stream.
pub mod follow;
/// A client of git repositories.
pub mod git;
/// Bounds of what may come in.
pub mod input;
/// Wake-ups, heartbeat and fencing.
pub mod liveness;
/// Metrics, logs and traces.
pub mod observe;
/// Webhook deliveries.
pub mod outbound;
/// Runs on push: changed paths, polls and reports.
pub mod push;
/// A client of image registries.
pub mod registry_client;
/// Execution of steps: Docker, processes, Kubernetes.
pub mod runner;
/// Tokens and sealed values.
pub mod secret;
/// Starting and stopping the server.
pub mod server;
/// Database queries.
pub mod store;
/// The Terrakube-compatible JSON:API.
pub mod terrakube;
