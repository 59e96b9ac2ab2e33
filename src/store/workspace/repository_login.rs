//! Logins and SSH keys for the repositories of workspaces.

use entity::earlier_urls::EarlierUrls;
use entity::id::{OrganizationId, SshKeyId, VcsId};
use entity::{ssh_key, vcs};
use sea_orm::{ActiveValue, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::store::page::PAGE;

/// One login to a host of repositories.
///
/// # Errors
/// When the query fails.
pub async fn vcs(db: &impl ConnectionTrait, id: VcsId) -> Result<Option<vcs::Model>, DbErr> {
    vcs::Entity::find_by_id(id).one(db).await
}

/// The logins of an organization, by name.
///
/// # Errors
/// When the query fails.
pub async fn vcs_names(db: &impl ConnectionTrait, id: OrganizationId) -> Result<Vec<(VcsId, String)>, DbErr> {
    vcs::Entity::find()
        .select_only()
        .columns([vcs::Column::Id, vcs::Column::Name])
        .filter(vcs::Column::OrganizationId.eq(id))
        .order_by_asc(vcs::Column::Name)
        .limit(PAGE)
        .into_tuple()
        .all(db)
        .await
}

/// The SSH keys of an organization, by name.
///
/// # Errors
/// When the query fails.
pub async fn ssh_key_names(db: &impl ConnectionTrait, id: OrganizationId) -> Result<Vec<(SshKeyId, String)>, DbErr> {
    ssh_key::Entity::find()
        .select_only()
        .columns([ssh_key::Column::Id, ssh_key::Column::Name])
        .filter(ssh_key::Column::OrganizationId.eq(id))
        .order_by_asc(ssh_key::Column::Name)
        .limit(PAGE)
        .into_tuple()
        .all(db)
        .await
}

/// One SSH key.
///
/// # Errors
/// When the query fails.
pub async fn ssh_key(db: &impl ConnectionTrait, id: SshKeyId) -> Result<Option<ssh_key::Model>, DbErr> {
    ssh_key::Entity::find_by_id(id).one(db).await
}

/// Records the first repository that an SSH key is used with. The first one stays.
///
/// # Errors
/// When the statement fails.
pub async fn bind_ssh_key(db: &impl ConnectionTrait, id: SshKeyId, url: &str) -> Result<(), DbErr> {
    let urls = Some(EarlierUrls(vec![url.to_owned()]));
    let row = ssh_key::ActiveModel { bound_urls: ActiveValue::Set(urls), ..Default::default() };
    let unbound = ssh_key::Column::BoundUrls.is_null();
    ssh_key::Entity::update_many().set(row).filter(ssh_key::Column::Id.eq(id)).filter(unbound).exec(db).await?;
    Ok(())
}

/// The VCS connections of an organization, by name.
///
/// # Errors
/// When the query fails.
pub async fn list_vcs(db: &impl ConnectionTrait, id: OrganizationId) -> Result<Vec<vcs::Model>, DbErr> {
    let of = vcs::Entity::find().filter(vcs::Column::OrganizationId.eq(id));
    of.order_by_asc(vcs::Column::Name).limit(PAGE).all(db).await
}

/// The SSH keys of an organization, by name.
///
/// # Errors
/// When the query fails.
pub async fn list_ssh_keys(db: &impl ConnectionTrait, id: OrganizationId) -> Result<Vec<ssh_key::Model>, DbErr> {
    let of = ssh_key::Entity::find().filter(ssh_key::Column::OrganizationId.eq(id));
    of.order_by_asc(ssh_key::Column::Name).limit(PAGE).all(db).await
}
