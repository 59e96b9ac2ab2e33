//! Roles: the ones that can be given, and custom roles with their matrix of permissions.

mod matrix;
mod permission;
mod request;
mod response;
mod stored;

use std::sync::Arc;

use entity::custom_role::{Clusters, Model, Projects};
use entity::id::{CustomRoleId, OrganizationId};
use entity::member::Role;
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use uuid::Uuid;

use self::matrix::Lines;
use self::request::{OrganizationCustomRoleCreateRequest, OrganizationCustomRoleUpdateRequest};
use self::response::{OrganizationAvailableRole, OrganizationCustomRole};
use self::stored::FIXED;
pub(super) use self::stored::{by_id, named};
use super::audit::{self, Change, MEMBERS_AND_ROLES};
use super::caller::Auth;
use super::limits;
use super::tag::Tag;
use super::wire::{Answer, Blank, Body, Created, Found, Gone, Results};
use crate::access::{self, Action};
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

const TAKEN: &str = "a custom role of this organization already has this name";

const IN_USE: &str = "members, tokens or invitations have this role; give them another one first";

/// The most custom roles of an organization.
const MOST: usize = 100;

/// A name that no fixed role has, in any case.
fn name(given: &str) -> Result<String> {
    let name = limits::name("name", given)?;
    if FIXED.iter().any(|(_, fixed, _)| *fixed == name.to_lowercase()) {
        return Err(Error::invalid("name", "is the name of a fixed role"));
    }
    Ok(name)
}

fn change(kind: &'static str, row: &Model) -> Change {
    Change::new(kind, MEMBERS_AND_ROLES, row.id.0, &row.name).part("CUSTOM_ROLE")
}

/// The handlers.
pub(super) struct RoleApi(pub(super) Arc<App>);

#[OpenApi]
impl RoleApi {
    #[oai(path = "/organization/:organizationId/availableRole", method = "get", operation_id = "listOrganizationAvailableRoles", tag = Tag::OrganizationMainCalls)]
    async fn list_organization_available_roles(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
    ) -> Result<Found<Results<OrganizationAvailableRole>>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ViewOrganization, id).await?;
        let fixed = FIXED.iter().filter(|(role, _, _)| *role != Role::Owner);
        let fixed = fixed.map(|(_, name, id)| OrganizationAvailableRole { id: *id, name: (*name).to_owned() });
        let custom = store::custom_role::list(&self.0.db, id).await?.into_iter();
        let custom = custom.map(|row| OrganizationAvailableRole { id: row.id.0, name: row.name });
        Ok(Answer(Results { results: fixed.chain(custom).collect() }))
    }

    #[oai(path = "/organization/:organizationId/customRole", method = "get", operation_id = "listOrganizationCustomRoles", tag = Tag::OrganizationCustomRole)]
    async fn list_organization_custom_roles(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
    ) -> Result<Found<Results<OrganizationCustomRole>>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ManageMembers, id).await?;
        let lines = Lines::read(&self.0.db, id).await?;
        let rows = store::custom_role::list(&self.0.db, id).await?;
        Ok(Answer(Results { results: rows.iter().map(|row| lines.answer(row)).collect() }))
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
            clusters: Clusters::default(),
            projects: Projects::default(),
        };
        let answer = audit::write(&self.0, &auth, id, async |tx| {
            if store::custom_role::list(tx, id).await?.len() >= MOST {
                return Err(Error::Conflict(format!("there are {MOST} custom roles already, which is the most")));
            }
            let row = store::row::create(tx, row).await.map_err(|e| Error::or_taken(e, TAKEN))?;
            let answer = Lines::read(tx, id).await?.answer(&row);
            let change = change("CREATE", &row).after(&answer);
            Ok((answer, change))
        })
        .await?;
        Ok(Answer(answer))
    }

    #[oai(path = "/organization/:organizationId/customRole/:customRoleId", method = "get", operation_id = "getOrganizationCustomRole", tag = Tag::OrganizationCustomRole)]
    async fn get_organization_custom_role(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "customRoleId")] custom_role_id: Path<Uuid>,
    ) -> Result<Found<OrganizationCustomRole>> {
        let row = self.load(&auth, organization_id.0, custom_role_id.0).await?;
        Ok(Answer(Lines::read(&self.0.db, row.organization_id).await?.answer(&row)))
    }

    #[oai(path = "/organization/:organizationId/customRole/:customRoleId", method = "put", operation_id = "editOrganizationCustomRole", tag = Tag::OrganizationCustomRole)]
    async fn edit_organization_custom_role(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "customRoleId")] custom_role_id: Path<Uuid>,
        body: Body<OrganizationCustomRoleUpdateRequest>,
    ) -> Result<Found<OrganizationCustomRole>> {
        let row = self.load(&auth, organization_id.0, custom_role_id.0).await?;
        let lines = Lines::read(&self.0.db, row.organization_id).await?;
        let before = lines.answer(&row);
        let OrganizationCustomRoleUpdateRequest { name, description, cluster_permissions, project_permissions } =
            body.0;
        let name = self::name(&name)?;
        let (clusters, projects) = lines.read_request(cluster_permissions, project_permissions)?;
        let row = Model {
            name_key: entity::name_key(&name),
            name,
            description: limits::text("description", description.unwrap_or(row.description))?,
            clusters,
            projects,
            updated_at: self.0.clock.now(),
            ..row
        };
        let answer = audit::write(&self.0, &auth, row.organization_id, async |tx| {
            let row = store::row::update(tx, row).await.map_err(|e| Error::or_taken(e, TAKEN))?;
            let answer = lines.answer(&row);
            let change = change("UPDATE", &row).before(&before).after(&answer);
            Ok((answer, change))
        })
        .await?;
        self.0.authenticator.forget();
        Ok(Answer(answer))
    }

    #[oai(path = "/organization/:organizationId/customRole/:customRoleId", method = "delete", operation_id = "deleteOrganizationCustomRole", tag = Tag::OrganizationCustomRole)]
    async fn delete_organization_custom_role(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "customRoleId")] custom_role_id: Path<Uuid>,
    ) -> Result<Gone> {
        let row = self.load(&auth, organization_id.0, custom_role_id.0).await?;
        audit::write(&self.0, &auth, row.organization_id, async |tx| {
            store::row::delete::<Model>(tx, row.id).await.map_err(|e| Error::or_in_use(e, IN_USE))?;
            Ok(((), change("DELETE", &row)))
        })
        .await?;
        Ok(Blank)
    }
}

impl RoleApi {
    async fn load(&self, auth: &Auth, organization: Uuid, id: Uuid) -> Result<Model> {
        let (organization, id) = (OrganizationId(organization), CustomRoleId(id));
        access::custom_role(&self.0.db, &auth.0, Action::ManageMembers, organization, id).await
    }
}
