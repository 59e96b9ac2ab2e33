//! The pages of the console, over HTTP with a session cookie.

mod account;
mod alerts;
mod authorize;
mod browser;
mod check_pages;
mod environments;
mod job_forms;
mod jobs;
mod names;
mod open_pages;
mod organizations;
mod plans;
mod push_hook_page;
mod registry_pages;
mod repository_webhooks;
mod rights;
mod runs;
mod settings;
mod settings_scene;
mod shared_settings;
mod states;
mod variables;
mod workspace_jobs;
mod workspaces;
