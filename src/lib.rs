//! Windlass: a control plane for jobs. See ARCHITECTURE.md for the map.

/// Who calls, and what they may reach.
pub mod access;
/// The Qovery-style JSON face.
pub mod api;
/// The state that everything shares.
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
/// Keeps a server that was away from starting things.
pub mod fence;
/// The logins of git repositories.
pub mod git;
/// Image registries.
pub mod image_registry;
/// What the server counts.
pub mod metrics;
/// Wake-ups between servers.
pub mod notify;
/// Calls of webhooks.
pub mod outbound;
/// Whether the engine is alive.
pub mod pulse;
/// Calls of git.
pub mod repository;
/// Places where runs run.
pub mod runner;
/// Tokens and sealed values.
pub mod secret;
/// Starting and stopping the server.
pub mod server;
/// Queries.
pub mod store;
/// Logs of the server itself.
pub mod telemetry;
/// The JSON:API face.
pub mod terrakube;
/// The versions of Terraform and OpenTofu that are on this machine.
pub mod toolbox;
/// A hint that wakes the engine.
pub mod wake;
