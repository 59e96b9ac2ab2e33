//! Errors of this API: a status with a title, and what exactly is wrong.

use poem::http::{StatusCode, header};
use poem::{Endpoint, EndpointExt as _, IntoEndpoint, Response};
use serde_json::json;

use crate::error::Error;
use crate::input::Refusal;
use crate::store::{MayPass, Transient};

/// The JSON:API media type.
pub(super) const MEDIA: &str = "application/vnd.api+json";

/// An error response.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    /// What programs print first.
    title: String,
    detail: String,
    /// Why a repetition may succeed, if the database failed.
    transient: Option<Transient>,
}

pub(super) type Result<T, E = Problem> = std::result::Result<T, E>;

impl Problem {
    pub(super) fn new(status: StatusCode, title: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { status, title: title.into(), detail: detail.into(), transient: None }
    }

    /// A request that cannot be read.
    pub(super) fn bad(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad request", detail)
    }

    /// A value that is not allowed. The detail names the field.
    pub(super) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid attribute", detail)
    }

    /// Something that is missing or not visible to the caller.
    pub(super) fn missing(thing: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not found", format!("{thing} not found"))
    }

    /// The state of the resource does not permit the action.
    pub(super) fn conflict(title: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, title, detail)
    }

    pub(super) fn response(&self) -> Response {
        let error = json!({"status": self.status.as_u16().to_string(), "title": self.title, "detail": self.detail});
        let response = Response::builder().status(self.status).content_type(MEDIA);
        let response = if self.status == StatusCode::UNAUTHORIZED {
            response.header(header::WWW_AUTHENTICATE, "Bearer")
        } else {
            response
        };
        response.body(json!({"errors": [error]}).to_string())
    }
}

/// Turns a problem into its response.
pub(super) fn answered(result: Result<Response>) -> Response {
    result.unwrap_or_else(|problem| problem.response())
}

/// Wraps a route so that errors of the framework, such as a wrong method, have the format of all other errors.
pub(super) fn guarded(
    endpoint: impl IntoEndpoint<Endpoint = impl Endpoint + 'static>,
) -> impl Endpoint<Output = Response> {
    endpoint.into_endpoint().catch_all_error(async |error: poem::Error| {
        let title = error.status().canonical_reason().unwrap_or("error").to_lowercase();
        Problem::new(error.status(), title, error.to_string()).response()
    })
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let (status, title) = match &error {
            Error::Invalid { .. } | Error::Faults(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid attribute"),
            Error::Unauthenticated(_) => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Error::Forbidden(_) => (StatusCode::FORBIDDEN, "forbidden"),
            Error::NotFound(_) => (StatusCode::NOT_FOUND, "not found"),
            Error::Conflict(_) => (StatusCode::CONFLICT, "conflict"),
            Error::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too large"),
            Error::Unavailable { source, .. } => {
                tracing::error!(%source, "request failed");
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
            }
            Error::Internal(source) => {
                tracing::error!(%source, "request failed");
                (StatusCode::INTERNAL_SERVER_ERROR, "internal error")
            }
        };
        Self { transient: error.transient(), ..Self::new(status, title, error.public()) }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::bad(refusal.to_string())
    }
}

impl From<sea_orm::DbErr> for Problem {
    fn from(error: sea_orm::DbErr) -> Self {
        Error::from(error).into()
    }
}

impl MayPass for Problem {
    fn transient(&self) -> Option<Transient> {
        self.transient
    }
}
