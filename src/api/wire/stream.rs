//! Answers that are sent piece by piece.

use std::marker::PhantomData;

use futures_util::Stream;
use poem::http::header;
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaMediaType, MetaResponses, Registry};
use poem_openapi::types::Type;

use super::media_type::JSON;
use super::meta::responses;
use crate::error::Error;

/// An answer whose body is sent piece by piece; `T` describes the whole.
pub(in crate::api) struct Streamed<T> {
    body: poem::Body,
    whole: PhantomData<fn() -> T>,
}

impl<T> Streamed<T> {
    pub(in crate::api) fn new(pieces: impl Stream<Item = Result<Vec<u8>, Error>> + Send + 'static) -> Self {
        let pieces = futures_util::StreamExt::map(pieces, |piece| {
            piece.map_err(|error| {
                tracing::error!(?error, "an answer broke off");
                std::io::Error::other(error.public())
            })
        });
        Self { body: poem::Body::from_bytes_stream(pieces), whole: PhantomData }
    }
}

impl<T: Type> ApiResponse for Streamed<T> {
    fn meta() -> MetaResponses {
        let content = vec![MetaMediaType { content_type: JSON, schema: T::schema_ref() }];
        responses(200, content)
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<T> IntoResponse for Streamed<T> {
    fn into_response(self) -> Response {
        Response::builder().content_type(JSON).body(self.body)
    }
}

/// Plain text, sent piece by piece.
pub(in crate::api) struct Text(pub(in crate::api) poem::Body);

impl ApiResponse for Text {
    fn meta() -> MetaResponses {
        responses(200, vec![MetaMediaType { content_type: "text/plain", schema: String::schema_ref() }])
    }

    fn register(_registry: &mut Registry) {}
}

impl IntoResponse for Text {
    fn into_response(self) -> Response {
        Response::builder()
            .content_type("text/plain; charset=utf-8")
            .header(header::CACHE_CONTROL, "no-store")
            .body(self.0)
    }
}
