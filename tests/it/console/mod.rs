//! The pages of the console, over HTTP with a session cookie.

mod account;
mod alerts;
mod browser;
mod environments;
mod jobs;
mod organizations;
mod plans;
mod rights;
mod runs;
mod settings;
mod shared_settings;
mod variables;
mod workspaces;
