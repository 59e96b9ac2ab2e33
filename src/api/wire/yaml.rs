//! Answers in YAML.

use poem::http::header;
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaMediaType, MetaResponses, Registry};
use poem_openapi::types::Type as _;

use super::media_type::YAML;
use super::meta::responses;

/// A YAML document as an answer.
pub(in crate::api) struct Yaml(pub(in crate::api) String);

impl ApiResponse for Yaml {
    fn meta() -> MetaResponses {
        responses(200, vec![MetaMediaType { content_type: YAML, schema: String::schema_ref() }])
    }

    fn register(_registry: &mut Registry) {}
}

impl IntoResponse for Yaml {
    fn into_response(self) -> Response {
        Response::builder().content_type(YAML).header(header::CACHE_CONTROL, "no-store").body(self.0)
    }
}
