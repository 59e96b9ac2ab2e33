//! File transfer for steps that run in a cluster: a step downloads its source and plan and uploads its new plan, with
//! the credential of the state backend.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use entity::workspace_step;
use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Body, Request, Response, Route, handler};

use super::error::{Problem, Result};
use super::request::basic_credentials;
use super::response::{answered, guarded};
use crate::app::App;
use crate::engine::workspace::STATE_USER;
use crate::engine::workspace_files;
use crate::error::Error;
use crate::secret::TokenHash;
use crate::store;

/// The size limit of a plan in base64, in bytes.
const MOST_BYTES: usize = 86 * 1024 * 1024;

const BINARY: &str = "application/octet-stream";

pub(super) fn routes(route: Route) -> Route {
    route.at("/tfstep/v1/:file", guarded(step_file))
}

async fn step_of(app: &App, request: &Request) -> Result<workspace_step::Model> {
    let refused = || Error::Unauthenticated("a step credential is required");
    let (user, password) = basic_credentials(request).ok_or_else(refused)?;
    if user != STATE_USER {
        return Err(refused().into());
    }
    let step = store::workspace::step_by_token(&app.db, &TokenHash::of(&password).stored()).await?;
    Ok(step.ok_or(Error::Unauthenticated("the credential of the step is no longer valid"))?)
}

#[handler]
async fn step_file(app: Data<&Arc<App>>, request: &Request, path: Path<String>, body: Body) -> Response {
    answered(reached(app.0, request, &path.0, body).await)
}

async fn reached(app: &Arc<App>, request: &Request, file: &str, body: Body) -> Result<Response> {
    let step = step_of(app, request).await?;
    match (request.method().as_str(), file) {
        ("GET", "source") => {
            let archive = workspace_files::source(app, &step).await?;
            let response =
                Response::builder().content_type(BINARY).header("content-length", archive.bytes().to_string());
            Ok(response.body(Body::from_bytes_stream(archive.pieces())))
        }
        // Base64, because the tool that downloads it may not preserve binary data.
        ("GET", "plan") => Ok(bytes(STANDARD.encode(workspace_files::plan(app, &step).await?).into_bytes())),
        ("POST", "plan") => {
            let large =
                |_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the plan is larger than {MOST_BYTES} bytes"));
            let mut text = body.into_bytes_limit(MOST_BYTES).await.map_err(large)?.to_vec();
            text.retain(|byte| !byte.is_ascii_whitespace());
            let plan = STANDARD.decode(text).map_err(|_| Error::invalid("plan", "must be base64"))?;
            workspace_files::keep_plan(app, &step, &plan).await?;
            Ok(Response::builder().status(StatusCode::NO_CONTENT).finish())
        }
        ("POST", "plan.json") => {
            let text = document(body, ("plan", workspace_files::MOST_JSON_BYTES)).await?;
            workspace_files::keep_plan_json(app, &step, text).await?;
            Ok(Response::builder().status(StatusCode::NO_CONTENT).finish())
        }
        ("POST", "providers.json") => {
            let text = document(body, ("list of schemas", workspace_files::MOST_SCHEMA_BYTES)).await?;
            workspace_files::keep_schemas(app, &step, text).await?;
            Ok(Response::builder().status(StatusCode::NO_CONTENT).finish())
        }
        ("GET" | "POST", _) => Err(Error::NotFound("file").into()),
        _ => Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this path does not support this method")),
    }
}

/// A body of a bounded size.
async fn document(body: Body, (what, most): (&str, usize)) -> Result<Vec<u8>> {
    let large = |_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the {what} is larger than {most} bytes"));
    Ok(body.into_bytes_limit(most).await.map_err(large)?.to_vec())
}

fn bytes(bytes: Vec<u8>) -> Response {
    Response::builder().content_type(BINARY).body(bytes)
}
