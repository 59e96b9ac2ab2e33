//! Providers with their versions, platforms and signing keys.

use entity::id::{OrganizationId, ProviderVersionId, TerraformProviderId};
use entity::{provider_key, provider_platform, provider_version, terraform_provider};
use sea_orm::sea_query::LockType;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::store::page::PAGE;

/// The providers of an organization: its own first, then the copies of others, by name.
///
/// # Errors
/// When the query fails.
pub async fn list_providers(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
) -> Result<Vec<terraform_provider::Model>, DbErr> {
    terraform_provider::Entity::find()
        .filter(terraform_provider::Column::OrganizationId.eq(organization))
        .order_by_asc(terraform_provider::Column::Hostname)
        .order_by_asc(terraform_provider::Column::Namespace)
        .order_by_asc(terraform_provider::Column::Name)
        .limit(PAGE)
        .all(db)
        .await
}

/// A provider by its address: hostname, namespace and name. The first two are empty for one of the organization itself.
///
/// # Errors
/// When the query fails.
pub async fn provider_by_name(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    (hostname, namespace, name): (&str, &str, &str),
) -> Result<Option<terraform_provider::Model>, DbErr> {
    terraform_provider::Entity::find()
        .filter(terraform_provider::Column::OrganizationId.eq(organization))
        .filter(terraform_provider::Column::Hostname.eq(hostname))
        .filter(terraform_provider::Column::Namespace.eq(namespace))
        .filter(terraform_provider::Column::Name.eq(name))
        .one(db)
        .await
}

/// A provider, locked until the transaction ends.
///
/// # Errors
/// When the query fails.
pub async fn lock_provider(
    tx: &impl ConnectionTrait,
    id: TerraformProviderId,
) -> Result<Option<terraform_provider::Model>, DbErr> {
    terraform_provider::Entity::find_by_id(id).lock(LockType::Update).one(tx).await
}

/// Up to `most` versions of a provider, in no order.
///
/// # Errors
/// When the query fails.
pub async fn versions_of_provider(
    db: &impl ConnectionTrait,
    id: TerraformProviderId,
    most: u64,
) -> Result<Vec<provider_version::Model>, DbErr> {
    let of = provider_version::Entity::find().filter(provider_version::Column::ProviderId.eq(id));
    of.order_by_asc(provider_version::Column::Version).limit(most).all(db).await
}

/// A version of a provider by its number.
///
/// # Errors
/// When the query fails.
pub async fn provider_version(
    db: &impl ConnectionTrait,
    id: TerraformProviderId,
    version: &str,
) -> Result<Option<provider_version::Model>, DbErr> {
    provider_version::Entity::find()
        .filter(provider_version::Column::ProviderId.eq(id))
        .filter(provider_version::Column::Version.eq(version))
        .one(db)
        .await
}

/// The platforms of a version, by name.
///
/// # Errors
/// When the query fails.
pub async fn list_platforms(
    db: &impl ConnectionTrait,
    id: ProviderVersionId,
) -> Result<Vec<provider_platform::Model>, DbErr> {
    list_platforms_of(db, vec![id]).await
}

/// The platforms of some versions, by name.
///
/// # Errors
/// When the query fails.
pub async fn list_platforms_of(
    db: &impl ConnectionTrait,
    ids: Vec<ProviderVersionId>,
) -> Result<Vec<provider_platform::Model>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    provider_platform::Entity::find()
        .filter(provider_platform::Column::ProviderVersionId.is_in(ids))
        .order_by_asc(provider_platform::Column::ProviderVersionId)
        .order_by_asc(provider_platform::Column::Os)
        .order_by_asc(provider_platform::Column::Arch)
        .limit(50 * PAGE)
        .all(db)
        .await
}

/// The signing keys of an organization, the newest first.
///
/// # Errors
/// When the query fails.
pub async fn list_keys(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
) -> Result<Vec<provider_key::Model>, DbErr> {
    let of = provider_key::Entity::find().filter(provider_key::Column::OrganizationId.eq(organization));
    of.order_by_desc(provider_key::Column::CreatedAt).limit(PAGE).all(db).await
}

/// A signing key by its key id.
///
/// # Errors
/// When the query fails.
pub async fn provider_key(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    key_id: &str,
) -> Result<Option<provider_key::Model>, DbErr> {
    provider_key::Entity::find()
        .filter(provider_key::Column::OrganizationId.eq(organization))
        .filter(provider_key::Column::KeyId.eq(key_id))
        .one(db)
        .await
}
