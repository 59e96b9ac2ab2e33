//! The pages of projects and environments.

mod action;
mod checks_table;
mod chosen_jobs;
mod clone;
mod created;
mod edit;
mod environment_view;
mod jobs_table;
mod list;
mod page;
mod state_words;

use poem::{Route, get, post};

pub(super) use self::state_words::{of_deployment, of_progress};

pub(super) fn routes(route: Route) -> Route {
    route
        .at("/organization/:id/environments", get(list::list))
        .at("/organization/:id/projects/new", get(created::project_form).post(created::create_project))
        .at("/project/:id/environments/new", get(created::environment_form).post(created::create_environment))
        .at("/environment/:id", get(page::show))
        .at("/environment/:id/live", get(page::fresh))
        .at("/environment/:id/deploy-jobs", get(chosen_jobs::choose).post(chosen_jobs::deploy))
        .at("/environment/:id/edit", get(edit::show).post(edit::save))
        .at("/environment/:id/clone", get(clone::show).post(clone::save))
        .at("/environment/:id/action/:word", post(action::act))
}
