//! Pure: the resources of this face, each of them a table of its attributes and relationships.

use crate::terrakube::resource::{Relation, Resource};

mod derived;
mod organization;
mod parts;
mod workspace;
mod workspace_job;

/// All of them.
pub(super) static RESOURCES: [Resource; 17] = [
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
];

/// The resource of a `type`.
pub(super) fn by_kind(kind: &str) -> Option<&'static Resource> {
    RESOURCES.iter().find(|resource| resource.kind == kind)
}

/// The resource that a relationship leads to.
pub(super) fn target(relation: &Relation) -> Option<&'static Resource> {
    by_kind(relation.target)
}
