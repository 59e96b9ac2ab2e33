//! Responses that are an archive to save.

use poem::http::header;
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaResponses, Registry};
use poem_openapi::types::Binary;

use super::openapi_response::{content, responses};

const BYTES: &str = "application/octet-stream";

/// An archive with the name that a browser saves it under.
pub(in crate::api) struct Archive {
    pub(in crate::api) name: String,
    pub(in crate::api) bytes: Vec<u8>,
}

impl ApiResponse for Archive {
    fn meta() -> MetaResponses {
        responses(200, content::<Binary<Vec<u8>>>(BYTES))
    }

    fn register(_registry: &mut Registry) {}
}

impl IntoResponse for Archive {
    fn into_response(self) -> Response {
        // Other letters would end the name, or the header.
        let plain = |letter: char| if letter.is_ascii_alphanumeric() || "-_.".contains(letter) { letter } else { '_' };
        let name: String = self.name.chars().map(plain).collect();
        Response::builder()
            .content_type(BYTES)
            .header(header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""))
            .body(self.bytes)
    }
}
