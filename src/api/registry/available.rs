//! The kinds of registries that are available.

use std::collections::BTreeMap;

use poem_openapi::Object;
use serde::{Deserialize, Serialize};

use super::registry_kind::ContainerRegistryKindEnum;
use crate::engine::settings::registry_address::KINDS;

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct AvailableContainerRegistryResponse {
    kind: ContainerRegistryKindEnum,
    required_config: BTreeMap<String, String>,
    is_mandatory: bool,
}

/// The kinds with the configuration keys that each requires.
pub(super) fn available() -> Vec<AvailableContainerRegistryResponse> {
    KINDS
        .into_iter()
        .map(|(kind, keys)| AvailableContainerRegistryResponse {
            kind: kind.into(),
            required_config: keys.iter().map(|key| ((*key).to_owned(), String::new())).collect(),
            is_mandatory: false,
        })
        .collect()
}
