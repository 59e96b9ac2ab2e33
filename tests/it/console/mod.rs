//! The pages of the console, over HTTP with a session cookie.

mod browser;
mod environments;
mod jobs;
mod organizations;
mod plans;
mod rights;
mod runs;
mod settings;
mod variables;
mod workspaces;
