//! From `Error`, and the framework's own errors, to a status and the body that every client reads.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use poem::error::ResponseError;
use poem::http::StatusCode;
use poem::{IntoResponse, Response};
use poem_openapi::error::{ParseParamError, ParsePathError};
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiResponse, Object};
use serde::Serialize;

use super::wire::code;
use crate::error::Error;

/// The statuses that `Error` is answered with.
const STATUSES: [u16; 8] = [400, 401, 403, 404, 409, 413, 500, 503];

/// The body of every answer that is not a success. `detail` is for the official Terraform provider, `message` for
/// readers of the official reference; both say the same.
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
            Self::Invalid { .. } => StatusCode::BAD_REQUEST,
            Self::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
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

/// The answer to any error, logged once where it is ours.
pub(super) fn answer(error: &poem::Error, path: &str, now: DateTime<Utc>) -> Response {
    let (status, text) = read(error);
    if let Some(Error::Internal(source) | Error::Unavailable(source)) = error.downcast_ref::<Error>() {
        tracing::error!(path, %source, status = status.as_u16(), "a request failed");
    }
    body(status, text, path, now)
}

/// The answer where a handler panicked.
pub(super) fn panicked(path: &str, now: DateTime<Utc>) -> Response {
    body(StatusCode::INTERNAL_SERVER_ERROR, "an internal error; it has been logged".into(), path, now)
}

fn body(status: StatusCode, detail: String, path: &str, now: DateTime<Utc>) -> Response {
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

fn read(error: &poem::Error) -> (StatusCode, String) {
    if let Some(ours) = error.downcast_ref::<Error>() {
        return (ours.status(), ours.public());
    }
    if error.downcast_ref::<ParsePathError>().is_some() {
        return (StatusCode::BAD_REQUEST, "path: an id is not a UUID".into());
    }
    if let Some(parameter) = error.downcast_ref::<ParseParamError>() {
        return (StatusCode::BAD_REQUEST, format!("{}: {}", parameter.name, parameter.reason));
    }
    let text = match error.status() {
        StatusCode::NOT_FOUND => "there is nothing at this path".to_owned(),
        StatusCode::METHOD_NOT_ALLOWED => "this path does not take this method".to_owned(),
        status if status.is_server_error() => {
            tracing::error!(%error, "the framework failed");
            "an internal error; it has been logged".to_owned()
        }
        _ => error.to_string(),
    };
    (code(error.status().as_u16()), text)
}
