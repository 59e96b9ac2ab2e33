//! The JSON:API face: resources as tables of attributes, one document builder, one parser of queries.

mod changes;
mod describe;
mod document;
mod error;
mod filter;
mod log;
mod operation;
mod path;
pub mod query;
mod read;
mod resource;
pub mod rsql;
mod session;
mod special;
mod state;
mod state_document;
mod step_files;
mod tables;
mod token;
mod workspace_job;
mod write;

use std::sync::Arc;

use poem::http::{Method, StatusCode, header};
use poem::web::Data;
use poem::{Body, Endpoint, EndpointExt as _, IntoEndpoint, Request, Response, Route, handler};

use self::error::{MEDIA, Problem, Result};
use self::session::Session;
use crate::app::App;

/// The contract of this face, as it is served.
pub const CONTRACT: &str = include_str!("../../api-spec/terrakube.yaml");

/// What the tables of this face say; only for the test that holds the contract against them.
#[must_use]
pub fn described() -> serde_json::Value {
    describe::all()
}

/// The largest document, in bytes.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// The routes of this face.
#[must_use]
pub fn routes(route: Route) -> Route {
    let route = route.at("/terrakube.yaml", poem::get(contract));
    let route = route.at("/api/v1/operations", operations).at("/api/v1/*path", resources);
    step_files::routes(token::routes(state::routes(log::routes(route))))
}

/// A route whose own errors, such as an id that is none, are answered as all errors of this face are.
fn guarded(endpoint: impl IntoEndpoint<Endpoint = impl Endpoint + 'static>) -> impl Endpoint<Output = Response> {
    endpoint
        .into_endpoint()
        .catch_all_error(async |error: poem::Error| Problem::new(error.status(), error.to_string()).response())
}

/// Answers, also to what cannot be done.
fn answered(result: Result<Response>) -> Response {
    result.unwrap_or_else(|problem| problem.response())
}

#[handler]
fn contract() -> Response {
    Response::builder().content_type("application/yaml; charset=utf-8").body(CONTRACT)
}

#[handler]
async fn resources(app: Data<&Arc<App>>, request: &Request, body: Body) -> Response {
    answered(handle(app.0, request, body).await)
}

#[handler]
async fn operations(app: Data<&Arc<App>>, request: &Request, body: Body) -> Response {
    answered(operation::handle(app.0, request, body).await)
}

async fn handle(app: &Arc<App>, request: &Request, body: Body) -> Result<Response> {
    let session = Session::of(app, request).await?;
    let path: String = request.path_params().map_err(|_| Problem::bad("the path is not percent-encoded UTF-8"))?;
    let way = path::read(&path)?;
    match *request.method() {
        Method::GET => {
            let pairs: Vec<(String, String)> =
                request.params().map_err(|_| Problem::bad("the query is not percent-encoded UTF-8"))?;
            let pairs = pairs.iter().map(|(key, value)| (key.as_str(), value.as_str()));
            let query = query::parse(pairs).map_err(|refused| Problem::bad(refused.0))?;
            session.get(&way, &query).await
        }
        Method::POST | Method::PATCH => {
            require_media(request)?;
            let bytes = read(body).await?;
            if matches!(way.end, path::End::Relationship(_)) {
                let data = document::relationship(&bytes)?;
                return session.relate(&way, request.method(), &data).await;
            }
            let given = document::one(&bytes)?;
            if request.method() == Method::POST {
                session.post(&way, given).await
            } else {
                session.patch(&way, given).await
            }
        }
        Method::DELETE if matches!(way.end, path::End::Relationship(_)) => {
            let data = document::relationship(&read(body).await?)?;
            session.relate(&way, request.method(), &data).await
        }
        Method::DELETE => session.delete(&way).await,
        _ => Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this path does not take this method")),
    }
}

async fn read(body: Body) -> Result<Vec<u8>> {
    use poem::error::ReadBodyError;
    match body.into_bytes_limit(MOST_BYTES).await {
        Ok(bytes) => Ok(bytes.to_vec()),
        Err(ReadBodyError::PayloadTooLarge) => {
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("a document has at most {MOST_BYTES} bytes")))
        }
        Err(_) => Err(Problem::bad("the body could not be read")),
    }
}

/// Whether a header names the media type of this face, whatever its parameters are.
fn is_media(value: Option<&header::HeaderValue>) -> bool {
    let text = value.and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(';').next().is_some_and(|media| media.trim().eq_ignore_ascii_case(MEDIA))
}

fn require_media(request: &Request) -> Result<()> {
    if is_media(request.headers().get(header::CONTENT_TYPE)) {
        return Ok(());
    }
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("Content-Type has to be {MEDIA}")))
}
