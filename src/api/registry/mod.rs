//! /organization/{organizationId}/containerRegistry and /availableContainerRegistry.

mod schema;

use std::collections::BTreeMap;
use std::sync::Arc;

use entity::id::{OrganizationId, RegistryId};
use entity::job_spec::JobType;
use entity::registry;
use poem_openapi::param::{Path, Query};
use poem_openapi::{Enum, Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub(super) use self::schema::ContainerRegistryKindEnum;
use self::schema::{
    AvailableContainerRegistryResponse, ContainerRegistryRequest, ContainerRegistryResponse, Parts, answer, available,
    parts, url,
};
use super::Tag;
use super::audit::{self, Change};
use super::caller::Auth;
use super::limits;
use super::wire::{Answer, Blank, Body, Created, Found, Gone, Results};
use crate::access::{self, Action};
use crate::app::App;
use crate::error::{Error, Result};
use crate::registry_client;
use crate::secret::{Secret, place};
use crate::store;
use crate::store::job_usage::SharedResource;

const TARGET: &str = "CONTAINER_REGISTRY";

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum AssociatedServiceType {
    Lifecycle,
    Cron,
}

impl From<JobType> for AssociatedServiceType {
    fn from(job_type: JobType) -> Self {
        match job_type {
            JobType::Lifecycle => Self::Lifecycle,
            JobType::Cron => Self::Cron,
        }
    }
}

/// A job that uses a registry or a git token.
#[derive(Debug, Serialize, Deserialize, Object)]
#[oai(rename = "ContainerRegistryAssociatedServicesResponse")]
pub(super) struct AssociatedService {
    project_id: Uuid,
    project_name: String,
    environment_id: Uuid,
    environment_name: String,
    service_id: Uuid,
    service_name: String,
    service_type: AssociatedServiceType,
}

impl AssociatedService {
    /// Those of the jobs that the caller may see.
    pub(super) fn list(caller: &access::Caller, jobs: Vec<store::job_usage::LocatedJob>) -> Vec<Self> {
        let seen = |(_, environment, _): &store::job_usage::LocatedJob| {
            caller.may(environment.organization_id, Action::View, &access::place(environment))
        };
        let answer = |(job, environment, project): store::job_usage::LocatedJob| Self {
            project_id: project.id.0,
            project_name: project.name,
            environment_id: environment.id.0,
            environment_name: environment.name,
            service_id: job.id.0,
            service_name: job.name,
            service_type: job.job_type.into(),
        };
        jobs.into_iter().filter(seen).map(answer).collect()
    }
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct ContainerVersionResponse {
    image_name: String,
    versions: Vec<String>,
}

/// The handlers.
pub(super) struct RegistryApi(pub(super) Arc<App>);

#[OpenApi]
impl RegistryApi {
    #[oai(path = "/availableContainerRegistry", method = "get", operation_id = "listAvailableContainerRegistry", tag = Tag::ContainerRegistries)]
    async fn list_available_container_registry(
        &self,
        _auth: Auth,
    ) -> Result<Found<Results<AvailableContainerRegistryResponse>>> {
        Ok(Answer(Results { results: available() }))
    }

    #[oai(path = "/organization/:organizationId/containerRegistry", method = "get", operation_id = "listContainerRegistry", tag = Tag::ContainerRegistries)]
    async fn list_container_registry(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
    ) -> Result<Found<Results<ContainerRegistryResponse>>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ViewSettings, id).await?;
        let counts = store::registry::count_jobs(&self.0.db, id).await?;
        let rows = store::registry::list_by_organization(&self.0.db, id).await?;
        let results = rows.into_iter().map(|row| {
            let count = counts.get(&row.id).copied().unwrap_or(0);
            answer(row, count)
        });
        Ok(Answer(Results { results: results.collect() }))
    }

    #[oai(path = "/organization/:organizationId/containerRegistry", method = "post", operation_id = "createContainerRegistry", tag = Tag::ContainerRegistries)]
    async fn create_container_registry(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        body: Body<ContainerRegistryRequest>,
    ) -> Result<Created<ContainerRegistryResponse>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ManageSettings, id).await?;
        let now = self.0.clock.now();
        let ContainerRegistryRequest { name, kind, description, url: address, config } = body.0;
        let Parts { config, secrets } = parts(config);
        let mut row = registry::Model {
            id: RegistryId::create(),
            organization_id: id,
            created_at: now,
            updated_at: now,
            name: limits::name("name", &name)?,
            description: description.map(|text| limits::text("description", text)).transpose()?,
            kind: kind.into(),
            url: url(kind, address)?,
            config,
            credentials: None,
        };
        row.credentials = self.seal(row.id, &exposed(&secrets))?;
        let row = audit::write(&self.0, &auth, id, async |tx| {
            let row = store::registry::create(tx, row).await?;
            let change = Change::create(TARGET, row.id.0, &row.name).after(&answer(row.clone(), 0));
            Ok((row, change))
        })
        .await?;
        Ok(Answer(answer(row, 0)))
    }

    #[oai(path = "/organization/:organizationId/containerRegistry/:containerRegistryId", method = "get", operation_id = "getContainerRegistry", tag = Tag::ContainerRegistries)]
    async fn get_container_registry(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "containerRegistryId")] container_registry_id: Path<Uuid>,
    ) -> Result<Found<ContainerRegistryResponse>> {
        let (organization, id) = (OrganizationId(organization_id.0), RegistryId(container_registry_id.0));
        let row = access::registry(&self.0.db, &auth.0, Action::ViewSettings, organization, id).await?;
        self.answer(row).await
    }

    #[oai(path = "/organization/:organizationId/containerRegistry/:containerRegistryId", method = "put", operation_id = "editContainerRegistry", tag = Tag::ContainerRegistries)]
    async fn edit_container_registry(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "containerRegistryId")] container_registry_id: Path<Uuid>,
        body: Body<ContainerRegistryRequest>,
    ) -> Result<Found<ContainerRegistryResponse>> {
        let (organization, id) = (OrganizationId(organization_id.0), RegistryId(container_registry_id.0));
        let mut row = access::registry(&self.0.db, &auth.0, Action::ManageSettings, organization, id).await?;
        let before = answer(row.clone(), 0);
        let ContainerRegistryRequest { name, kind, description, url: address, config } = body.0;
        let Parts { config, secrets } = parts(config);
        let mut kept = if row.kind == kind.into() { self.open(&row)? } else { BTreeMap::new() };
        kept.extend(exposed(&secrets));
        row.name = limits::name("name", &name)?;
        row.kind = kind.into();
        row.url = url(kind, address)?;
        row.config = config;
        row.credentials = self.seal(row.id, &kept)?;
        if let Some(description) = description {
            row.description = Some(limits::text("description", description)?);
        }
        row.updated_at = self.0.clock.now();
        let row = audit::write(&self.0, &auth, organization, async |tx| {
            let row = store::registry::update(tx, row).await?;
            let change = Change::update(TARGET, row.id.0, &row.name).before(&before).after(&answer(row.clone(), 0));
            Ok((row, change))
        })
        .await?;
        self.answer(row).await
    }

    #[oai(path = "/organization/:organizationId/containerRegistry/:containerRegistryId", method = "delete", operation_id = "deleteContainerRegistry", tag = Tag::ContainerRegistries)]
    async fn delete_container_registry(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "containerRegistryId")] container_registry_id: Path<Uuid>,
    ) -> Result<Gone> {
        let (organization, id) = (OrganizationId(organization_id.0), RegistryId(container_registry_id.0));
        let row = access::registry(&self.0.db, &auth.0, Action::ManageSettings, organization, id).await?;
        audit::write(&self.0, &auth, organization, async |tx| {
            store::registry::delete(tx, row.id)
                .await
                .map_err(|e| Error::or_in_use(e, "jobs use this registry; give them another one first"))?;
            Ok(((), Change::delete(TARGET, row.id.0, &row.name).before(&answer(row, 0))))
        })
        .await?;
        Ok(Blank)
    }

    #[oai(path = "/organization/:organizationId/containerRegistry/:containerRegistryId/associatedServices", method = "get", operation_id = "getContainerRegistryAssociatedServices", tag = Tag::OrganizationMainCalls)]
    async fn get_container_registry_associated_services(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "containerRegistryId")] container_registry_id: Path<Uuid>,
    ) -> Result<Found<Results<AssociatedService>>> {
        let (organization, id) = (OrganizationId(organization_id.0), RegistryId(container_registry_id.0));
        let row = access::registry(&self.0.db, &auth.0, Action::ViewSettings, organization, id).await?;
        let jobs = store::job_usage::jobs_using(&self.0.db, SharedResource::Registry(row.id)).await?;
        let results = AssociatedService::list(&auth.0, jobs);
        Ok(Answer(Results { results }))
    }

    #[oai(path = "/organization/:organizationId/containerRegistry/:containerRegistryId/images", method = "get", operation_id = "getContainerVersions", tag = Tag::ContainerRegistries)]
    async fn get_container_versions(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "containerRegistryId")] container_registry_id: Path<Uuid>,
        #[oai(name = "imageName")] image_name: Query<Option<String>>,
        search: Query<Option<String>>,
    ) -> Result<Found<Results<ContainerVersionResponse>>> {
        let (organization, id) = (OrganizationId(organization_id.0), RegistryId(container_registry_id.0));
        let row = access::registry(&self.0.db, &auth.0, Action::ViewSettings, organization, id).await?;
        let name = image_name.0.or(search.0).filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| Error::invalid("imageName", "is missing"))?;
        let name = limits::image_name("imageName", &name)?;
        let login = registry_client::login(&self.0.keys, &row)?;
        let versions = registry_client::tags(&row.url, login.as_ref(), &name)
            .await
            .map_err(|reason| Error::invalid("imageName", reason))?;
        Ok(Answer(Results { results: vec![ContainerVersionResponse { image_name: name, versions }] }))
    }
}

impl RegistryApi {
    async fn answer(&self, row: registry::Model) -> Result<Found<ContainerRegistryResponse>> {
        let counts = store::registry::count_jobs(&self.0.db, row.organization_id).await?;
        let count = counts.get(&row.id).copied().unwrap_or(0);
        Ok(Answer(answer(row, count)))
    }

    fn seal(&self, id: RegistryId, secrets: &BTreeMap<String, String>) -> Result<Option<Vec<u8>>> {
        if secrets.is_empty() {
            return Ok(None);
        }
        let text = serde_json::to_vec(secrets).map_err(Error::internal)?;
        self.0.keys.seal(&place("registry", id.0), &text).map(Some)
    }

    fn open(&self, row: &registry::Model) -> Result<BTreeMap<String, String>> {
        let Some(sealed) = &row.credentials else { return Ok(BTreeMap::new()) };
        let opened = self.0.keys.open(&place("registry", row.id.0), sealed)?;
        serde_json::from_slice(opened.expose()).map_err(|_| Error::internal("sealed credentials are not JSON"))
    }
}

/// Only for sealing.
fn exposed(secrets: &BTreeMap<&'static str, Secret<String>>) -> BTreeMap<String, String> {
    secrets.iter().map(|(key, value)| ((*key).to_owned(), value.expose().clone())).collect()
}
