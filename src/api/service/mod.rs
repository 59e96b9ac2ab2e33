//! The services of an environment: jobs, and empty lists of the kinds that this server does not support.

pub(super) mod action;
mod request;

use std::sync::Arc;

use entity::environment;
use entity::id::EnvironmentId;
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use uuid::Uuid;

use crate::access::{self, Action};
use crate::api::caller::Auth;
use crate::api::job::JobResponse;
use crate::api::job::list::{JobFilter, list};
use crate::api::tag::Tag;
use crate::api::wire::{Json, JsonStream, Never, Results, Success};
use crate::app::App;
use crate::error::Result;

/// The empty list of a kind of service that this server does not support.
macro_rules! empty_list {
    ($self:ident, $auth:ident, $id:ident) => {{
        $self.environment(&$auth, Action::View, $id).await?;
        Ok(Json(Results { results: Vec::new() }))
    }};
}

pub(in crate::api) struct ServiceApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl ServiceApi {
    #[oai(path = "/environment/:environmentId/services", method = "get", operation_id = "listServicesByEnvironmentId", tag = Tag::EnvironmentMainCalls)]
    async fn list_services_by_environment_id(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
    ) -> Result<JsonStream<Results<JobResponse>>> {
        let row = self.environment(&auth, Action::View, environment_id).await?;
        Ok(list(&self.0, row.id, JobFilter::All))
    }

    #[oai(path = "/environment/:environmentId/application", method = "get", operation_id = "listApplication", tag = Tag::Applications)]
    async fn list_application(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
        #[oai(name = "toUpdate", default)] _to_update: Query<bool>,
    ) -> Result<Success<Results<Never>>> {
        empty_list!(self, auth, environment_id)
    }

    #[oai(path = "/environment/:environmentId/container", method = "get", operation_id = "listContainer", tag = Tag::Containers)]
    async fn list_container(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
    ) -> Result<Success<Results<Never>>> {
        empty_list!(self, auth, environment_id)
    }

    #[oai(path = "/environment/:environmentId/database", method = "get", operation_id = "listDatabase", tag = Tag::Databases)]
    async fn list_database(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
    ) -> Result<Success<Results<Never>>> {
        empty_list!(self, auth, environment_id)
    }

    #[oai(path = "/environment/:environmentId/helm", method = "get", operation_id = "listHelms", tag = Tag::Helms)]
    async fn list_helms(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
        #[oai(name = "toUpdate", default)] _to_update: Query<bool>,
    ) -> Result<Success<Results<Never>>> {
        empty_list!(self, auth, environment_id)
    }

    #[oai(path = "/environment/:environmentId/terraform", method = "get", operation_id = "listTerraforms", tag = Tag::Terraforms)]
    async fn list_terraforms(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
    ) -> Result<Success<Results<Never>>> {
        empty_list!(self, auth, environment_id)
    }
}

impl ServiceApi {
    async fn environment(&self, auth: &Auth, action: Action, id: Path<Uuid>) -> Result<environment::Model> {
        access::environment(&self.0.db, &auth.0, action, EnvironmentId(id.0)).await
    }
}
