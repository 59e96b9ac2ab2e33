//! The roles that can be assigned, and custom roles with their permissions.

mod matrix;
mod permission;
mod request;
mod response;

use std::sync::Arc;

use entity::custom_role::{ClusterGrants, Model, ProjectGrants};
use entity::id::{CustomRoleId, OrganizationId};
use entity::member::Role;
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use uuid::Uuid;

use self::matrix::PermissionMatrix;
use self::request::{OrganizationCustomRoleCreateRequest, OrganizationCustomRoleUpdateRequest};
use self::response::{OrganizationAvailableRole, OrganizationCustomRole};
use super::audit::{self, Change, MEMBERS_AND_ROLES};
use super::caller::Auth;
use super::tag::Tag;
use super::wire::{Body, Created, EmptyResponse, Json, NoContent, Results, Success};
use crate::access::{self, Action};
use crate::app::App;
use crate::engine::assigned_role::BUILT_IN;
pub(super) use crate::engine::assigned_role::{assignable, name_and_id};
use crate::engine::limits;
use crate::error::{Error, Result};
use crate::store;

const TAKEN: &str = "this organization already has a custom role with this name";

const IN_USE: &str = "members, tokens or invitations have this role; assign them another one first";

/// The maximum number of custom roles in an organization.
const MAX_CUSTOM_ROLES: usize = 100;

/// Validates a name. The names of built-in roles are reserved, ignoring case.
fn name(text: &str) -> Result<String> {
    let name = limits::name("name", text)?;
    if BUILT_IN.iter().any(|(_, built_in, _)| *built_in == name.to_lowercase()) {
        return Err(Error::invalid("name", "must not be the name of a built-in role"));
    }
    Ok(name)
}

fn change(kind: &'static str, row: &Model) -> Change {
    Change::new(kind, MEMBERS_AND_ROLES, row.id.0, &row.name).part("CUSTOM_ROLE")
}

pub(super) struct RoleApi(pub(super) Arc<App>);

#[OpenApi]
impl RoleApi {
    #[oai(path = "/organization/:organizationId/availableRole", method = "get", operation_id = "listOrganizationAvailableRoles", tag = Tag::OrganizationMainCalls)]
    async fn list_organization_available_roles(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
    ) -> Result<Success<Results<OrganizationAvailableRole>>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ViewOrganization, id).await?;
        let built_in = BUILT_IN.iter().filter(|(role, _, _)| *role != Role::Owner);
        let built_in = built_in.map(|(_, name, id)| OrganizationAvailableRole { id: *id, name: (*name).to_owned() });
        let custom = store::custom_role::list(&self.0.db, id).await?.into_iter();
        let custom = custom.map(|row| OrganizationAvailableRole { id: row.id.0, name: row.name });
        Ok(Json(Results { results: built_in.chain(custom).collect() }))
    }

    #[oai(path = "/organization/:organizationId/customRole", method = "get", operation_id = "listOrganizationCustomRoles", tag = Tag::OrganizationCustomRole)]
    async fn list_organization_custom_roles(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
    ) -> Result<Success<Results<OrganizationCustomRole>>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ManageMembers, id).await?;
        let matrix = PermissionMatrix::load(&self.0.db, id).await?;
        let rows = store::custom_role::list(&self.0.db, id).await?;
        Ok(Json(Results { results: rows.iter().map(|row| matrix.response(row)).collect() }))
    }

    #[oai(path = "/organization/:organizationId/customRole", method = "post", operation_id = "createOrganizationCustomRole", tag = Tag::OrganizationCustomRole)]
    async fn create_organization_custom_role(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        body: Body<OrganizationCustomRoleCreateRequest>,
    ) -> Result<Created<OrganizationCustomRole>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ManageMembers, id).await?;
        let OrganizationCustomRoleCreateRequest { name, description } = body.0;
        let name = self::name(&name)?;
        let now = self.0.clock.now();
        let row = Model {
            id: CustomRoleId::create(),
            organization_id: id,
            created_at: now,
            updated_at: now,
            name_key: entity::name_key(&name),
            name,
            description: limits::text("description", description.unwrap_or_default())?,
            clusters: ClusterGrants::default(),
            projects: ProjectGrants::default(),
        };
        let response = audit::write(&self.0, &auth, id, async |tx| {
            if store::custom_role::list(tx, id).await?.len() >= MAX_CUSTOM_ROLES {
                return Err(Error::Conflict(format!(
                    "an organization can have at most {MAX_CUSTOM_ROLES} custom roles"
                )));
            }
            let row = store::row::create(tx, row).await.map_err(|e| Error::or_taken(e, TAKEN))?;
            let response = PermissionMatrix::load(tx, id).await?.response(&row);
            let change = change("CREATE", &row).after(&response);
            Ok((response, change))
        })
        .await?;
        Ok(Json(response))
    }

    #[oai(path = "/organization/:organizationId/customRole/:customRoleId", method = "get", operation_id = "getOrganizationCustomRole", tag = Tag::OrganizationCustomRole)]
    async fn get_organization_custom_role(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "customRoleId")] custom_role_id: Path<Uuid>,
    ) -> Result<Success<OrganizationCustomRole>> {
        let row = self.load(&auth, organization_id.0, custom_role_id.0).await?;
        Ok(Json(PermissionMatrix::load(&self.0.db, row.organization_id).await?.response(&row)))
    }

    #[oai(path = "/organization/:organizationId/customRole/:customRoleId", method = "put", operation_id = "editOrganizationCustomRole", tag = Tag::OrganizationCustomRole)]
    async fn edit_organization_custom_role(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "customRoleId")] custom_role_id: Path<Uuid>,
        body: Body<OrganizationCustomRoleUpdateRequest>,
    ) -> Result<Success<OrganizationCustomRole>> {
        let row = self.load(&auth, organization_id.0, custom_role_id.0).await?;
        let matrix = PermissionMatrix::load(&self.0.db, row.organization_id).await?;
        let before = matrix.response(&row);
        let OrganizationCustomRoleUpdateRequest { name, description, cluster_permissions, project_permissions } =
            body.0;
        let name = self::name(&name)?;
        let (clusters, projects) = matrix.parse(cluster_permissions, project_permissions)?;
        let row = Model {
            name_key: entity::name_key(&name),
            name,
            description: limits::text("description", description.unwrap_or(row.description))?,
            clusters,
            projects,
            updated_at: self.0.clock.now(),
            ..row
        };
        let response = audit::write(&self.0, &auth, row.organization_id, async |tx| {
            let row = store::row::update(tx, row).await.map_err(|e| Error::or_taken(e, TAKEN))?;
            let response = matrix.response(&row);
            let change = change("UPDATE", &row).before(&before).after(&response);
            Ok((response, change))
        })
        .await?;
        self.0.rights_changed();
        Ok(Json(response))
    }

    #[oai(path = "/organization/:organizationId/customRole/:customRoleId", method = "delete", operation_id = "deleteOrganizationCustomRole", tag = Tag::OrganizationCustomRole)]
    async fn delete_organization_custom_role(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "customRoleId")] custom_role_id: Path<Uuid>,
    ) -> Result<NoContent> {
        let row = self.load(&auth, organization_id.0, custom_role_id.0).await?;
        audit::write(&self.0, &auth, row.organization_id, async |tx| {
            store::row::delete::<Model>(tx, row.id).await.map_err(|e| Error::or_in_use(e, IN_USE))?;
            Ok(((), change("DELETE", &row)))
        })
        .await?;
        Ok(EmptyResponse)
    }
}

impl RoleApi {
    async fn load(&self, auth: &Auth, organization: Uuid, id: Uuid) -> Result<Model> {
        let (organization, id) = (OrganizationId(organization), CustomRoleId(id));
        access::custom_role(&self.0.db, &auth.0, Action::ManageMembers, organization, id).await
    }
}
