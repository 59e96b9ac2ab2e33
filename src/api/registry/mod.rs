//! Container registries of an organization.

mod associated_service;
mod available;
mod gcp_credentials;
mod registry_kind;
mod request;
mod response;

use std::sync::Arc;

use entity::id::{OrganizationId, RegistryId};
use entity::registry;
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use uuid::Uuid;

pub(super) use self::associated_service::AssociatedService;
use self::available::{AvailableContainerRegistryResponse, available};
pub(super) use self::registry_kind::ContainerRegistryKindEnum;
use self::request::{ContainerRegistryRequest, wanted};
use self::response::{ContainerRegistryResponse, ContainerVersionResponse};
use super::caller::Auth;
use super::tag::Tag;
use super::wire::{Body, Created, EmptyResponse, Json, NoContent, Results, Success};
use crate::access::{self, Action};
use crate::app::App;
use crate::engine::settings::{registry_settings, registry_tags};
use crate::error::{Error, Result};
use crate::store;
use crate::store::job_usage::SharedResource;

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
        let row = registry_settings::create(&self.0, &auth.requester(), id, wanted(body.0)).await?;
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
        let row = self.load(&auth, Action::ManageSettings, organization_id.0, container_registry_id.0).await?;
        let wanted = wanted(body.0);
        let row = registry_settings::edit(&self.0, &auth.requester(), row, |_| Ok(wanted.clone())).await?;
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
        registry_settings::delete(&self.0, &auth.requester(), row).await?;
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
        let (image_name, versions) = registry_tags::tags(&self.0, &row, &name).await?;
        Ok(Json(Results { results: vec![ContainerVersionResponse { image_name, versions }] }))
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
