//! Container registries of an organization.

mod associated_service;
mod available;
mod credentials;
mod gcp_credentials;
mod registry_kind;
mod request;
mod response;

use std::collections::BTreeMap;
use std::sync::Arc;

use entity::id::{OrganizationId, RegistryId};
use entity::registry;
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use uuid::Uuid;

pub(super) use self::associated_service::AssociatedService;
use self::available::{AvailableContainerRegistryResponse, available};
use self::credentials::{exposed, open, seal};
pub(super) use self::registry_kind::ContainerRegistryKindEnum;
use self::registry_kind::url;
use self::request::{ContainerRegistryRequest, SplitConfig, split};
use self::response::{ContainerRegistryResponse, ContainerVersionResponse};
use super::audit::{self, Change};
use super::caller::Auth;
use super::tag::Tag;
use super::wire::{Body, Created, EmptyResponse, Json, NoContent, Results, Success};
use crate::access::{self, Action};
use crate::app::App;
use crate::engine::limits;
use crate::error::{Error, Result};
use crate::registry_client;
use crate::secret::moves;
use crate::secret::stored_binding::of_registry;
use crate::store;
use crate::store::job_usage::SharedResource;

const TARGET: &str = "CONTAINER_REGISTRY";

pub(super) struct RegistryApi(pub(super) Arc<App>);

#[OpenApi]
impl RegistryApi {
    #[oai(path = "/availableContainerRegistry", method = "get", operation_id = "listAvailableContainerRegistry", tag = Tag::ContainerRegistries)]
    async fn list_available_container_registry(
        &self,
        _auth: Auth,
    ) -> Result<Success<Results<AvailableContainerRegistryResponse>>> {
        Ok(Json(Results { results: available() }))
    }

    #[oai(path = "/organization/:organizationId/containerRegistry", method = "get", operation_id = "listContainerRegistry", tag = Tag::ContainerRegistries)]
    async fn list_container_registry(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
    ) -> Result<Success<Results<ContainerRegistryResponse>>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ViewSettings, id).await?;
        let counts = store::registry::count_jobs(&self.0.db, id).await?;
        let rows = store::registry::list_by_organization(&self.0.db, id).await?;
        let results = rows.into_iter().map(|row| {
            let count = counts.get(&row.id).copied().unwrap_or(0);
            ContainerRegistryResponse::new(row, count)
        });
        Ok(Json(Results { results: results.collect() }))
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
        let SplitConfig { config, secrets } = split(config);
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
        row.credentials = seal(&self.0, row.id, &exposed(&secrets))?;
        let row = audit::write(&self.0, &auth, id, async |tx| {
            let row = store::registry::create(tx, row).await?;
            let change =
                Change::create(TARGET, row.id.0, &row.name).after(&ContainerRegistryResponse::new(row.clone(), 0));
            Ok((row, change))
        })
        .await?;
        Ok(Json(ContainerRegistryResponse::new(row, 0)))
    }

    #[oai(path = "/organization/:organizationId/containerRegistry/:containerRegistryId", method = "get", operation_id = "getContainerRegistry", tag = Tag::ContainerRegistries)]
    async fn get_container_registry(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "containerRegistryId")] container_registry_id: Path<Uuid>,
    ) -> Result<Success<ContainerRegistryResponse>> {
        let row = self.load(&auth, Action::ViewSettings, organization_id.0, container_registry_id.0).await?;
        self.response(row).await
    }

    #[oai(path = "/organization/:organizationId/containerRegistry/:containerRegistryId", method = "put", operation_id = "editContainerRegistry", tag = Tag::ContainerRegistries)]
    async fn edit_container_registry(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "containerRegistryId")] container_registry_id: Path<Uuid>,
        body: Body<ContainerRegistryRequest>,
    ) -> Result<Success<ContainerRegistryResponse>> {
        let mut row = self.load(&auth, Action::ManageSettings, organization_id.0, container_registry_id.0).await?;
        let before = ContainerRegistryResponse::new(row.clone(), 0);
        let ContainerRegistryRequest { name, kind, description, url: address, config } = body.0;
        let SplitConfig { config, secrets } = split(config);
        let mut credentials = if row.kind == kind.into() { open(&self.0, &row)? } else { BTreeMap::new() };
        let bound = of_registry(&row);
        row.name = limits::name("name", &name)?;
        row.kind = kind.into();
        row.url = url(kind, address)?;
        if moves(&bound, &of_registry(&row))
            && let Some(kept) = credentials.keys().find(|key| !secrets.contains_key(key.as_str()))
        {
            return Err(Error::invalid(format!("config.{kept}"), "must be given again, because url has another host"));
        }
        credentials.extend(exposed(&secrets));
        row.config = config;
        row.credentials = seal(&self.0, row.id, &credentials)?;
        if let Some(description) = description {
            row.description = Some(limits::text("description", description)?);
        }
        row.updated_at = self.0.clock.now();
        let row = audit::write(&self.0, &auth, row.organization_id, async |tx| {
            let row = store::registry::update(tx, row).await?;
            let change = Change::update(TARGET, row.id.0, &row.name)
                .before(&before)
                .after(&ContainerRegistryResponse::new(row.clone(), 0));
            Ok((row, change))
        })
        .await?;
        self.response(row).await
    }

    #[oai(path = "/organization/:organizationId/containerRegistry/:containerRegistryId", method = "delete", operation_id = "deleteContainerRegistry", tag = Tag::ContainerRegistries)]
    async fn delete_container_registry(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "containerRegistryId")] container_registry_id: Path<Uuid>,
    ) -> Result<NoContent> {
        let row = self.load(&auth, Action::ManageSettings, organization_id.0, container_registry_id.0).await?;
        audit::write(&self.0, &auth, row.organization_id, async |tx| {
            store::registry::delete(tx, row.id)
                .await
                .map_err(|e| Error::or_in_use(e, "jobs use this registry; switch them to another one first"))?;
            Ok(((), Change::delete(TARGET, row.id.0, &row.name).before(&ContainerRegistryResponse::new(row, 0))))
        })
        .await?;
        Ok(EmptyResponse)
    }

    #[oai(path = "/organization/:organizationId/containerRegistry/:containerRegistryId/associatedServices", method = "get", operation_id = "getContainerRegistryAssociatedServices", tag = Tag::OrganizationMainCalls)]
    async fn get_container_registry_associated_services(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "containerRegistryId")] container_registry_id: Path<Uuid>,
    ) -> Result<Success<Results<AssociatedService>>> {
        let row = self.load(&auth, Action::ViewSettings, organization_id.0, container_registry_id.0).await?;
        let jobs = store::job_usage::jobs_using(&self.0.db, SharedResource::Registry(row.id)).await?;
        let results = AssociatedService::list(&auth.0, jobs);
        Ok(Json(Results { results }))
    }

    #[oai(path = "/organization/:organizationId/containerRegistry/:containerRegistryId/images", method = "get", operation_id = "getContainerVersions", tag = Tag::ContainerRegistries)]
    async fn get_container_versions(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "containerRegistryId")] container_registry_id: Path<Uuid>,
        #[oai(name = "imageName")] image_name: Query<Option<String>>,
        search: Query<Option<String>>,
    ) -> Result<Success<Results<ContainerVersionResponse>>> {
        let row = self.load(&auth, Action::ViewSettings, organization_id.0, container_registry_id.0).await?;
        let name = image_name.0.or(search.0).filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| Error::invalid("imageName", "is required"))?;
        let name = limits::image_name("imageName", &name)?;
        let login = registry_client::login(&self.0.keys, &row, row.organization_id)?
            .map_err(|refused| Error::invalid("containerRegistryId", refused.to_string()))?;
        let versions = registry_client::tags(&row.url, login.as_ref(), &name)
            .await
            .map_err(|reason| Error::invalid("imageName", reason))?;
        Ok(Json(Results { results: vec![ContainerVersionResponse { image_name: name, versions }] }))
    }
}

impl RegistryApi {
    async fn load(&self, auth: &Auth, action: Action, organization: Uuid, id: Uuid) -> Result<registry::Model> {
        access::registry(&self.0.db, &auth.0, action, OrganizationId(organization), RegistryId(id)).await
    }

    async fn response(&self, row: registry::Model) -> Result<Success<ContainerRegistryResponse>> {
        let counts = store::registry::count_jobs(&self.0.db, row.organization_id).await?;
        let count = counts.get(&row.id).copied().unwrap_or(0);
        Ok(Json(ContainerRegistryResponse::new(row, count)))
    }
}
