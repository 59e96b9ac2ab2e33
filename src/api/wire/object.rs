//! Objects that several resources use.

use poem_openapi::Object;
use poem_openapi::types::{ParseFromJSON, ToJSON};
use serde::{Deserialize, Serialize};

/// A list.
#[derive(Debug, Serialize, Deserialize, Object)]
pub(in crate::api) struct Results<T: ParseFromJSON + ToJSON> {
    pub(in crate::api) results: Vec<T>,
}

/// An empty object.
#[derive(Debug, Default, Serialize, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
pub(in crate::api) struct Empty {}

/// A reference by id.
#[derive(Clone, Debug, Serialize, Deserialize, Object)]
pub(in crate::api) struct ReferenceObject {
    pub(in crate::api) id: uuid::Uuid,
}
