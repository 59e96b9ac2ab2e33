//! YAML responses.

use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaResponses, Registry};

use super::media_type::YAML;
use super::openapi_response::{content, responses};

/// A YAML response.
pub(in crate::api) struct Yaml(pub(in crate::api) String);

impl ApiResponse for Yaml {
    fn meta() -> MetaResponses {
        responses(200, content::<String>(YAML))
    }

    fn register(_registry: &mut Registry) {}
}

impl IntoResponse for Yaml {
    fn into_response(self) -> Response {
        Response::builder().content_type(YAML).body(self.0)
    }
}
