//! JSON responses, and responses without a body.

use poem::http::StatusCode;
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaResponses, Registry};
use poem_openapi::types::Type;
use serde::Serialize;

use super::media_type::JSON;
use super::openapi_response::{content, responses};
use crate::error::Error;

/// A JSON response with a status.
#[derive(Debug)]
pub(in crate::api) struct Json<const STATUS: u16, T>(pub(in crate::api) T);

pub(in crate::api) type Success<T> = Json<200, T>;

pub(in crate::api) type Created<T> = Json<201, T>;

pub(in crate::api) type Accepted<T> = Json<202, T>;

impl<const STATUS: u16, T: Type> ApiResponse for Json<STATUS, T> {
    fn meta() -> MetaResponses {
        responses(STATUS, content::<T>(JSON))
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<const STATUS: u16, T: Serialize + Send> IntoResponse for Json<STATUS, T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(bytes) => Response::builder().status(code(STATUS)).content_type(JSON).body(bytes),
            Err(error) => poem::Error::from(Error::internal(error)).into_response(),
        }
    }
}

/// A response without a body.
pub(in crate::api) struct EmptyResponse<const STATUS: u16>;

/// The resource is deleted, or its deletion has started.
pub(in crate::api) type NoContent = EmptyResponse<204>;

impl<const STATUS: u16> ApiResponse for EmptyResponse<STATUS> {
    fn meta() -> MetaResponses {
        responses(STATUS, Vec::new())
    }

    fn register(_registry: &mut Registry) {}
}

impl<const STATUS: u16> IntoResponse for EmptyResponse<STATUS> {
    fn into_response(self) -> Response {
        code(STATUS).into()
    }
}

pub(in crate::api) fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
