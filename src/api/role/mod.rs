//! The roles that can be assigned, and custom roles with their permissions.

mod matrix;
mod permission;
mod request;
mod response;

use std::sync::Arc;

use entity::custom_role::Model;
use entity::id::{CustomRoleId, OrganizationId};
use entity::member::Role;
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use uuid::Uuid;

use self::matrix::PermissionMatrix;
use self::request::{OrganizationCustomRoleCreateRequest, OrganizationCustomRoleUpdateRequest};
use self::response::{OrganizationAvailableRole, OrganizationCustomRole};
use super::caller::Auth;
use super::tag::Tag;
use super::wire::{Body, Created, EmptyResponse, Json, NoContent, Results, Success};
use crate::access::{self, Action};
use crate::app::App;
use crate::engine::assigned_role::BUILT_IN;
pub(super) use crate::engine::assigned_role::{assignable, name_and_id};
use crate::engine::settings::role_settings;
use crate::error::Result;
use crate::store;

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
        let of = (name.as_str(), description);
        let row = role_settings::create(&self.0, &auth.requester(), id, of, Default::default()).await?;
        let response = PermissionMatrix::load(&self.0.db, id).await?.response(&row);
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
        let OrganizationCustomRoleUpdateRequest { name, description, cluster_permissions, project_permissions } =
            body.0;
        let granted = matrix.parse(cluster_permissions, project_permissions)?;
        let row = role_settings::edit(&self.0, &auth.requester(), row, (&name, description), granted).await?;
        let response = matrix.response(&row);
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
        role_settings::delete(&self.0, &auth.requester(), row).await?;
        Ok(EmptyResponse)
    }
}

impl RoleApi {
    async fn load(&self, auth: &Auth, organization: Uuid, id: Uuid) -> Result<Model> {
        let (organization, id) = (OrganizationId(organization), CustomRoleId(id));
        access::custom_role(&self.0.db, &auth.0, Action::ManageMembers, organization, id).await
    }
}
