//! The resources around jobs, a file for each family.

mod actions;
mod clone;
mod creators;
mod events;
mod export;
mod members;
mod registries;
mod settings;
pub(crate) mod sockets;
mod stages;
mod tokens;
mod variables;
mod webhooks;
