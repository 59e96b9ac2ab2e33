//! Organizations.

pub(super) mod forecast;
mod request;
mod response;
mod subscription_plan;

use std::sync::Arc;

use entity::id::OrganizationId;
use entity::organization;
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use uuid::Uuid;

use self::request::{OrganizationEditRequest, OrganizationRequest};
use self::response::Organization;
use self::subscription_plan::PlanEnum;
use super::audit::{self, Change};
use super::caller::Auth;
use super::tag::Tag;
use super::wire::{Body, Created, EmptyResponse, Json, NoContent, Results, Success};
use crate::access::{self, Action};
use crate::app::App;
use crate::bootstrap;
use crate::engine::limits;
use crate::error::{Error, Result};
use crate::store;
use crate::store::workspace::StepsOf;

pub(super) struct OrganizationApi(pub(super) Arc<App>);

#[OpenApi]
impl OrganizationApi {
    #[oai(path = "/organization", method = "get", operation_id = "listOrganization", tag = Tag::OrganizationMainCalls)]
    async fn list_organization(&self, auth: Auth) -> Result<Success<Results<Organization>>> {
        let rows = store::organization::list_by_ids(&self.0.db, auth.0.organizations()).await?;
        let mut results = Vec::with_capacity(rows.len());
        for row in rows {
            let owner = store::organization::owner(&self.0.db, row.id).await?;
            results.push(Organization::new(row, owner.map(|person| person.0)));
        }
        Ok(Json(Results { results }))
    }

    #[oai(path = "/organization", method = "post", operation_id = "createOrganization", tag = Tag::OrganizationMainCalls)]
    async fn create_organization(&self, auth: Auth, body: Body<OrganizationRequest>) -> Result<Created<Organization>> {
        let person = auth.0.person().ok_or(Error::Forbidden("only a person can create an organization"))?;
        bootstrap::may_create_organization(&self.0, person, auth.0.email()).await?;
        let OrganizationRequest { name, plan, rest } = body.0;
        let now = self.0.clock.now();
        let mut row = entity::organization::Model::new(&limits::name("name", &name)?, now);
        row.plan = plan.stored();
        rest.apply(&mut row)?;
        let row = bootstrap::found_organization(&self.0, row, person, now).await?;
        Ok(Json(Organization::new(row, Some(person.0))))
    }

    #[oai(path = "/organization/:organizationId", method = "get", operation_id = "getOrganization", tag = Tag::OrganizationMainCalls)]
    async fn get_organization(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
    ) -> Result<Success<Organization>> {
        let id = OrganizationId(organization_id.0);
        let row = access::organization(&self.0.db, &auth.0, Action::ViewOrganization, id).await?;
        let owner = store::organization::owner(&self.0.db, row.id).await?;
        Ok(Json(Organization::new(row, owner.map(|person| person.0))))
    }

    #[oai(path = "/organization/:organizationId", method = "put", operation_id = "editOrganization", tag = Tag::OrganizationMainCalls)]
    async fn edit_organization(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        body: Body<OrganizationEditRequest>,
    ) -> Result<Success<Organization>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::EditOrganization, id).await?;
        let OrganizationEditRequest { name, plan, rest } = body.0;
        let name = name.map(|name| limits::name("name", &name)).transpose()?;
        let updated_at = self.0.clock.now();
        let row = audit::write(&self.0, &auth, id, async |tx| {
            let edit = |mut row: organization::Model| {
                row.name = name.unwrap_or(row.name);
                row.plan = plan.map_or(row.plan, PlanEnum::stored);
                rest.apply(&mut row)?;
                Ok(organization::Model { updated_at, ..row })
            };
            let changed = store::row::change(tx, id, edit, Error::from).await?;
            let (before, row) = changed.ok_or(Error::NotFound("organization"))?;
            let change = Change::update("ORGANIZATION", row.id.0, &row.name);
            let change = change.before(&Organization::new(before, None));
            let after = Organization::new(row.clone(), None);
            Ok((row, change.after(&after)))
        })
        .await?;
        let owner = store::organization::owner(&self.0.db, row.id).await?;
        Ok(Json(Organization::new(row, owner.map(|person| person.0))))
    }

    #[oai(path = "/organization/:organizationId", method = "delete", operation_id = "deleteOrganization", tag = Tag::OrganizationMainCalls)]
    async fn delete_organization(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
    ) -> Result<NoContent> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::EditOrganization, id).await?;
        let now = self.0.clock.now();
        store::write(&self.0.db, async |tx| {
            let owner = store::organization::owner(tx, id).await?;
            if owner.is_some() && owner != auth.0.person() {
                return Err(Error::Forbidden("only the owner can delete the organization"));
            }
            let projects = store::project::list_by_organization(tx, id).await?.len();
            if projects > 0 {
                let text = format!("the organization still has projects ({projects}); delete them first");
                return Err(Error::Conflict(text));
            }
            let workspaces = store::workspace::count(tx, id).await?;
            if workspaces > 0 {
                let text = format!("the organization still has workspaces ({workspaces}); delete them first");
                return Err(Error::Conflict(text));
            }
            if let Some(run) = store::workspace::open_run(tx, StepsOf::Organization(id)).await? {
                let text =
                    format!("run {} ({}) of a deleted workspace has not ended; try again later", run.number, run.id);
                return Err(Error::Conflict(text));
            }
            store::organization::delete(tx, id, now).await?;
            Ok::<_, Error>(())
        })
        .await?;
        self.0.rights_changed();
        Ok(EmptyResponse)
    }
}
