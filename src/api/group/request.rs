//! Group requests.

use entity::metadata_group::Entry;
use poem_openapi::Object;
use serde::Deserialize;

use super::super::wire::enum_name;
use super::entry::{Annotation, Label, OrganizationAnnotationsGroupScopeEnum};

#[derive(Debug, Deserialize, Object)]
pub(super) struct OrganizationAnnotationsGroupCreateRequest {
    name: String,
    annotations: Vec<Annotation>,
    scopes: Vec<OrganizationAnnotationsGroupScopeEnum>,
}

#[derive(Debug, Deserialize, Object)]
pub(super) struct OrganizationLabelsGroupCreateRequest {
    name: String,
    labels: Vec<Label>,
}

/// A request for a group of either kind.
pub(super) struct GroupRequest {
    pub(super) name: String,
    pub(super) entries: Vec<Entry>,
    pub(super) scopes: Vec<String>,
}

impl From<OrganizationAnnotationsGroupCreateRequest> for GroupRequest {
    fn from(request: OrganizationAnnotationsGroupCreateRequest) -> Self {
        let OrganizationAnnotationsGroupCreateRequest { name, annotations, scopes } = request;
        let entry = |Annotation { key, value }| Entry { key, value, propagate_to_cloud_provider: false };
        Self {
            name,
            entries: annotations.into_iter().map(entry).collect(),
            scopes: scopes.into_iter().filter_map(enum_name).collect(),
        }
    }
}

impl From<OrganizationLabelsGroupCreateRequest> for GroupRequest {
    fn from(request: OrganizationLabelsGroupCreateRequest) -> Self {
        let OrganizationLabelsGroupCreateRequest { name, labels } = request;
        let entry =
            |Label { key, value, propagate_to_cloud_provider }| Entry { key, value, propagate_to_cloud_provider };
        Self { name, entries: labels.into_iter().map(entry).collect(), scopes: Vec::new() }
    }
}
