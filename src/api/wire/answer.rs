//! Answers in JSON, and answers without a body.

use poem::http::StatusCode;
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaMediaType, MetaResponses, Registry};
use poem_openapi::types::Type;
use serde::Serialize;

use super::media_type::JSON;
use super::meta::responses;
use crate::error::Error;

/// A JSON answer with a status.
#[derive(Debug)]
pub(in crate::api) struct Answer<const STATUS: u16, T>(pub(in crate::api) T);

pub(in crate::api) type Found<T> = Answer<200, T>;

pub(in crate::api) type Created<T> = Answer<201, T>;

pub(in crate::api) type Accepted<T> = Answer<202, T>;

impl<const STATUS: u16, T: Type> ApiResponse for Answer<STATUS, T> {
    fn meta() -> MetaResponses {
        let content = vec![MetaMediaType { content_type: JSON, schema: T::schema_ref() }];
        responses(STATUS, content)
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<const STATUS: u16, T: Serialize + Send> IntoResponse for Answer<STATUS, T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(bytes) => Response::builder().status(code(STATUS)).content_type(JSON).body(bytes),
            Err(error) => poem::Error::from(Error::internal(error)).into_response(),
        }
    }
}

/// An answer without a body.
pub(in crate::api) struct Blank<const STATUS: u16>;

/// Deleted, or being deleted.
pub(in crate::api) type Gone = Blank<204>;

impl<const STATUS: u16> ApiResponse for Blank<STATUS> {
    fn meta() -> MetaResponses {
        responses(STATUS, Vec::new())
    }

    fn register(_registry: &mut Registry) {}
}

impl<const STATUS: u16> IntoResponse for Blank<STATUS> {
    fn into_response(self) -> Response {
        code(STATUS).into()
    }
}

pub(in crate::api) fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
