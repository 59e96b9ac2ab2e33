//! /organization.

use std::sync::Arc;

use entity::id::OrganizationId;
use entity::member::Role;
use entity::organization;
use poem_openapi::param::Path;
use poem_openapi::types::MaybeUndefined;
use poem_openapi::{Enum, Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Tag;
use super::audit::{self, Change};
use super::caller::Auth;
use super::limits;
use super::wire::{Answer, Blank, Body, Created, Found, Gone, Results, Timestamp};
use crate::access::{self, Action};
use crate::app::App;
use crate::bootstrap;
use crate::error::{Error, Result};
use crate::store;

/// Stored and answered for clients; nothing depends on it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum PlanEnum {
    Free,
    Team,
    TeamYearly,
    Enterprise,
    EnterpriseYearly,
    Professional,
    Business,
    #[serde(rename = "USER_2025")]
    #[oai(rename = "USER_2025")]
    User2025,
    #[serde(rename = "TEAM_2025")]
    #[oai(rename = "TEAM_2025")]
    Team2025,
    #[serde(rename = "BUSINESS_2025")]
    #[oai(rename = "BUSINESS_2025")]
    Business2025,
    #[serde(rename = "ENTERPRISE_2025")]
    #[oai(rename = "ENTERPRISE_2025")]
    Enterprise2025,
}

impl PlanEnum {
    fn stored(self) -> String {
        serde_json::to_value(self).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
    }

    fn from_stored(text: &str) -> Self {
        serde_json::from_value(text.into()).unwrap_or(Self::Free)
    }
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct Organization {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    name: String,
    #[oai(skip_serializing_if_is_none)]
    description: Option<String>,
    plan: PlanEnum,
    website_url: Option<String>,
    repository: Option<String>,
    logo_url: Option<String>,
    icon_url: Option<String>,
    admin_emails: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<Uuid>,
}

#[derive(Debug, Deserialize, Object)]
struct OrganizationRequest {
    name: String,
    plan: PlanEnum,
    #[serde(flatten)]
    #[oai(flatten)]
    rest: OrganizationRest,
}

#[derive(Debug, Deserialize, Object)]
struct OrganizationEditRequest {
    #[oai(default)]
    name: Option<String>,
    #[oai(default)]
    plan: Option<PlanEnum>,
    #[serde(flatten)]
    #[oai(flatten)]
    rest: OrganizationRest,
}

/// What may be absent (kept), null (cleared) or given.
#[derive(Debug, Default, Serialize, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
struct OrganizationRest {
    description: MaybeUndefined<String>,
    website_url: MaybeUndefined<String>,
    repository: MaybeUndefined<String>,
    logo_url: MaybeUndefined<String>,
    icon_url: MaybeUndefined<String>,
    admin_emails: MaybeUndefined<Vec<String>>,
}

impl OrganizationRest {
    /// Changes a row, which is not stored yet.
    fn apply(self, row: &mut organization::Model) -> Result<()> {
        let Self { description, website_url, repository, logo_url, icon_url, admin_emails } = self;
        let texts = [
            ("description", description, &mut row.description),
            ("website_url", website_url, &mut row.website_url),
            ("repository", repository, &mut row.repository),
            ("logo_url", logo_url, &mut row.logo_url),
            ("icon_url", icon_url, &mut row.icon_url),
        ];
        for (field, given, stored) in texts {
            match given {
                MaybeUndefined::Undefined => {}
                MaybeUndefined::Null => *stored = None,
                MaybeUndefined::Value(text) => *stored = Some(limits::text(field, text)?),
            }
        }
        match admin_emails {
            MaybeUndefined::Undefined => {}
            MaybeUndefined::Null => row.admin_emails = None,
            MaybeUndefined::Value(emails) => {
                row.admin_emails = Some(limits::list("admin_emails", emails)?.into());
            }
        }
        Ok(())
    }
}

fn answer(row: organization::Model, owner: Option<Uuid>) -> Organization {
    let organization::Model {
        id,
        created_at,
        updated_at,
        name,
        description,
        plan,
        website_url,
        repository,
        logo_url,
        icon_url,
        admin_emails,
        execution_mode: _,
        disabled: _,
        icon: _,
    } = row;
    Organization {
        id: id.0,
        created_at: Timestamp(created_at),
        updated_at: Timestamp(updated_at),
        name,
        description,
        plan: PlanEnum::from_stored(&plan),
        website_url,
        repository,
        logo_url,
        icon_url,
        admin_emails: admin_emails.and_then(|emails| serde_json::from_value(emails).ok()),
        owner,
    }
}

/// The handlers.
pub(super) struct OrganizationApi(pub(super) Arc<App>);

#[OpenApi]
impl OrganizationApi {
    #[oai(path = "/organization", method = "get", operation_id = "listOrganization", tag = Tag::OrganizationMainCalls)]
    async fn list_organization(&self, auth: Auth) -> Result<Found<Results<Organization>>> {
        let rows = store::organization::list_by_ids(&self.0.db, auth.0.organizations()).await?;
        let mut results = Vec::with_capacity(rows.len());
        for row in rows {
            let owner = store::organization::owner(&self.0.db, row.id).await?;
            results.push(answer(row, owner.map(|person| person.0)));
        }
        Ok(Answer(Results { results }))
    }

    #[oai(path = "/organization", method = "post", operation_id = "createOrganization", tag = Tag::OrganizationMainCalls)]
    async fn create_organization(&self, auth: Auth, body: Body<OrganizationRequest>) -> Result<Created<Organization>> {
        let person = auth.0.person().ok_or(Error::Forbidden("only a person can create an organization"))?;
        let OrganizationRequest { name, plan, rest } = body.0;
        let now = self.0.clock.now();
        let mut row = entity::organization::Model::new(&limits::name("name", &name)?, now);
        row.plan = plan.stored();
        rest.apply(&mut row)?;
        let local = bootstrap::local_cluster(row.id, now);
        let row = store::write(&self.0.db, async |tx| {
            let row = store::organization::create(tx, row).await?;
            store::person::add_member(tx, row.id, person, (Role::Owner, None), now).await?;
            store::cluster::create(tx, local).await?;
            bootstrap::add_default_templates(tx, row.id, now).await?;
            Ok::<_, Error>(row)
        })
        .await?;
        self.0.authenticator.forget();
        Ok(Answer(answer(row, Some(person.0))))
    }

    #[oai(path = "/organization/:organizationId", method = "get", operation_id = "getOrganization", tag = Tag::OrganizationMainCalls)]
    async fn get_organization(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
    ) -> Result<Found<Organization>> {
        let id = OrganizationId(organization_id.0);
        let row = access::organization(&self.0.db, &auth.0, Action::ViewOrganization, id).await?;
        let owner = store::organization::owner(&self.0.db, row.id).await?;
        Ok(Answer(answer(row, owner.map(|person| person.0))))
    }

    #[oai(path = "/organization/:organizationId", method = "put", operation_id = "editOrganization", tag = Tag::OrganizationMainCalls)]
    async fn edit_organization(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        body: Body<OrganizationEditRequest>,
    ) -> Result<Found<Organization>> {
        let id = OrganizationId(organization_id.0);
        let mut row = access::organization(&self.0.db, &auth.0, Action::EditOrganization, id).await?;
        let before = answer(row.clone(), None);
        let OrganizationEditRequest { name, plan, rest } = body.0;
        if let Some(name) = name {
            row.name = limits::name("name", &name)?;
        }
        if let Some(plan) = plan {
            row.plan = plan.stored();
        }
        rest.apply(&mut row)?;
        row.updated_at = self.0.clock.now();
        let row = audit::write(&self.0, &auth, id, async |tx| {
            let row = store::organization::update(tx, row).await?;
            let change = Change::update("ORGANIZATION", row.id.0, &row.name).before(&before);
            let after = answer(row.clone(), None);
            Ok((row, change.after(&after)))
        })
        .await?;
        let owner = store::organization::owner(&self.0.db, row.id).await?;
        Ok(Answer(answer(row, owner.map(|person| person.0))))
    }
    #[oai(path = "/organization/:organizationId", method = "delete", operation_id = "deleteOrganization", tag = Tag::OrganizationMainCalls)]
    async fn delete_organization(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
    ) -> Result<Gone> {
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
            store::organization::delete(tx, id, now).await?;
            Ok::<_, Error>(())
        })
        .await?;
        self.0.authenticator.forget();
        Ok(Blank)
    }
}
