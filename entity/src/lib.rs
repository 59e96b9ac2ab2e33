//! Rows and the values stored in them: one table per file, with its enums.
//!
//! No HTTP, no queries, no logic.

pub mod access_token;
pub mod agent;
pub mod agent_log;
pub mod agent_step;
pub mod alert;
pub mod alert_cause;
pub mod alert_delivery;
pub mod alert_receiver;
pub mod alert_rule;
pub mod alert_silence;
pub mod api_token;
pub mod calendar;
pub mod cluster;
pub mod configuration_piece;
pub mod configuration_version;
pub mod counter;
pub mod custom_role;
pub mod deployment;
pub mod deployment_job;
pub mod deployment_restriction;
pub mod deployment_rule;
pub mod earlier_urls;
pub mod environment;
pub mod event;
pub mod git_token;
pub mod id;
pub mod identity_key;
pub mod invitation;
pub mod job;
pub mod job_check;
pub mod job_group;
pub mod job_schedule;
pub mod job_spec;
pub mod job_success;
pub mod job_variables;
pub mod leftover;
pub mod log_chunk;
pub mod login_code;
pub mod member;
pub mod metadata_group;
pub mod module_version;
pub mod organization;
pub mod person;
pub mod plan_output;
pub mod project;
pub mod project_rule;
pub mod provider_key;
pub mod provider_platform;
pub mod provider_version;
pub mod push_feedback;
pub mod push_hook;
pub mod push_hook_delivery;
pub mod registry;
pub mod registry_file;
pub mod registry_piece;
pub mod repository_head;
pub mod run;
pub mod run_spec;
pub mod schedule_pause;
pub mod schedule_skip;
pub mod seal_key;
pub mod server_lease;
pub mod session;
pub mod shown_plan;
pub mod sign_in;
pub mod signing_key;
pub mod skipped_time;
pub mod ssh_key;
pub mod stage;
pub mod stage_job;
pub mod state_listing;
pub mod state_piece;
pub mod state_version;
pub mod tag;
pub mod team;
pub mod template;
pub mod terraform_module;
pub mod terraform_provider;
pub mod terraform_variable;
pub mod variable;
pub mod vcs;
pub mod webhook;
pub mod webhook_delivery;
pub mod workspace;
pub mod workspace_access;
pub mod workspace_address;
pub mod workspace_job;
pub mod workspace_push;
pub mod workspace_schedule;
pub mod workspace_step;
pub mod workspace_tag;
pub mod workspace_webhook;
pub mod workspace_webhook_event;

/// The key by which names are unique: trimmed and in lower case.
#[must_use]
pub fn name_key(name: &str) -> String {
    name.trim().to_lowercase()
}
