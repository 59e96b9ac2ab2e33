//! The resources around jobs, a file for each family.

mod actions;
mod addresses;
mod bodies;
mod clone;
mod command_line;
mod creators;
mod declarations;
mod declared_variables;
mod event_kinds;
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
