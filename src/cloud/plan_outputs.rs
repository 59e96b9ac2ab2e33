//! The JSON forms of saved plans, with which programs show them, and of plans that generate configuration, from which they take it.

use std::sync::Arc;

use entity::plan_output;
use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Body, Request, Response, Route, get, handler};

use super::caller::Visit;
use super::error::{Problem, answered, guarded};
use super::log_bytes::plan_of;
use crate::access::require_right;
use crate::app::App;
use crate::engine::saved_plan_output::{open, shown};
use crate::store;

pub(super) fn routes(route: Route) -> Route {
    route
        .at("/api/v2/plans/:id/json-output-redacted", guarded(get(redacted)))
        .at("/api/v2/plans/:id/json-output", guarded(get(whole)))
}

/// Why there may be no JSON form of a plan.
fn none() -> Problem {
    let text = "the JSON form of this plan is not kept: that is only done for saved plans (plan -out) and those that generate configuration, \
         when they are made, and if it has at most 8 MiB and the schemas of the providers at most 64 MiB";
    Problem::new(StatusCode::NOT_FOUND, "not found", text)
}

/// Without sensitive values, and with the schemas that render it.
#[handler]
async fn redacted(app: Data<&Arc<App>>, request: &Request, id: Path<String>) -> Response {
    let answer = async {
        let visit = Visit::of(app.0, request).await?;
        let (_, step) = plan_of(&visit, &id.0).await?;
        let row = store::row::by_id::<plan_output::Model>(&app.db, step).await?.ok_or_else(none)?;
        Ok(json(shown(app.0, &row)?.ok_or_else(none)?))
    };
    answered(answer.await)
}

/// As the program prints it. It contains what states contain, and takes the right to read those.
#[handler]
async fn whole(app: Data<&Arc<App>>, request: &Request, id: Path<String>) -> Response {
    let answer = async {
        let visit = Visit::of(app.0, request).await?;
        let (run, step) = plan_of(&visit, &id.0).await?;
        require_right(run.rights.states)?;
        let row = store::row::by_id::<plan_output::Model>(&app.db, step).await?.ok_or_else(none)?;
        Ok(json(open(app.0, step, &row.whole)?.expose().clone()))
    };
    answered(answer.await)
}

fn json(text: Vec<u8>) -> Response {
    Response::builder().content_type("application/json").body(Body::from(text))
}
