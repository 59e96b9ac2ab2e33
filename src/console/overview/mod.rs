//! What happens across the jobs of an organization: the overview, the timeline and the forecast.

mod forecast_page;
mod job_rows;
mod lanes;
mod needs_attention;
mod overview_page;
mod timeline_page;

use poem::{Route, get};

/// Adds the pages.
pub(super) fn routes(route: Route) -> Route {
    route
        .at("/organization/:id", get(overview_page::overview))
        .at("/organization/:id/events", get(overview_page::overview_events))
        .at("/organization/:id/timeline", get(timeline_page::timeline))
        .at("/organization/:id/timeline/live", get(timeline_page::timeline_events))
        .at("/organization/:id/forecast", get(forecast_page::forecast))
}
