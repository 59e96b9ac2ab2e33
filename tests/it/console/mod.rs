//! The pages of the console, over HTTP with a session cookie.

mod browser;
mod environments;
mod rights;
mod variables;
mod workspaces;
