//! Builds responses: documents, plain JSON and errors.

use poem::http::StatusCode;
use poem::{Endpoint, EndpointExt as _, IntoEndpoint, Response};
use serde_json::Value;

use super::error::{MEDIA, Problem, Result};

/// Wraps a route so that errors of the framework, such as an invalid id, have the format of all other errors.
pub(super) fn guarded(
    endpoint: impl IntoEndpoint<Endpoint = impl Endpoint + 'static>,
) -> impl Endpoint<Output = Response> {
    endpoint
        .into_endpoint()
        .catch_all_error(async |error: poem::Error| Problem::new(error.status(), error.to_string()).response())
}

/// Turns a problem into its response.
pub(super) fn answered(result: Result<Response>) -> Response {
    result.unwrap_or_else(|problem| problem.response())
}

/// A JSON:API response.
pub(super) fn document_response(status: StatusCode, body: &serde_json::Value) -> poem::Response {
    poem::Response::builder().status(status).content_type(MEDIA).body(body.to_string())
}

/// A response in plain JSON.
pub(super) fn json_response(status: StatusCode, body: &Value) -> Response {
    Response::builder().status(status).content_type("application/json").body(body.to_string())
}
