//! Logins and SSH keys for the repositories of workspaces.

use entity::id::VcsId;
use entity::{ssh_key, vcs};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait};

/// One login to a host of repositories.
///
/// # Errors
/// When the query fails.
pub async fn vcs(db: &impl ConnectionTrait, id: VcsId) -> Result<Option<vcs::Model>, DbErr> {
    vcs::Entity::find_by_id(id).one(db).await
}

/// One SSH key.
///
/// # Errors
/// When the query fails.
pub async fn ssh_key(db: &impl ConnectionTrait, id: entity::id::SshKeyId) -> Result<Option<ssh_key::Model>, DbErr> {
    ssh_key::Entity::find_by_id(id).one(db).await
}
