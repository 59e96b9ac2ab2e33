//! The handlers of all resource paths and of atomic operations. They parse the path and the query; the session does the
//! rest.

use std::sync::Arc;

use poem::http::{Method, StatusCode, header};
use poem::web::Data;
use poem::{Body, Request, Response, handler};

use super::document;
use super::error::{Problem, Result};
use super::operation;
use super::path;
use super::query;
use super::request::{read_body, require_json_api};
use super::response::answered;
use super::session::Session;
use super::write::MemberChange;
use crate::app::App;

/// The methods of all paths.
const METHODS: &str = "GET, HEAD, POST, PATCH, DELETE, OPTIONS";

#[handler]
pub(super) async fn resources(app: Data<&Arc<App>>, request: &Request, body: Body) -> Response {
    answered(handle(app.0, request, body).await)
}

#[handler]
pub(super) async fn operations(app: Data<&Arc<App>>, request: &Request, body: Body) -> Response {
    answered(operation::handle(app.0, request, body).await)
}

async fn handle(app: &Arc<App>, request: &Request, body: Body) -> Result<Response> {
    // As for the question of a browser, no credentials are needed to learn what every path supports.
    if *request.method() == Method::OPTIONS {
        return Ok(Response::builder().header(header::ALLOW, METHODS).finish());
    }
    let session = Session::of(app, request).await?;
    let path: String =
        request.path_params().map_err(|_| Problem::bad("the path is not valid percent-encoded UTF-8"))?;
    let resource_path = path::parse(&path)?;
    match *request.method() {
        Method::GET | Method::HEAD => {
            let pairs: Vec<(String, String)> =
                request.params().map_err(|_| Problem::bad("the query is not valid percent-encoded UTF-8"))?;
            let pairs = pairs.iter().map(|(key, value)| (key.as_str(), value.as_str()));
            let query = query::parse(pairs).map_err(|refused| Problem::bad(refused.0))?;
            session.get(&resource_path, &query).await
        }
        Method::POST | Method::PATCH => {
            require_json_api(request)?;
            let bytes = read_body(body).await?;
            if matches!(resource_path.end, path::End::Relationship(_)) {
                let data = document::parse_relationship(&bytes)?;
                return session.write_relationship(&resource_path, MemberChange::of(request.method()), &data).await;
            }
            let given = document::parse_document(&bytes)?;
            if request.method() == Method::POST {
                session.post(&resource_path, given).await
            } else {
                session.patch(&resource_path, given).await
            }
        }
        Method::DELETE if matches!(resource_path.end, path::End::Relationship(_)) => {
            let data = document::parse_relationship(&read_body(body).await?)?;
            session.write_relationship(&resource_path, MemberChange::Remove, &data).await
        }
        Method::DELETE => session.delete(&resource_path).await,
        _ => Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this path does not support this method")),
    }
}
