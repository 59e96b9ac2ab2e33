//! Types of what this server has none of, or does not look at.

use poem_openapi::registry::MetaSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::describe::described;

/// What this server has none of: lists of it are there, and empty.
#[derive(Debug, Serialize)]
pub(in crate::api) enum Never {}

impl<'de> Deserialize<'de> for Never {
    fn deserialize<D: Deserializer<'de>>(_deserializer: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("this server has none"))
    }
}

described!(Never, MetaSchemaRef::Reference("Never".to_owned()), |registry| {
    registry.create_schema::<Never, _>("Never".to_owned(), |_| MetaSchema::ANY);
});

/// A part of a request that clients may send and that changes nothing here.
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
