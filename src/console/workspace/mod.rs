//! The pages of workspaces and their jobs.

use poem::Route;

pub(super) fn routes(route: Route) -> Route {
    route
}
