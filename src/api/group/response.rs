//! Group responses.

use entity::metadata_group::{Entry, Model};
use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::wire::{Timestamp, enum_value};
use super::entry::{Annotation, Label, OrganizationAnnotationsGroupScopeEnum};

#[derive(Debug, Serialize, Deserialize, Object)]
pub(in crate::api) struct OrganizationAnnotationsGroupResponse {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    name: String,
    annotations: Vec<Annotation>,
    scopes: Vec<OrganizationAnnotationsGroupScopeEnum>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(in crate::api) struct OrganizationLabelsGroupResponse {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    name: String,
    labels: Vec<Label>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct OrganizationAnnotationsGroupEnrichedResponse {
    #[serde(flatten)]
    #[oai(flatten)]
    pub(super) group: OrganizationAnnotationsGroupResponse,
    pub(super) associated_items_count: i64,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct OrganizationLabelsGroupEnrichedResponse {
    #[serde(flatten)]
    #[oai(flatten)]
    pub(super) group: OrganizationLabelsGroupResponse,
    pub(super) associated_items_count: i64,
}

impl From<Model> for OrganizationAnnotationsGroupResponse {
    fn from(row: Model) -> Self {
        let Model { id, organization_id: _, created_at, updated_at, kind: _, name, name_key: _, entries, scopes } = row;
        let annotation = |entry: Entry| Annotation { key: entry.key, value: entry.value };
        Self {
            id: id.0,
            created_at: Timestamp(created_at),
            updated_at: Timestamp(updated_at),
            name,
            annotations: entries.0.into_iter().map(annotation).collect(),
            scopes: scopes.0.into_iter().filter_map(|name| enum_value(&name)).collect(),
        }
    }
}

impl From<Model> for OrganizationLabelsGroupResponse {
    fn from(row: Model) -> Self {
        let Model { id, organization_id: _, created_at, updated_at, kind: _, name, name_key: _, entries, scopes: _ } =
            row;
        let label = |Entry { key, value, propagate_to_cloud_provider }: Entry| Label {
            key,
            value,
            propagate_to_cloud_provider,
        };
        Self {
            id: id.0,
            created_at: Timestamp(created_at),
            updated_at: Timestamp(updated_at),
            name,
            labels: entries.0.into_iter().map(label).collect(),
        }
    }
}
