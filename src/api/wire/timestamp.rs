//! Times in requests and responses.

use chrono::{DateTime, SecondsFormat, Utc};
use poem_openapi::registry::MetaSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::openapi_type::described;

/// A time in UTC, written with microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) struct Timestamp(pub(in crate::api) DateTime<Utc>);

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

described!(Timestamp, MetaSchemaRef::Inline(Box::new(MetaSchema::new_with_format("string", "date-time"))), |_| {});
