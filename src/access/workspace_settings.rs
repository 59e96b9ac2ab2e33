//! Access to what the workspaces of an organization share: templates, global variables, VCS connections, SSH keys, and the private registry.

use entity::id::{
    OrganizationId, ProviderKeyId, ProviderPlatformId, ProviderVersionId, SshKeyId, TemplateId, TerraformModuleId,
    TerraformProviderId, TerraformVariableId, VcsId,
};
use entity::{
    provider_key, provider_platform, provider_version, ssh_key, template, terraform_module, terraform_provider,
    terraform_variable, vcs,
};
use sea_orm::DatabaseConnection;

use super::caller::Caller;
use super::reach::{self, Rights};
use super::workspace::require_right;
use crate::error::{Error, Result};
use crate::store;

/// The rights of the caller in an organization of which they see at least a workspace.
///
/// # Errors
/// `NotFound`; `Forbidden` for a member who sees no workspaces; or a database error.
pub async fn workspace_rights(db: &DatabaseConnection, caller: &Caller, id: OrganizationId) -> Result<Rights> {
    let reach = reach::reach(db, caller).await?;
    if !reach.knows(id) {
        require_right(!caller.organizations().contains(&id))?;
        return Err(Error::NotFound("organization"));
    }
    Ok(reach.in_organization(id))
}

/// A row that the caller sees, and may change.
fn changeable<M>(row: Option<M>, sees: bool, may: bool, thing: &'static str) -> Result<M> {
    let row = row.filter(|_| sees).ok_or(Error::NotFound(thing))?;
    require_right(may)?;
    Ok(row)
}

/// A template that the caller may change.
///
/// # Errors
/// `NotFound`, `Forbidden`, or a database error.
pub async fn template(
    db: &DatabaseConnection,
    caller: &Caller,
    (organization, id): (OrganizationId, TemplateId),
) -> Result<template::Model> {
    let rights = workspace_rights(db, caller, organization).await?;
    let row = store::workspace::template(db, organization, id).await?;
    // Whoever sees a workspace sees the templates that it can be run with.
    changeable(row, true, rights.templates, "template")
}

/// A variable of all workspaces that the caller may change.
///
/// # Errors
/// `NotFound`, `Forbidden`, or a database error.
pub async fn global_variable(
    db: &DatabaseConnection,
    caller: &Caller,
    (organization, id): (OrganizationId, TerraformVariableId),
) -> Result<terraform_variable::Model> {
    let rights = workspace_rights(db, caller, organization).await?;
    let row = store::row::by_id::<terraform_variable::Model>(db, id).await?;
    let row = row.filter(|row| row.organization_id == organization && row.workspace_id.is_none());
    changeable(row, rights.view, rights.workspaces, "variable")
}

/// A VCS connection that the caller may change.
///
/// # Errors
/// `NotFound`, `Forbidden`, or a database error.
pub async fn vcs(
    db: &DatabaseConnection,
    caller: &Caller,
    (organization, id): (OrganizationId, VcsId),
) -> Result<vcs::Model> {
    let rights = workspace_rights(db, caller, organization).await?;
    let row = store::workspace::vcs(db, id).await?.filter(|row| row.organization_id == organization);
    changeable(row, rights.view, rights.logins, "VCS connection")
}

/// An SSH key that the caller may change.
///
/// # Errors
/// `NotFound`, `Forbidden`, or a database error.
pub async fn ssh_key(
    db: &DatabaseConnection,
    caller: &Caller,
    (organization, id): (OrganizationId, SshKeyId),
) -> Result<ssh_key::Model> {
    let rights = workspace_rights(db, caller, organization).await?;
    let row = store::workspace::ssh_key(db, id).await?.filter(|row| row.organization_id == organization);
    changeable(row, rights.view, rights.logins, "SSH key")
}

/// A module of the private registry that the caller may change.
///
/// # Errors
/// `NotFound`, `Forbidden`, or a database error.
pub async fn registry_module(
    db: &DatabaseConnection,
    caller: &Caller,
    (organization, id): (OrganizationId, TerraformModuleId),
) -> Result<terraform_module::Model> {
    let rights = workspace_rights(db, caller, organization).await?;
    let row = store::row::by_id::<terraform_module::Model>(db, id).await?;
    changeable(row.filter(|row| row.organization_id == organization), rights.view, rights.modules, "module")
}

/// A provider of the private registry, and whether the caller may change it.
///
/// # Errors
/// `NotFound`, or a database error.
pub async fn registry_provider(
    db: &DatabaseConnection,
    caller: &Caller,
    (organization, id): (OrganizationId, TerraformProviderId),
) -> Result<(terraform_provider::Model, bool)> {
    let rights = workspace_rights(db, caller, organization).await?;
    let row = store::row::by_id::<terraform_provider::Model>(db, id).await?;
    let row = row.filter(|row| row.organization_id == organization).ok_or(Error::NotFound("provider"))?;
    Ok((row, rights.providers))
}

/// A version of a provider that the caller may change.
///
/// # Errors
/// `NotFound`, `Forbidden`, or a database error.
pub async fn registry_version(
    db: &DatabaseConnection,
    caller: &Caller,
    (organization, id): (OrganizationId, ProviderVersionId),
) -> Result<provider_version::Model> {
    let rights = workspace_rights(db, caller, organization).await?;
    let row = store::row::by_id::<provider_version::Model>(db, id).await?;
    changeable(row.filter(|row| row.organization_id == organization), true, rights.providers, "version")
}

/// A platform of a provider that the caller may change.
///
/// # Errors
/// `NotFound`, `Forbidden`, or a database error.
pub async fn registry_platform(
    db: &DatabaseConnection,
    caller: &Caller,
    (organization, id): (OrganizationId, ProviderPlatformId),
) -> Result<provider_platform::Model> {
    let rights = workspace_rights(db, caller, organization).await?;
    let row = store::row::by_id::<provider_platform::Model>(db, id).await?;
    changeable(row.filter(|row| row.organization_id == organization), true, rights.providers, "platform")
}

/// A signing key of providers that the caller may change.
///
/// # Errors
/// `NotFound`, `Forbidden`, or a database error.
pub async fn signing_key(
    db: &DatabaseConnection,
    caller: &Caller,
    (organization, id): (OrganizationId, ProviderKeyId),
) -> Result<provider_key::Model> {
    let rights = workspace_rights(db, caller, organization).await?;
    let row = store::row::by_id::<provider_key::Model>(db, id).await?;
    changeable(row.filter(|row| row.organization_id == organization), true, rights.providers, "signing key")
}
