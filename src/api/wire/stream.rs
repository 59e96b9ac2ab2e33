//! Responses that are streamed.

use std::marker::PhantomData;

use futures_util::Stream;
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaResponses, Registry};
use poem_openapi::types::Type;

use super::media_type::JSON;
use super::openapi_response::{content, responses};
use crate::error::Error;

/// A JSON response that is streamed. `T` describes the complete body.
pub(in crate::api) struct JsonStream<T> {
    body: poem::Body,
    described_by: PhantomData<fn() -> T>,
}

impl<T> JsonStream<T> {
    pub(in crate::api) fn new(chunks: impl Stream<Item = Result<Vec<u8>, Error>> + Send + 'static) -> Self {
        let chunks = futures_util::StreamExt::map(chunks, |chunk| {
            chunk.map_err(|error| {
                tracing::error!(?error, "response stream failed");
                std::io::Error::other(error.public())
            })
        });
        Self { body: poem::Body::from_bytes_stream(chunks), described_by: PhantomData }
    }
}

impl<T: Type> ApiResponse for JsonStream<T> {
    fn meta() -> MetaResponses {
        responses(200, content::<T>(JSON))
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<T> IntoResponse for JsonStream<T> {
    fn into_response(self) -> Response {
        Response::builder().content_type(JSON).body(self.body)
    }
}

/// A plain text response that is streamed.
pub(in crate::api) struct PlainText(pub(in crate::api) poem::Body);

impl ApiResponse for PlainText {
    fn meta() -> MetaResponses {
        responses(200, content::<String>("text/plain"))
    }

    fn register(_registry: &mut Registry) {}
}

impl IntoResponse for PlainText {
    fn into_response(self) -> Response {
        Response::builder().content_type("text/plain; charset=utf-8").body(self.0)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use poem::IntoResponse as _;

    use super::JsonStream;
    use crate::error::Error;

    /// The listener closes the connection without the end of the body, so that clients see that it is incomplete.
    #[tokio::test]
    async fn an_answer_that_fails_in_the_middle_is_no_complete_one() {
        let chunks = vec![Ok(b"{\"results\":[".to_vec()), Err(Error::NotFound("job"))];
        let response = JsonStream::<i32>::new(stream::iter(chunks)).into_response();
        assert!(response.into_body().into_bytes().await.is_err());
        let chunks = vec![Ok(b"{\"results\":[".to_vec()), Ok(b"]}".to_vec())];
        let response = JsonStream::<i32>::new(stream::iter(chunks)).into_response();
        assert_eq!(response.into_body().into_bytes().await.unwrap(), b"{\"results\":[]}".as_slice());
    }
}
