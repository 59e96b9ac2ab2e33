//! The pages of jobs: /console/job/{jobId}.

mod scene;

pub(super) use self::scene::Scene;

use poem::Route;

/// Adds the pages.
pub(super) fn routes(route: Route) -> Route {
    route
}
