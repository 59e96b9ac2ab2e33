//! Maps `Error` and the framework's own errors to a status and a response body.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use poem::error::ResponseError;
use poem::http::{Method, StatusCode, Uri};
use poem::{IntoResponse, Request, Response};
use poem_openapi::error::{ParseParamError, ParsePathError};
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiResponse, Object};
use serde::Serialize;
use serde_json::Value;

use super::wire::{Shape, code, query_parameters};
use crate::error::Error;
use crate::input::Refusal;

/// All statuses that an `Error` maps to.
const STATUSES: [u16; 8] = [400, 401, 403, 404, 409, 413, 500, 503];

/// The body of every error response. The official Terraform provider reads `detail`, the official reference documents
/// `message`; both contain the same text.
#[derive(Debug, Serialize, Object)]
#[oai(rename = "Error")]
struct ErrorBody {
    status: i32,
    error: String,
    detail: String,
    message: String,
    path: String,
    timestamp: String,
}

impl Error {
    fn status(&self) -> StatusCode {
        match self {
            Self::Invalid { .. } | Self::Faults(_) => StatusCode::BAD_REQUEST,
            Self::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.public())
    }
}

impl std::error::Error for Error {}

impl ResponseError for Error {
    fn status(&self) -> StatusCode {
        Self::status(self)
    }
}

impl ApiResponse for Error {
    fn meta() -> MetaResponses {
        let response = |status| MetaResponse {
            description: "",
            status: Some(status),
            status_range: None,
            content: vec![MetaMediaType { content_type: "application/json", schema: ErrorBody::schema_ref() }],
            headers: Vec::new(),
        };
        MetaResponses { responses: STATUSES.into_iter().map(response).collect() }
    }

    fn register(registry: &mut Registry) {
        ErrorBody::register(registry);
    }
}

/// The response to an error. Server errors are logged here, once.
pub(super) fn response(error: &poem::Error, method: &Method, uri: &Uri, now: DateTime<Utc>) -> Response {
    let path = uri.path();
    let (status, text) = status_and_text(error, method, uri);
    if let Some(Error::Internal(source) | Error::Unavailable { source, .. }) = error.downcast_ref::<Error>() {
        tracing::error!(path, %source, status = status.as_u16(), "request failed");
    }
    body(status, text, path, now)
}

/// The response when a handler panics.
pub(super) fn panicked(path: &str, now: DateTime<Utc>) -> Response {
    body(StatusCode::INTERNAL_SERVER_ERROR, internal_text(), path, now)
}

/// A response in the shape of all errors.
pub(super) fn body(status: StatusCode, detail: String, path: &str, now: DateTime<Utc>) -> Response {
    let body = ErrorBody {
        status: i32::from(status.as_u16()),
        error: status.canonical_reason().unwrap_or("Error").to_owned(),
        message: detail.clone(),
        detail,
        path: path.to_owned(),
        timestamp: now.to_rfc3339_opts(SecondsFormat::Micros, true),
    };
    let mut response = poem::web::Json(body).into_response();
    response.set_status(status);
    if status == StatusCode::UNAUTHORIZED {
        let challenge = poem::http::HeaderValue::from_static("Bearer, Token");
        response.headers_mut().insert(poem::http::header::WWW_AUTHENTICATE, challenge);
    }
    response
}

/// All faults of a query, by the contract.
fn query_faults(method: &Method, uri: &Uri) -> Vec<Refusal> {
    let request = Request::builder().uri(uri.clone()).finish();
    let given: Vec<(String, String)> = request.params().unwrap_or_default();
    let mut faults = Vec::new();
    for (name, schema, is_required) in query_parameters(method, uri.path()) {
        let shape = Shape::of(schema, &Value::Null);
        let value = given.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let message = match value {
            None if is_required => Some("is required".to_owned()),
            Some(text) if !shape.reads(text) => shape.expectation(),
            _ => None,
        };
        faults.extend(message.map(|message| Refusal { field: name.to_owned(), message }));
    }
    faults
}

fn internal_text() -> String {
    Error::internal("").public()
}

fn status_and_text(error: &poem::Error, method: &Method, uri: &Uri) -> (StatusCode, String) {
    if let Some(error) = error.downcast_ref::<Error>() {
        return (error.status(), error.public());
    }
    if error.downcast_ref::<ParsePathError>().is_some() {
        return (StatusCode::BAD_REQUEST, "path: an ID is not a UUID".into());
    }
    if let Some(parameter) = error.downcast_ref::<ParseParamError>() {
        let faults = query_faults(method, uri);
        let other = || Error::invalid(parameter.name, "is not valid");
        let error = if faults.is_empty() { other() } else { Error::all(faults) };
        return (StatusCode::BAD_REQUEST, error.public());
    }
    let text = match error.status() {
        StatusCode::NOT_FOUND => "no resource at this path".to_owned(),
        StatusCode::METHOD_NOT_ALLOWED => "this path does not support this method".to_owned(),
        status if status.is_server_error() => {
            tracing::error!(%error, "framework error");
            internal_text()
        }
        _ => error.to_string(),
    };
    (code(error.status().as_u16()), text)
}
