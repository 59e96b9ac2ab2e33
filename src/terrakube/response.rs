//! How responses of this API are made.

use poem::http::StatusCode;
use poem::{Endpoint, EndpointExt as _, IntoEndpoint, Response};
use serde_json::Value;

use super::error::{MEDIA, Problem, Result};

/// A route whose own errors, such as an id that is none, are answered as all errors of this face are.
pub(super) fn guarded(
    endpoint: impl IntoEndpoint<Endpoint = impl Endpoint + 'static>,
) -> impl Endpoint<Output = Response> {
    endpoint
        .into_endpoint()
        .catch_all_error(async |error: poem::Error| Problem::new(error.status(), error.to_string()).response())
}

/// Answers, also to what cannot be done.
pub(super) fn answered(result: Result<Response>) -> Response {
    result.unwrap_or_else(|problem| problem.response())
}

/// An answer of this face.
pub(super) fn document_response(status: StatusCode, body: &serde_json::Value) -> poem::Response {
    poem::Response::builder().status(status).content_type(MEDIA).body(body.to_string())
}

/// An answer in plain JSON.
pub(super) fn json_response(status: StatusCode, body: &Value) -> Response {
    Response::builder().status(status).content_type("application/json").body(body.to_string())
}
