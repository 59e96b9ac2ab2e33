//! Checks the ids that a job refers to.

use entity::id::{GroupId, OrganizationId};
use entity::job_spec::JobSpec;
use entity::metadata_group::GroupKind;
use sea_orm::ConnectionTrait;

use crate::error::{Error, Result};
use crate::store;

/// Checks that the registry, git token and groups of a job belong to its organization.
pub(super) async fn check_references(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    spec: &JobSpec,
) -> Result<()> {
    if let Some(id) = spec.registry_id() {
        let registry = store::registry::by_id(db, id).await?;
        if registry.is_none_or(|registry| registry.organization_id != organization) {
            let text = "is not a registry of this organization";
            return Err(Error::invalid("source.image.registry_id", text));
        }
    }
    if let Some(id) = spec.git_token_id() {
        let token = store::row::by_id::<entity::git_token::Model>(db, id).await?;
        if token.is_none_or(|token| token.organization_id != organization) {
            let text = "is not a git token of this organization";
            return Err(Error::invalid("source.docker.git_repository.git_token_id", text));
        }
    }
    let kinds = [
        ("annotations_groups", GroupKind::Annotations, &spec.annotations_groups),
        ("labels_groups", GroupKind::Labels, &spec.labels_groups),
    ];
    for (field, kind, ids) in kinds {
        if ids.is_empty() {
            continue;
        }
        let groups = store::group::by_ids(db, ids.clone()).await?;
        let is_usable = |id: &GroupId| {
            groups.iter().any(|row| row.id == *id && row.organization_id == organization && row.kind == kind)
        };
        if let Some(place) = ids.iter().position(|id| !is_usable(id)) {
            return Err(Error::invalid(format!("{field}[{place}].id"), "is not a group of this organization"));
        }
    }
    Ok(())
}
