//! Modules and their versions.

use chrono::{DateTime, Utc};
use entity::id::{OrganizationId, TerraformModuleId};
use entity::{module_version, terraform_module};
use sea_orm::sea_query::LockType;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::store::page::PAGE;
use crate::store::workspace::Login;

/// The modules of an organization, by name.
///
/// # Errors
/// When the query fails.
pub async fn list_modules(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
) -> Result<Vec<terraform_module::Model>, DbErr> {
    terraform_module::Entity::find()
        .filter(terraform_module::Column::OrganizationId.eq(organization))
        .order_by_asc(terraform_module::Column::Name)
        .order_by_asc(terraform_module::Column::Provider)
        .limit(PAGE)
        .all(db)
        .await
}

/// A module by the parts of its address.
///
/// # Errors
/// When the query fails.
pub async fn module_by_name(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    (name, provider): (&str, &str),
) -> Result<Option<terraform_module::Model>, DbErr> {
    terraform_module::Entity::find()
        .filter(terraform_module::Column::OrganizationId.eq(organization))
        .filter(terraform_module::Column::Name.eq(name))
        .filter(terraform_module::Column::Provider.eq(provider))
        .one(db)
        .await
}

/// A module, locked until the transaction ends.
///
/// # Errors
/// When the query fails.
pub async fn lock_module(
    tx: &impl ConnectionTrait,
    id: TerraformModuleId,
) -> Result<Option<terraform_module::Model>, DbErr> {
    terraform_module::Entity::find_by_id(id).lock(LockType::Update).one(tx).await
}

/// Up to `most` modules whose tags are to be read, the longest due first.
///
/// # Errors
/// When the query fails.
pub async fn due_modules(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    most: u64,
) -> Result<Vec<TerraformModuleId>, DbErr> {
    terraform_module::Entity::find()
        .select_only()
        .column(terraform_module::Column::Id)
        .filter(terraform_module::Column::RefreshDueAt.lte(now))
        .order_by_asc(terraform_module::Column::RefreshDueAt)
        .limit(most)
        .into_tuple()
        .all(db)
        .await
}

/// The addresses of up to `most` modules that use a login.
///
/// # Errors
/// When the query fails.
pub async fn modules_of_login(db: &impl ConnectionTrait, login: Login, most: u64) -> Result<Vec<String>, DbErr> {
    let uses = match login {
        Login::Vcs(id) => Condition::all().add(terraform_module::Column::VcsId.eq(id)),
        Login::Ssh(id) => Condition::all().add(terraform_module::Column::SshKeyId.eq(id)),
    };
    terraform_module::Entity::find()
        .select_only()
        .column(terraform_module::Column::Name)
        .filter(uses)
        .order_by_asc(terraform_module::Column::Name)
        .limit(most)
        .into_tuple()
        .all(db)
        .await
}

/// Up to `most` versions of a module, in no order.
///
/// # Errors
/// When the query fails.
pub async fn versions_of_module(
    db: &impl ConnectionTrait,
    id: TerraformModuleId,
    most: u64,
) -> Result<Vec<module_version::Model>, DbErr> {
    let of = module_version::Entity::find().filter(module_version::Column::ModuleId.eq(id));
    of.order_by_asc(module_version::Column::Version).limit(most).all(db).await
}

/// A version of a module by its number.
///
/// # Errors
/// When the query fails.
pub async fn module_version(
    db: &impl ConnectionTrait,
    id: TerraformModuleId,
    version: &str,
) -> Result<Option<module_version::Model>, DbErr> {
    module_version::Entity::find()
        .filter(module_version::Column::ModuleId.eq(id))
        .filter(module_version::Column::Version.eq(version))
        .one(db)
        .await
}
