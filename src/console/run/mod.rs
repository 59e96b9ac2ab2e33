//! The pages of runs: /console/run/{runId}.

mod log_events;
mod log_file;
mod log_lines;
mod log_view;
mod log_window;
mod run_actions;
mod run_facts;
mod run_page;
mod run_words;

pub(super) use self::run_words::{summary as run_summary, trigger as trigger_words};

use poem::{Route, get, post};

/// Adds the pages.
pub(super) fn routes(route: Route) -> Route {
    route
        .at("/run/:id", get(run_page::show_run))
        .at("/run/:id/live", get(run_page::run_events))
        .at("/run/:id/log", get(log_file::log_file))
        .at("/run/:id/log/live", get(log_events::log_events))
        .at("/run/:id/cancel", post(run_actions::cancel_run))
        .at("/run/:id/rerun", post(run_actions::rerun_run))
}
