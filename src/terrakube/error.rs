//! Errors of this API: a status, and a plain text under `errors[0].detail`.

use poem::Response;
use poem::http::StatusCode;
use serde_json::json;

use crate::error::Error;
use crate::input::Refusal;
use crate::store::{MayPass, Transient};

/// The JSON:API media type.
pub(super) const MEDIA: &str = "application/vnd.api+json";

/// An error response.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    pub(super) detail: String,
    /// Why a repetition may succeed, if the database failed.
    transient: Option<Transient>,
}

pub(super) type Result<T, E = Problem> = std::result::Result<T, E>;

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), transient: None }
    }

    /// A malformed request.
    pub(super) fn bad(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// A resource that is missing or not visible to the caller.
    pub(super) fn unknown(id: &str, kind: &str) -> Self {
        // Terrakube prints the id of a nested resource as a set with one member.
        let id = if kind == "organization" || kind == "workspace" { id.to_owned() } else { format!("[{id}]") };
        Self::new(StatusCode::NOT_FOUND, format!("Unknown identifier {id} for {kind}"))
    }

    pub(super) fn denied(what: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, format!("{what} Denied"))
    }

    /// The problem as one entry of the result list of an atomic request.
    pub(super) fn element(&self) -> serde_json::Value {
        json!({"errors": [{"detail": self.detail, "status": self.status.as_u16().to_string()}]})
    }

    pub(super) fn response(&self) -> Response {
        let body = json!({"errors": [{"detail": self.detail}]});
        let response = Response::builder().status(self.status).content_type(MEDIA);
        let response = if self.status == StatusCode::UNAUTHORIZED {
            response.header("www-authenticate", "Bearer")
        } else {
            response
        };
        response.body(body.to_string())
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::Invalid { .. } | Error::Faults(_) => StatusCode::BAD_REQUEST,
            Error::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
            Error::Forbidden(_) => StatusCode::FORBIDDEN,
            Error::NotFound(_) => StatusCode::NOT_FOUND,
            Error::Conflict(_) => StatusCode::CONFLICT,
            Error::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Error::Unavailable { source, .. } => {
                tracing::error!(%source, "request failed");
                StatusCode::SERVICE_UNAVAILABLE
            }
            Error::Internal(source) => {
                tracing::error!(%source, "request failed");
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        Self { transient: error.transient(), ..Self::new(status, error.public()) }
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
