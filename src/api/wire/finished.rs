//! JSON responses whose bytes were made beforehand.

use std::marker::PhantomData;

use bytes::Bytes;
use poem::http::{HeaderValue, header};
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaResponses, Registry};
use poem_openapi::types::Type;
use serde::Serialize;

use super::media_type::JSON;
use super::openapi_response::{content, responses};
use crate::api::entity_tag;
use crate::error::{Error, Result};

/// A JSON response that is finished, with its entity tag. `T` describes its body.
pub(in crate::api) struct Finished<T> {
    body: Bytes,
    tag: Bytes,
    described_by: PhantomData<fn() -> T>,
}

impl<T> Finished<T> {
    pub(in crate::api) fn new(body: Bytes, tag: Bytes) -> Self {
        Self { body, tag, described_by: PhantomData }
    }
}

/// The bytes of a body, and its entity tag.
pub(in crate::api) fn finished(body: &impl Serialize) -> Result<(Bytes, Bytes)> {
    let body = serde_json::to_vec(body).map_err(Error::internal)?;
    let tag = entity_tag::of(&body);
    Ok((body.into(), tag))
}

impl<T: Type> ApiResponse for Finished<T> {
    fn meta() -> MetaResponses {
        responses(200, content::<T>(JSON))
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<T> IntoResponse for Finished<T> {
    fn into_response(self) -> Response {
        let response = Response::builder().content_type(JSON);
        match HeaderValue::from_maybe_shared(self.tag) {
            Ok(tag) => response.header(header::ETAG, tag).body(self.body),
            Err(_) => response.body(self.body),
        }
    }
}
