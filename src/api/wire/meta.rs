//! What the OpenAPI library is told about answers.

use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses};

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
