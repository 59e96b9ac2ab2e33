//! Checks the ids that a job refers to.

use entity::id::{GroupId, OrganizationId};
use entity::job_spec::{GitRepository, JobSpec, Source};
use entity::metadata_group::GroupKind;
use entity::{git_token, metadata_group, registry};
use sea_orm::ConnectionTrait;

use crate::error::{Error, Result};
use crate::secret::stored_binding::of_git_token;
use crate::secret::{Destination, NotSent, permits};
use crate::store;

/// Checks that the git token of a repository belongs to the organization and to the host of the repository.
///
/// # Errors
/// `Invalid` if it does not; database errors.
pub async fn check_git_token(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    repository: &GitRepository,
    field: &str,
) -> Result<()> {
    let Some(id) = repository.git_token_id else { return Ok(()) };
    let refused = |text: String| Error::invalid(format!("{field}.git_token_id"), text);
    let row = store::row::by_id::<git_token::Model>(db, id).await?;
    let of_other = || refused("is not a git token of this organization".to_owned());
    let binding = of_git_token(&row.ok_or_else(of_other)?);
    permits(&binding, &Destination::new(organization, &repository.url)).map_err(|reason| match reason {
        NotSent::Organization => of_other(),
        NotSent::Origin { .. } => refused(format!("cannot be used for this url: {reason}")),
    })
}

/// What a job refers to.
pub struct References {
    pub registry: Option<registry::Model>,
    pub groups: Vec<metadata_group::Model>,
}

/// Checks that the registry, git token and groups of a job belong to its organization, and loads the registry and the groups.
///
/// # Errors
/// `Invalid` if one does not; database errors.
pub async fn check_references(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    spec: &JobSpec,
) -> Result<References> {
    let registry = match spec.registry_id() {
        Some(id) => {
            let row = store::registry::by_id(db, id).await?.filter(|row| row.organization_id == organization);
            let text = "is not a registry of this organization";
            Some(row.ok_or_else(|| Error::invalid("source.image.registry_id", text))?)
        }
        None => None,
    };
    if let Source::Docker { git_repository: Some(repository), .. } = &spec.source {
        check_git_token(db, organization, repository, "source.docker.git_repository").await?;
    }
    let kinds = [
        ("annotations_groups", GroupKind::Annotations, &spec.annotations_groups),
        ("labels_groups", GroupKind::Labels, &spec.labels_groups),
    ];
    let mut all = Vec::new();
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
        all.extend(groups);
    }
    Ok(References { registry, groups: all })
}
