//! The pages of jobs: /console/job/{jobId}.

mod argument_list;
mod calendar;
mod changes_tab;
mod check_form;
mod check_view;
mod clone_form;
mod day_view;
mod definition_form;
mod definition_page;
mod definition_text;
mod difference;
mod edit_conflict;
mod explain_tab;
mod history_tab;
mod hold_forms;
mod job_actions;
mod job_frame;
mod job_overview;
mod run_form;
mod run_pictures;
mod scene;
mod schedule_preview_view;
mod schedule_view;
mod setting_words;
mod settings_tab;
mod variables_tab;
mod version_form;

pub(super) use self::changes_tab::through;
pub(super) use self::difference::{Names, names, of_event};
pub(super) use self::scene::Scene;

use poem::{Route, get, post};

/// Adds the pages.
pub(super) fn routes(route: Route) -> Route {
    route
        .at("/environment/:id/jobs/new", get(definition_page::new_form).post(definition_page::create_job))
        .at("/environment/:id/checks/new", get(check_form::new_check).post(check_form::create_check))
        .at("/schedule/preview", get(schedule_preview_view::preview))
        .at("/job/:id", get(job_overview::overview))
        .at("/job/:id/live", get(job_overview::overview_events))
        .at("/job/:id/history", get(history_tab::history))
        .at("/job/:id/history/live", get(history_tab::history_events))
        .at("/job/:id/explain", get(explain_tab::explain_page))
        .at("/job/:id/variables", get(variables_tab::variables))
        .at("/job/:id/settings", get(settings_tab::show_settings).post(settings_tab::save_settings))
        .at("/job/:id/changes", get(changes_tab::changes))
        .at("/job/:id/run", get(run_form::run_form).post(run_form::run_now))
        .at("/job/:id/pause", get(hold_forms::pause_form).post(hold_forms::pause))
        .at("/job/:id/backfill", get(hold_forms::backfill_form).post(hold_forms::run_backfill))
        .at("/job/:id/deploy-version", get(version_form::version_form).post(version_form::deploy_version))
        .at("/job/:id/edit", get(definition_page::edit_form).post(definition_page::save_job))
        .at("/job/:id/check", get(check_form::edit_check).post(check_form::save_check))
        .at("/job/:id/clone", get(clone_form::clone_form).post(clone_form::clone_job))
        .at("/job/:id/:word", post(job_actions::act))
}
