//! Which cluster executes the steps of a workspace: the one that it names, or the one that its organization has for it.

use entity::cluster::{self, ClusterKind};
use entity::id::{ClusterId, OrganizationId};
use sea_orm::ConnectionTrait;

use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

/// The field of errors: what the Terrakube-compatible API calls a cluster.
const FIELD: &str = "agent";
/// How many workspaces an error names.
const NAMED: u64 = 5;

/// The cluster that executes the steps of a workspace which names `chosen`; none if they are executed by the server. Without a choice,
/// a cluster is used if it is preferred, or if nothing else is available, as for an organization without the cluster `local`.
///
/// # Errors
/// Database errors.
pub(super) async fn cluster_for_steps(
    app: &App,
    db: &impl ConnectionTrait,
    id: OrganizationId,
    chosen: Option<ClusterId>,
) -> Result<Option<(ClusterId, ClusterKind)>> {
    if let Some(id) = chosen
        && let Some(row) = store::cluster::by_id(db, id).await?
    {
        return Ok((row.kind != ClusterKind::Local).then_some((id, row.kind)));
    }
    let nothing_else =
        !store::cluster::has_local(db, id).await? || app.runners.local.is_err() && !app.runners.processes;
    if !app.config.workspaces_in_clusters && !nothing_else {
        return Ok(None);
    }
    Ok(store::cluster_objects::clusters_of(db, id).await?.first().copied())
}

/// Whether a cluster can execute the steps of workspaces.
#[must_use]
pub fn can_execute(row: &cluster::Model) -> bool {
    match row.kind {
        ClusterKind::Local | ClusterKind::Agent => true,
        ClusterKind::Kubernetes => row.kubeconfig.is_some(),
    }
}

/// Checks that a workspace may name a cluster, which stays until the transaction ends.
///
/// # Errors
/// `Invalid`, which says what is allowed; database errors.
pub async fn check(tx: &impl ConnectionTrait, organization: OrganizationId, id: ClusterId) -> Result<()> {
    let row = store::cluster::lock_shared(tx, id).await?.filter(|row| row.organization_id == organization);
    let row = row.ok_or_else(|| Error::invalid(FIELD, "must be a cluster of the organization"))?;
    if can_execute(&row) {
        return Ok(());
    }
    let text =
        format!("must be a cluster with a kubeconfig or with agents, or the local one; {} has neither", row.name);
    Err(Error::invalid(FIELD, text))
}

/// Rejects the deletion of a cluster that workspaces name, except for hidden ones.
///
/// # Errors
/// `Conflict` with their names; database errors.
pub(super) async fn refuse_named(tx: &impl ConnectionTrait, id: ClusterId) -> Result<()> {
    let mut names = store::workspace::users_of_cluster(tx, id, NAMED + 1).await?;
    if names.is_empty() {
        return Ok(());
    }
    if names.len() as u64 > NAMED {
        names.truncate(NAMED as usize);
        names.push("others".into());
    }
    let text = format!(
        "the steps of these workspaces run on this cluster: {}; choose another one for them first",
        names.join(", ")
    );
    Err(Error::Conflict(text))
}
