//! Describes responses to poem-openapi.

use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses};
use poem_openapi::types::Type;

pub(super) fn responses(status: u16, content: Vec<MetaMediaType>) -> MetaResponses {
    MetaResponses {
        responses: vec![MetaResponse {
            description: "",
            status: Some(status),
            status_range: None,
            content,
            headers: Vec::new(),
        }],
    }
}

pub(super) fn content<T: Type>(content_type: &'static str) -> Vec<MetaMediaType> {
    vec![MetaMediaType { content_type, schema: T::schema_ref() }]
}
