//! The resources around jobs, a file for each family.

mod actions;
mod clone;
mod events;
mod members;
mod registries;
mod settings;
mod sockets;
mod stages;
mod variables;
mod webhooks;
