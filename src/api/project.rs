//! /organization/{organizationId}/project and /project/{projectId}.

use std::sync::Arc;

use entity::id::{OrganizationId, ProjectId};
use entity::project;
use poem_openapi::param::Path;
use poem_openapi::{Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::audit::{self, Change};
use super::caller::Auth;
use super::tag::Tag;
use super::wire::{Body, EmptyResponse, Json, NoContent, ReferenceObject, Results, Success, Timestamp};
use crate::access::{self, Action, Location};
use crate::app::App;
use crate::engine::limits;
use crate::engine::new_project::{self, TAKEN};
use crate::error::{Error, Result};
use crate::store;

#[derive(Debug, Deserialize, Object)]
struct ProjectRequest {
    name: String,
    #[serde(default)]
    #[oai(default)]
    description: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct Project {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    name: String,
    description: String,
    associated_environments_count: i64,
    organization: ReferenceObject,
}

fn project_response(row: project::Model, environments: i64) -> Project {
    let project::Model { id, organization_id, created_at, updated_at, name, name_key: _, description } = row;
    Project {
        id: id.0,
        created_at: Timestamp(created_at),
        updated_at: Timestamp(updated_at),
        name,
        description,
        associated_environments_count: environments,
        organization: ReferenceObject { id: organization_id.0 },
    }
}

pub(super) struct ProjectApi(pub(super) Arc<App>);

#[OpenApi]
impl ProjectApi {
    #[oai(path = "/organization/:organizationId/project", method = "get", operation_id = "listProject", tag = Tag::Projects)]
    async fn list_project(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
    ) -> Result<Success<Results<Project>>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::View, id).await?;
        let counts = store::project::count_environments(&self.0.db, id).await?;
        let rows = store::project::list_by_organization(&self.0.db, id).await?;
        let seen = |row: &project::Model| {
            auth.0.may(id, Action::View, &Location { project: Some(row.id), ..Location::default() })
        };
        let results = rows.into_iter().filter(seen).map(|row| {
            let count = counts.get(&row.id).copied().unwrap_or(0);
            project_response(row, count)
        });
        Ok(Json(Results { results: results.collect() }))
    }

    #[oai(path = "/organization/:organizationId/project", method = "post", operation_id = "createProject", tag = Tag::Projects)]
    async fn create_project(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        body: Body<ProjectRequest>,
    ) -> Result<Success<Project>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::CreateProject, id).await?;
        let ProjectRequest { name, description } = body.0;
        let description = description.unwrap_or_default();
        let row = new_project::create(&self.0, &auth.requester(), id, &name, description).await?;
        Ok(Json(project_response(row, 0)))
    }

    #[oai(path = "/project/:projectId", method = "get", operation_id = "getProject", tag = Tag::ProjectMainCalls)]
    async fn get_project(
        &self,
        auth: Auth,
        #[oai(name = "projectId")] project_id: Path<Uuid>,
    ) -> Result<Success<Project>> {
        let row = access::project(&self.0.db, &auth.0, Action::View, ProjectId(project_id.0)).await?;
        self.answer(row).await
    }

    #[oai(path = "/project/:projectId", method = "put", operation_id = "editProject", tag = Tag::ProjectMainCalls)]
    async fn edit_project(
        &self,
        auth: Auth,
        #[oai(name = "projectId")] project_id: Path<Uuid>,
        body: Body<ProjectRequest>,
    ) -> Result<Success<Project>> {
        let row = access::project(&self.0.db, &auth.0, Action::Manage, ProjectId(project_id.0)).await?;
        let ProjectRequest { name, description } = body.0;
        let name = limits::name("name", &name)?;
        let description = description.map(|text| limits::text("description", text)).transpose()?;
        let updated_at = self.0.clock.now();
        let row = audit::write(&self.0, &auth, row.organization_id, async |tx| {
            let edit = |stored: project::Model| {
                let (name_key, description) = (entity::name_key(&name), description.unwrap_or(stored.description));
                Ok(project::Model { name_key, name, description, updated_at, ..stored })
            };
            let changed = store::row::change(tx, row.id, edit, |e| Error::or_taken(e, TAKEN)).await?;
            let (before, row) = changed.ok_or(Error::NotFound("project"))?;
            let change = Change::update("PROJECT", row.id.0, &row.name).of_project(&row);
            let change = change.before(&project_response(before, 0));
            let after = project_response(row.clone(), 0);
            Ok((row, change.after(&after)))
        })
        .await?;
        self.answer(row).await
    }

    #[oai(path = "/project/:projectId", method = "delete", operation_id = "deleteProject", tag = Tag::ProjectMainCalls)]
    async fn delete_project(&self, auth: Auth, #[oai(name = "projectId")] project_id: Path<Uuid>) -> Result<NoContent> {
        let row = access::project(&self.0.db, &auth.0, Action::Manage, ProjectId(project_id.0)).await?;
        audit::write(&self.0, &auth, row.organization_id, async |tx| {
            store::project::delete(tx, row.id)
                .await
                .map_err(|e| Error::or_in_use(e, "the project still has environments; delete them first"))?;
            Ok((
                (),
                Change::delete("PROJECT", row.id.0, &row.name)
                    .of_project(&row)
                    .before(&project_response(row.clone(), 0)),
            ))
        })
        .await?;
        Ok(EmptyResponse)
    }
}

impl ProjectApi {
    async fn answer(&self, row: project::Model) -> Result<Success<Project>> {
        let count = store::project::count_environments_of(&self.0.db, row.id).await?;
        Ok(Json(project_response(row, i64::try_from(count).unwrap_or(i64::MAX))))
    }
}
