//! Request bodies.

use poem::{PathPattern, Request, RequestBody};
use poem_openapi::registry::{MetaMediaType, MetaRequest, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::body_faults;
use super::media_type::{JSON, YAML};
use super::operation_schema::body_schema;
use super::unknown_key::{UnknownKey, unknown_keys, warn};
use super::warnings::Warnings;
use crate::error::Error;
use crate::input::{Refusal, read_json, stored_text};

/// A mebibyte, in bytes.
const MIB: usize = 1024 * 1024;

/// A JSON body of limited size. An absent body and `null` are read as `{}`. Unknown keys are ignored, as in the official API, and named in a
/// `Warning` header, unless the body is strict.
pub(in crate::api) struct Body<T, const MOST_MIB: usize = 1, const STRICT: bool = false>(pub(in crate::api) T);

/// A JSON body with the content of a file, which may be mostly escapes.
pub(in crate::api) type FileBody<T> = Body<T, 8>;

/// A JSON body of an operation that is an extension. Unknown keys are refused.
pub(in crate::api) type StrictBody<T> = Body<T, 1, true>;

impl<'a, T, const MOST_MIB: usize, const STRICT: bool> ApiExtractor<'a> for Body<T, MOST_MIB, STRICT>
where
    T: Type + DeserializeOwned,
{
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        Some(request::<T>(JSON))
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<Self::ParamType>,
    ) -> poem::Result<Self> {
        let text = read(body, MOST_MIB * MIB).await?;
        let (value, unknown) = parsed::<T>(request, &text, STRICT)?;
        if let Some(warnings) = request.data::<Warnings>() {
            warn(warnings, &unknown);
        }
        Ok(Self(value))
    }
}

/// Reads a body, and finds the keys that its schema does not know. Those of a strict body are faults.
fn parsed<T: DeserializeOwned>(request: &Request, text: &[u8], strict: bool) -> Result<(T, Vec<UnknownKey>), Error> {
    // Clients that have no body to send send nothing, or the text of an absent value.
    let text = if matches!(text.trim_ascii(), b"" | b"null") { b"{}" } else { text };
    read_json::check(text).map_err(|refusal| Error::invalid("body", refusal.message))?;
    let mut tree: Value = serde_json::from_slice(text).map_err(|_| Error::invalid("body", "is not valid JSON"))?;
    if !tree.is_object() {
        return Err(Error::invalid("body", "must be a JSON object"));
    }
    stored_text::check_tree(&tree)?;
    let pattern = request.data::<PathPattern>().map_or("", |PathPattern(pattern)| pattern);
    let schema = body_schema(request.method(), pattern);
    let unknown = schema.map(|schema| unknown_keys(schema, &tree)).unwrap_or_default();
    let refused = unknown.iter().filter(|_| strict);
    let mut faults: Vec<_> = refused.map(|key| Refusal { field: key.path.clone(), message: key.refusal() }).collect();
    match body_faults::read::<T>(schema, text, &mut tree) {
        Ok(value) if faults.is_empty() => Ok((value, unknown)),
        Ok(_) => Err(Error::all(faults)),
        Err(others) => {
            faults.extend(others);
            Err(Error::all(faults))
        }
    }
}

/// A YAML body, which as JSON is an object, or a string that contains the YAML. The media type of the request is ignored.
pub(in crate::api) struct YamlBody(pub(in crate::api) String);

impl<'a> ApiExtractor<'a> for YamlBody {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn request_meta() -> Option<MetaRequest> {
        let content = [YAML, JSON].map(|content_type| MetaMediaType { content_type, schema: String::schema_ref() });
        Some(MetaRequest { description: None, content: content.into(), required: true })
    }

    async fn from_request(
        _request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<Self::ParamType>,
    ) -> poem::Result<Self> {
        let bytes = read(body, MIB).await?;
        let text = String::from_utf8(bytes).map_err(|_| Error::invalid("body", "must be UTF-8"))?;
        // A document in YAML that is only a quoted string would be no kubeconfig.
        Ok(Self(serde_json::from_str(&text).unwrap_or(text)))
    }
}

fn request<T: Type>(content_type: &'static str) -> MetaRequest {
    let content = vec![MetaMediaType { content_type, schema: T::schema_ref() }];
    MetaRequest { description: None, content, required: true }
}

/// Reads a body of limited size.
async fn read(body: &mut RequestBody, limit_bytes: usize) -> poem::Result<Vec<u8>> {
    match body.take()?.into_bytes_limit(limit_bytes).await {
        Ok(bytes) => Ok(bytes.into()),
        Err(poem::error::ReadBodyError::PayloadTooLarge) => Err(Error::TooLarge { limit_bytes }.into()),
        Err(_) => Err(Error::invalid("body", "could not be read").into()),
    }
}
