//! The pages of workspaces and their jobs.

pub(super) mod action;
mod destruction;
mod drift_page;
mod found_drift;
mod job_steps;
mod list;
mod new_job;
mod page;
mod plan_difference;
mod plan_shown;
mod plan_text;
mod review_page;
mod schedule_page;
mod sections;
mod state;
mod state_forms;
mod state_list;
mod state_views;
mod status_words;
mod step_text;
mod template_choice;
pub(super) mod variable_fields;
mod variable_page;
mod webhook_page;
mod webhook_section;
mod workspace_form;

use poem::{Route, get, post};

pub(super) fn routes(route: Route) -> Route {
    route
        .at("/organization/:id/workspaces", get(list::list))
        .at("/organization/:id/workspaces/live", get(list::fresh))
        .at("/organization/:id/workspaces/new", get(workspace_form::new).post(workspace_form::create))
        .at("/workspace/:id", get(page::show))
        .at("/workspace/:id/edit", get(workspace_form::edit).post(workspace_form::save))
        .at("/workspace/:id/delete", post(workspace_form::delete))
        .at("/workspace/:id/live", get(page::fresh))
        .at("/workspace/:id/lock", post(action::lock))
        .at("/workspace/:id/unlock", post(action::unlock))
        .at("/workspace/:id/unlock-state", post(action::unlock_state))
        .at("/workspace/:id/jobs/new", get(new_job::show).post(new_job::create))
        .at("/workspace/:id/drift", get(drift_page::show))
        .at("/workspace/:id/drift/accept", post(drift_page::accept))
        .at("/workspace/:id/drift/revert", post(drift_page::revert))
        .at("/workspace/:id/states", get(state_list::show))
        .at("/workspace/:id/states/:version", get(state::download))
        .at("/workspace/:id/states/:version/resources", get(state_views::resource_list))
        .at("/workspace/:id/states/:version/rollback", get(state_forms::ask_rollback).post(state_forms::roll_back))
        .at("/workspace/:id/state-comparison", get(state_views::comparison))
        .at("/workspace/:id/state-import", get(state_forms::ask_import).post(state_forms::import_file))
        .at("/workspace/:id/variables/new", get(variable_page::new).post(variable_page::create))
        .at("/workspace/:id/variables/:variable/edit", get(variable_page::edit).post(variable_page::save))
        .at("/workspace/:id/variables/:variable/delete", post(variable_page::delete))
        .at("/workspace/:id/schedules/new", get(schedule_page::new).post(schedule_page::create))
        .at("/workspace/:id/schedules/:schedule/edit", get(schedule_page::edit).post(schedule_page::save))
        .at("/workspace/:id/schedules/:schedule/delete", post(schedule_page::delete))
        .at("/workspace/:id/webhook", get(webhook_page::show).post(webhook_page::save))
        .at("/workspace/:id/webhook/secret", post(webhook_page::replace_secret))
        .at("/workspace/:id/webhook/delete", post(webhook_page::delete))
        .at("/workspace-job/:id", get(review_page::show))
        .at("/workspace-job/:id/live", get(review_page::fresh))
        .at("/workspace-job/:id/review/:word", post(action::review))
        .at("/workspace-job/:id/plan-again", post(action::again))
        .at("/workspace-job/:id/steps/:step/log", get(step_text::text))
}
