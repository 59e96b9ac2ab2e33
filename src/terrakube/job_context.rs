//! The context of a workspace job: a JSON document that clients store with it.

use std::sync::Arc;

use entity::workspace_job;
use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Body, Request, Response, Route, get, handler};
use serde_json::json;

use super::error::{Problem, Result};
use super::request::read_json_body;
use super::response::{answered, guarded, json_response};
use super::session::Session;
use crate::app::App;
use crate::store;

pub(super) fn routes(route: Route) -> Route {
    route.at("/context/v1/:job", guarded(get(context).post(keep_context)))
}

#[handler]
async fn context(app: Data<&Arc<App>>, request: &Request, Path(id): Path<i32>) -> Response {
    answered(
        async {
            let session = Session::of(app.0, request).await?;
            let job = seen(&session, id).await?;
            Ok(json_response(StatusCode::OK, &job.context.unwrap_or_else(|| json!({}))))
        }
        .await,
    )
}

#[handler]
async fn keep_context(app: Data<&Arc<App>>, request: &Request, Path(id): Path<i32>, body: Body) -> Response {
    answered(
        async {
            let session = Session::of(app.0, request).await?;
            let job = seen(&session, id).await?;
            if !session.reach.in_workspace(job.organization_id, job.workspace_id).plan {
                return Err(Problem::denied("UpdatePermission"));
            }
            let value = read_json_body(body).await?;
            store::write_one(&app.0.db, async |db| store::workspace::set_context(&db, id, value.clone()).await).await?;
            Ok(json_response(StatusCode::OK, &value))
        }
        .await,
    )
}

async fn seen(session: &Session, id: i32) -> Result<workspace_job::Model> {
    let row = store::row::by_id::<workspace_job::Model>(&session.app.db, id).await?;
    let row = row.filter(|row| session.reach.in_workspace(row.organization_id, row.workspace_id).view);
    row.ok_or_else(|| Problem::unknown(&id.to_string(), "job"))
}
