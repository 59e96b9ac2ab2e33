//! Pure: the resources of the API, each as a table of attributes and relationships.

use crate::terrakube::resource::{Relation, Resource};

mod building_blocks;
mod derived;
mod not_stored;
mod organization;
mod registry_resources;
mod repository_webhook;
mod workspace;
mod workspace_job;

/// All resources.
pub(super) static RESOURCES: [Resource; 31] = [
    organization::ORGANIZATION_RESOURCE,
    workspace::WORKSPACE_RESOURCE,
    organization::TEMPLATE,
    organization::TEAM,
    organization::GLOBALVAR,
    workspace::VARIABLE_RESOURCE,
    workspace::ACCESS,
    workspace_job::JOB_RESOURCE,
    workspace_job::STEP,
    workspace_job::ADDRESS,
    workspace::HISTORY,
    workspace::SCHEDULE,
    organization::VCS,
    organization::SSH,
    organization::TAG,
    workspace::WORKSPACETAG,
    organization::PROJECT,
    organization::AGENT,
    not_stored::COLLECTION,
    not_stored::ITEM,
    not_stored::REFERENCE,
    repository_webhook::WEBHOOK,
    repository_webhook::WEBHOOK_EVENT,
    not_stored::NOTIFICATION_CONFIGURATION,
    not_stored::NOTIFICATION_TRIGGER,
    registry_resources::MODULE,
    registry_resources::MODULE_VERSION,
    registry_resources::PROVIDER,
    registry_resources::VERSION,
    registry_resources::IMPLEMENTATION,
    not_stored::PROJECT_ACCESS,
];

/// The resource with a `type`.
pub(super) fn by_kind(kind: &str) -> Option<&'static Resource> {
    RESOURCES.iter().find(|resource| resource.kind == kind)
}

/// The target of a relationship.
pub(super) fn target(relation: &Relation) -> Option<&'static Resource> {
    by_kind(relation.target)
}
