//! Resources that this server does not support, and fields that it ignores.

use poem_openapi::registry::MetaSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::openapi_type::described;

/// A resource that this server does not support. Lists of it are always empty.
#[derive(Debug, Serialize)]
pub(in crate::api) enum Never {}

impl<'de> Deserialize<'de> for Never {
    fn deserialize<D: Deserializer<'de>>(_deserializer: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("this server does not support this resource"))
    }
}

described!(Never, MetaSchemaRef::Reference("Never".to_owned()), |registry| {
    registry.create_schema::<Never, _>("Never".to_owned(), |_| MetaSchema::ANY);
});

/// A field that clients may send, without effect.
#[derive(Clone, Copy, Debug, Serialize)]
pub(in crate::api) struct Ignored;

impl<'de> Deserialize<'de> for Ignored {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

described!(Ignored, MetaSchemaRef::Reference("Ignored".to_owned()), |registry| {
    registry.create_schema::<Ignored, _>("Ignored".to_owned(), |_| MetaSchema::ANY);
});
