//! Workspaces, with their jobs, steps, states and schedules.

mod configuration_version;
mod job_pages;
mod job_progress;
mod plan_digest;
mod plan_output;
mod repository_login;
mod shown_plan;
mod state_listing;
mod state_piece;
mod state_version;
mod step_run;
mod template;
mod terraform_variable;
mod workspace_job;
mod workspace_list;
mod workspace_retention;
mod workspace_row;
mod workspace_schedule;
mod workspace_search;
mod workspace_step;
mod workspace_tag;

pub use self::configuration_version::{
    delete_configuration_pieces, delete_some_configurations, newest_configuration, set_refused, set_uploaded,
};
pub use self::job_pages::{current_job, jobs_of, open_jobs, unbegun_jobs};
pub use self::job_progress::{Hindrance, hindrance, pulse_of_job, pulse_of_list};
pub use self::plan_digest::{PlanDigests, StepMark, plan_inputs, step_marks};
pub use self::plan_output::{has_plan_output, keep_plan_output, set_plan_schemas};
pub use self::repository_login::{bind_ssh_key, list_ssh_keys, list_vcs, ssh_key, ssh_key_names, vcs, vcs_names};
pub use self::shown_plan::{OpenDrift, drift_since, keep_shown_plan, open_drift, settle_drift, shown_plans};
pub use self::state_listing::{delete_listing, delete_some_listings, listing_parts};
pub use self::state_piece::{delete_pieces, delete_some_pieces};
pub use self::state_version::{
    StateMark, count_resources, lock_state, newest_state, newest_state_mark, state, state_of_serial, state_of_upload,
    unlock_state,
};
pub use self::step_run::{StepsOf, cancel_runs, expire_runs, give_up_step, lock_job_of_run, mark_running, open_run};
pub use self::template::{list_templates, template, template_by_name};
pub use self::terraform_variable::{list_global_variables, variables};
pub(in crate::store) use self::workspace_job::DUE;
pub use self::workspace_job::{
    addresses, clear_output, create_job, due, jobs, lock_job, set_context, set_output, update_job, waiting,
};
pub use self::workspace_list::{
    JobLine, StateLine, list, list_jobs, list_schedules, list_states, page_of_states, state_line, template_names,
};
pub use self::workspace_retention::{delete_job, delete_some_plans, delete_some_states, list_expired_jobs};
pub use self::workspace_row::{
    Login, by_name, cluster_of, count, has_content, ids_in_projects, lock, users_of_cluster, users_of_login,
};
pub use self::workspace_schedule::{
    disable_schedules, due_schedules, lock_due_schedule, next_due, schedules_planned_after,
};
pub use self::workspace_search::{TagPattern, WorkspaceSearch, search};
pub use self::workspace_step::{
    change_step, set_step, step_by_run, step_by_token, steps, steps_without_plans, turn_steps,
};
pub use self::workspace_tag::{keep_tag, remove_tag, tag_by_name, tag_names};
