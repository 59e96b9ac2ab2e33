//! What every part of this face shares: bodies in and out, times, lists, unions.
//!
//! Bodies are read and written by serde, so that an error names its field; poem-openapi's types only describe them.

use std::marker::PhantomData;

use chrono::{DateTime, SecondsFormat, Utc};
use futures_util::Stream;
use poem::http::{StatusCode, header};
use poem::{IntoResponse, Request, RequestBody, Response};
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaResponse, MetaResponses, MetaSchema, Registry};
use poem_openapi::types::{ParseFromJSON, ToJSON, Type};
use poem_openapi::{ApiExtractor, ApiExtractorType, ApiResponse, ExtractParamOptions, Object};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::Error;

/// The largest body that is read, in bytes.
pub(super) const BODY_LIMIT: usize = 1024 * 1024;

const JSON: &str = "application/json";

/// A time in UTC with microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Timestamp(pub(super) DateTime<Utc>);

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        DateTime::<Utc>::deserialize(deserializer).map(Self)
    }
}

/// Describes a type that serde reads and writes.
macro_rules! described {
    ($name:ty, $schema:expr, $register:expr) => {
        const _: () = {
            use poem_openapi::registry::{MetaSchemaRef, Registry};
            use poem_openapi::types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type};

            impl Type for $name {
                const IS_REQUIRED: bool = true;
                type RawValueType = Self;
                type RawElementValueType = Self;

                fn name() -> std::borrow::Cow<'static, str> {
                    stringify!($name).into()
                }

                fn schema_ref() -> MetaSchemaRef {
                    $schema
                }

                fn register(registry: &mut Registry) {
                    let register: fn(&mut Registry) = $register;
                    register(registry);
                }

                fn as_raw_value(&self) -> Option<&Self::RawValueType> {
                    Some(self)
                }

                fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self::RawElementValueType> + 'a> {
                    Box::new(std::iter::once(self))
                }
            }

            impl ToJSON for $name {
                fn to_json(&self) -> Option<serde_json::Value> {
                    serde_json::to_value(self).ok()
                }
            }

            impl ParseFromJSON for $name {
                fn parse_from_json(value: Option<serde_json::Value>) -> ParseResult<Self> {
                    serde_json::from_value(value.unwrap_or_default()).map_err(|e| ParseError::custom(e.to_string()))
                }
            }
        };
    };
}

described!(Timestamp, MetaSchemaRef::Inline(Box::new(MetaSchema::new_with_format("string", "date-time"))), |_| {});

/// A union of objects told apart by one key, described exactly so: no wrapper schemas.
macro_rules! one_of {
    ($(#[$meta:meta])* $name:ident by $key:literal { $($variant:ident($member:ty) = $value:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, serde::Serialize)]
        #[serde(untagged)]
        pub(crate) enum $name { $($variant(Box<$member>)),+ }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                use serde::de::Error as _;
                let value = serde_json::Value::deserialize(deserializer)?;
                match value.get($key).and_then(serde_json::Value::as_str) {
                    $(Some($value) => serde_json::from_value(value).map(Self::$variant).map_err(D::Error::custom),)+
                    _ => Err(D::Error::custom(concat!($key, " names no member of the union"))),
                }
            }
        }

        $crate::api::wire::described!(
            $name,
            poem_openapi::registry::MetaSchemaRef::Inline(Box::new(poem_openapi::registry::MetaSchema {
                one_of: vec![$(<$member as poem_openapi::types::Type>::schema_ref()),+],
                discriminator: Some(poem_openapi::registry::MetaDiscriminatorObject {
                    property_name: $key,
                    mapping: vec![$((
                        $value.to_owned(),
                        format!("#/components/schemas/{}", <$member as poem_openapi::types::Type>::name()),
                    )),+],
                }),
                ..poem_openapi::registry::MetaSchema::ANY
            })),
            |registry| { $(<$member as poem_openapi::types::Type>::register(registry);)+ }
        );
    };
}

pub(crate) use {described, one_of};

/// A list.
#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct Results<T: ParseFromJSON + ToJSON> {
    pub(super) results: Vec<T>,
}

/// An object without keys.
#[derive(Debug, Default, Serialize, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
pub(super) struct Empty {}

/// A reference by id.
#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct ReferenceObject {
    pub(super) id: uuid::Uuid,
}

/// A JSON body, of at most `BODY_LIMIT` bytes. An absent body is read as `{}`.
pub(super) struct Body<T>(pub(super) T);

impl<'a, T: Type + DeserializeOwned> ApiExtractor<'a> for Body<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let content = vec![MetaMediaType { content_type: JSON, schema: T::schema_ref() }];
        Some(MetaRequest { description: None, content, required: true })
    }

    async fn from_request(
        _request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<Self::ParamType>,
    ) -> poem::Result<Self> {
        let bytes = read(body).await?;
        let text: &[u8] = if bytes.iter().all(u8::is_ascii_whitespace) { b"{}" } else { &bytes };
        Ok(Self(parse(text)?))
    }
}

fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, Error> {
    // serde would take a list for an object, field by field.
    if text.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(Error::invalid("body", "is not a JSON object"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let message = error.inner().to_string();
        let missing = message.strip_prefix("missing field `").and_then(|rest| rest.split_once('`'));
        match (missing, path.as_str()) {
            (Some((name, _)), "." | "?") => Error::invalid(name, "is missing"),
            (Some((name, _)), path) => Error::invalid(format!("{path}.{name}"), "is missing"),
            (None, "." | "?") => Error::invalid("body", message),
            (None, path) => Error::invalid(path, message),
        }
    })?;
    deserializer.end().map_err(|error| Error::invalid("body", error.to_string()))?;
    Ok(value)
}

/// A JSON answer with a status.
#[derive(Debug)]
pub(super) struct Answer<const STATUS: u16, T>(pub(super) T);

pub(super) type Found<T> = Answer<200, T>;
pub(super) type Created<T> = Answer<201, T>;
pub(super) type Accepted<T> = Answer<202, T>;

impl<const STATUS: u16, T: Type> ApiResponse for Answer<STATUS, T> {
    fn meta() -> MetaResponses {
        let content = vec![MetaMediaType { content_type: JSON, schema: T::schema_ref() }];
        responses(STATUS, content)
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<const STATUS: u16, T: Serialize + Send> IntoResponse for Answer<STATUS, T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(bytes) => Response::builder().status(code(STATUS)).content_type(JSON).body(bytes),
            Err(error) => poem::Error::from(Error::internal(error)).into_response(),
        }
    }
}

/// An answer without a body.
pub(super) struct Blank<const STATUS: u16>;

/// Deleted, or being deleted.
pub(super) type Gone = Blank<204>;

impl<const STATUS: u16> ApiResponse for Blank<STATUS> {
    fn meta() -> MetaResponses {
        responses(STATUS, Vec::new())
    }

    fn register(_registry: &mut Registry) {}
}

impl<const STATUS: u16> IntoResponse for Blank<STATUS> {
    fn into_response(self) -> Response {
        code(STATUS).into()
    }
}

/// What this server has none of: lists of it are there, and empty.
#[derive(Debug, Serialize)]
pub(super) enum Never {}

impl<'de> Deserialize<'de> for Never {
    fn deserialize<D: Deserializer<'de>>(_deserializer: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("this server has none"))
    }
}

/// A part of a request that clients may send and that changes nothing here.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Ignored;

impl<'de> Deserialize<'de> for Ignored {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

described!(Ignored, MetaSchemaRef::Reference("Ignored".to_owned()), |registry| {
    registry.create_schema::<Ignored, _>("Ignored".to_owned(), |_| MetaSchema::ANY);
});

described!(Never, MetaSchemaRef::Reference("Never".to_owned()), |registry| {
    registry.create_schema::<Never, _>("Never".to_owned(), |_| MetaSchema::ANY);
});

/// An answer whose body is sent piece by piece; `T` describes the whole.
pub(super) struct Streamed<T> {
    body: poem::Body,
    whole: PhantomData<fn() -> T>,
}

impl<T> Streamed<T> {
    pub(super) fn new(pieces: impl Stream<Item = Result<Vec<u8>, Error>> + Send + 'static) -> Self {
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

const YAML: &str = "application/x-yaml";

/// A YAML document as an answer.
pub(super) struct Yaml(pub(super) String);

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

/// A YAML document as the body of a request, whatever its media type says.
pub(super) struct YamlBody(pub(super) String);

impl<'a> ApiExtractor<'a> for YamlBody {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn request_meta() -> Option<MetaRequest> {
        let content = vec![MetaMediaType { content_type: YAML, schema: String::schema_ref() }];
        Some(MetaRequest { description: None, content, required: true })
    }

    async fn from_request(
        _request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<Self::ParamType>,
    ) -> poem::Result<Self> {
        let bytes = read(body).await?;
        Ok(Self(String::from_utf8(bytes).map_err(|_| Error::invalid("body", "is not UTF-8"))?))
    }
}

/// The bytes of a body, at most `BODY_LIMIT` of them.
async fn read(body: &mut RequestBody) -> poem::Result<Vec<u8>> {
    match body.take()?.into_bytes_limit(BODY_LIMIT).await {
        Ok(bytes) => Ok(bytes.into()),
        Err(poem::error::ReadBodyError::PayloadTooLarge) => Err(Error::TooLarge { limit_bytes: BODY_LIMIT }.into()),
        Err(error) => Err(Error::invalid("body", error.to_string()).into()),
    }
}

/// Plain text, sent piece by piece.
pub(super) struct Text(pub(super) poem::Body);

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

fn responses(status: u16, content: Vec<MetaMediaType>) -> MetaResponses {
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

pub(super) fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// An enum of the contract, both ways between the stored one and the one on the wire.
macro_rules! mirrored {
    ($(#[$meta:meta])* $name:ident of $stored:ty { $($variant:ident),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, poem_openapi::Enum)]
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        #[oai(rename_all = "SCREAMING_SNAKE_CASE")]
        pub(in crate::api) enum $name { $($variant),+ }

        impl From<$stored> for $name {
            fn from(stored: $stored) -> Self {
                match stored { $(<$stored>::$variant => Self::$variant),+ }
            }
        }

        impl From<$name> for $stored {
            fn from(given: $name) -> Self {
                match given { $($name::$variant => <$stored>::$variant),+ }
            }
        }
    };
}

pub(crate) use mirrored;

/// Reads a whole number that may come as text, as web forms send it.
pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(i64),
        Decimal(f64),
        Text(String),
    }
    use serde::de::Error as _;
    let whole = match Written::deserialize(deserializer).map_err(|_| D::Error::custom("expected a whole number"))? {
        Written::Number(number) => Some(number),
        #[expect(clippy::cast_possible_truncation, reason = "only whole numbers in range pass the filter")]
        Written::Decimal(number) => Some(number).filter(|n| n.fract() == 0.0 && n.abs() < 1e15).map(|n| n as i64),
        Written::Text(text) => text.trim().parse().ok(),
    };
    whole
        .and_then(|number| i32::try_from(number).ok())
        .ok_or_else(|| D::Error::custom(format!("expected a whole number of at most {}", i32::MAX)))
}

/// Like `number`, with null and empty text as none.
pub(super) fn optional_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i32>, D::Error> {
    let value = Option::<serde_json::Value>::deserialize(deserializer)?;
    match value {
        None => Ok(None),
        Some(serde_json::Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(value) => number(value).map(Some).map_err(serde::de::Error::custom),
    }
}
