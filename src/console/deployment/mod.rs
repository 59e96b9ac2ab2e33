//! The page of a deployment.

mod page;
mod parts_table;

use poem::{Route, get, post};

pub(super) fn routes(route: Route) -> Route {
    route
        .at("/deployment/:id", get(page::show))
        .at("/deployment/:id/live", get(page::fresh))
        .at("/deployment/:id/cancel", post(page::cancel))
}
