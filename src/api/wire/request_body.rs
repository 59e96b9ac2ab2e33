//! Request bodies.

use poem::{PathPattern, Request, RequestBody};
use poem_openapi::registry::{MetaMediaType, MetaRequest, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use serde::de::DeserializeOwned;

use super::media_type::{JSON, YAML};
use super::unknown_key::{IgnoredKeys, UnknownKey, unknown_keys};
use crate::error::Error;
use crate::input::{read_json, stored_text};

/// A mebibyte, in bytes.
const MIB: usize = 1024 * 1024;

/// A JSON body of limited size. An absent body is read as `{}`. Unknown keys are ignored, as in the official API, and named in a
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
        let (value, unknown) = parsed::<T>(request, body, MOST_MIB * MIB).await?;
        if let Some(key) = unknown.first().filter(|_| STRICT) {
            return Err(Error::invalid(key.path.as_str(), key.refusal()).into());
        }
        if let Some(ignored) = request.data::<IgnoredKeys>().filter(|_| !unknown.is_empty()) {
            ignored.set(unknown);
        }
        Ok(Self(value))
    }
}

/// Reads a body, and finds the keys that its schema does not know.
async fn parsed<T: DeserializeOwned>(
    request: &Request,
    body: &mut RequestBody,
    limit_bytes: usize,
) -> poem::Result<(T, Vec<UnknownKey>)> {
    let bytes = read(body, limit_bytes).await?;
    let text: &[u8] = if bytes.iter().all(u8::is_ascii_whitespace) { b"{}" } else { &bytes };
    read_json::check(text).map_err(|refusal| Error::invalid("body", refusal.message))?;
    let value = parse(text)?;
    let tree: serde_json::Value = serde_json::from_slice(text).unwrap_or_default();
    stored_text::check_tree(&tree).map_err(Error::from)?;
    let pattern = request.data::<PathPattern>().map_or("", |PathPattern(pattern)| pattern);
    Ok((value, unknown_keys(request.method(), pattern, &tree)))
}

fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, Error> {
    // Serde would also read a list as the fields of an object, in order.
    if text.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(Error::invalid("body", "must be a JSON object"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let message = error.inner().to_string();
        let missing = message.strip_prefix("missing field `").and_then(|rest| rest.split_once('`'));
        match (missing, path.as_str()) {
            (Some((name, _)), "." | "?") => Error::invalid(name, "is required"),
            (Some((name, _)), path) => Error::invalid(format!("{path}.{name}"), "is required"),
            (None, "." | "?") => Error::invalid("body", message),
            (None, path) => Error::invalid(path, message),
        }
    })?;
    deserializer.end().map_err(|error| Error::invalid("body", error.to_string()))?;
    Ok(value)
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
        Err(error) => Err(Error::invalid("body", error.to_string()).into()),
    }
}
