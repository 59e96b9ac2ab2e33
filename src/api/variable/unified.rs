//! The unified family: variables and secrets of all scopes.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use uuid::Uuid;

use super::super::caller::Auth;
use super::super::tag::Tag;
use super::super::wire::{Body, Created, EmptyResponse, FileBody, Json, NoContent, Results, Success};
use super::import::{self, VariableImport, VariableImportRequest};
use super::request::{EnvironmentVariableEditRequest, EnvironmentVariableRequest, Key, Value};
use super::response::VariableResponse;
use super::scope::APIVariableScopeEnum;
use super::unified_request::{
    ServiceTypeForVariableEnum, VariableAliasRequest, VariableEditRequest, VariableOverrideRequest, VariableRequest,
};
use super::{access_parent, answers, lookup};
use crate::access::Action;
use crate::app::App;
use crate::error::{Error, Result};

fn require_no_secret_manager(id: Option<Uuid>) -> Result<()> {
    match id {
        None => Ok(()),
        Some(_) => {
            Err(Error::invalid("secret_manager_access_id", "is not supported: this server has no secret managers"))
        }
    }
}

pub(in crate::api) struct VariableApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl VariableApi {
    #[oai(path = "/variable", method = "get", operation_id = "listVariables", tag = Tag::VariableMainCalls)]
    async fn list_variables(
        &self,
        auth: Auth,
        parent_id: Query<Uuid>,
        scope: Query<APIVariableScopeEnum>,
        is_secret: Query<Option<bool>>,
    ) -> Result<Success<Results<VariableResponse>>> {
        let parent = access_parent::from_scope(&self.0, &auth, Action::View, ("scope", scope.0), parent_id.0).await?;
        let all = answers::list(&self.0, &parent).await?.into_iter();
        let results =
            all.filter(|variable| is_secret.0.is_none_or(|is_secret| variable.is_secret() == is_secret)).collect();
        Ok(Json(Results { results }))
    }

    #[oai(path = "/variable", method = "post", operation_id = "createVariable", tag = Tag::VariableMainCalls)]
    async fn create_variable(&self, auth: Auth, body: FileBody<VariableRequest>) -> Result<Created<VariableResponse>> {
        let VariableRequest {
            key,
            value,
            mount_path,
            is_secret,
            variable_scope,
            variable_parent_id,
            description,
            enable_interpolation_in_file,
            secret_manager_access_id,
        } = body.0;
        let scope = ("variable_scope", variable_scope);
        let parent = access_parent::from_scope(&self.0, &auth, Action::Manage, scope, variable_parent_id).await?;
        require_no_secret_manager(secret_manager_access_id)?;
        let value = Some(value);
        let request = EnvironmentVariableRequest { key, value, mount_path, description, enable_interpolation_in_file };
        Ok(Json(answers::create(&self.0, &auth, &parent, request, is_secret).await?))
    }

    #[oai(path = "/variable/import", method = "post", operation_id = "importEnvironmentVariables", tag = Tag::VariableMainCalls)]
    async fn import_environment_variables(
        &self,
        auth: Auth,
        service_id: Query<Uuid>,
        service_type: Query<ServiceTypeForVariableEnum>,
        body: Body<VariableImportRequest>,
    ) -> Result<Created<VariableImport>> {
        if service_type.0 != ServiceTypeForVariableEnum::Job {
            return Err(Error::invalid("service_type", "must be JOB on this server"));
        }
        let parent = access_parent::of_job(&self.0, &auth, Action::Manage, service_id.0).await?;
        Ok(Json(import::run(&self.0, &auth, &parent, body.0).await?))
    }

    #[oai(path = "/variable/:variableId", method = "put", operation_id = "editVariable", tag = Tag::VariableMainCalls)]
    async fn edit_variable(
        &self,
        auth: Auth,
        #[oai(name = "variableId")] variable_id: Path<Uuid>,
        body: FileBody<VariableEditRequest>,
    ) -> Result<Success<VariableResponse>> {
        let (row, parent) = lookup::find_stored(&self.0, &auth, Action::Manage, variable_id.0).await?;
        let VariableEditRequest { key, value, description, enable_interpolation_in_file, secret_manager_access_id } =
            body.0;
        require_no_secret_manager(secret_manager_access_id)?;
        let request =
            EnvironmentVariableEditRequest { key, value, mount_path: None, description, enable_interpolation_in_file };
        Ok(Json(answers::edit(&self.0, &auth, &parent, row, request).await?))
    }

    #[oai(path = "/variable/:variableId", method = "delete", operation_id = "deleteVariable", tag = Tag::VariableMainCalls)]
    async fn delete_variable(
        &self,
        auth: Auth,
        #[oai(name = "variableId")] variable_id: Path<Uuid>,
    ) -> Result<NoContent> {
        let (row, parent) = lookup::find_stored(&self.0, &auth, Action::Manage, variable_id.0).await?;
        answers::delete(&self.0, &auth, &parent, row).await?;
        Ok(EmptyResponse)
    }

    #[oai(path = "/variable/:variableId/alias", method = "post", operation_id = "createVariableAlias", tag = Tag::VariableMainCalls)]
    async fn create_variable_alias(
        &self,
        auth: Auth,
        #[oai(name = "variableId")] variable_id: Path<Uuid>,
        body: Body<VariableAliasRequest>,
    ) -> Result<Created<VariableResponse>> {
        let VariableAliasRequest { key, alias_scope, alias_parent_id, description, enable_interpolation_in_file } =
            body.0;
        let scope = ("alias_scope", alias_scope);
        let parent = access_parent::from_scope(&self.0, &auth, Action::Manage, scope, alias_parent_id).await?;
        let request = Key { key, description, enable_interpolation_in_file };
        Ok(Json(answers::create_alias(&self.0, &auth, &parent, variable_id.0, request).await?))
    }

    #[oai(path = "/variable/:variableId/override", method = "post", operation_id = "createVariableOverride", tag = Tag::VariableMainCalls)]
    async fn create_variable_override(
        &self,
        auth: Auth,
        #[oai(name = "variableId")] variable_id: Path<Uuid>,
        body: FileBody<VariableOverrideRequest>,
    ) -> Result<Created<VariableResponse>> {
        let VariableOverrideRequest {
            value,
            override_scope,
            override_parent_id,
            description,
            enable_interpolation_in_file,
        } = body.0;
        let scope = ("override_scope", override_scope);
        let parent = access_parent::from_scope(&self.0, &auth, Action::Manage, scope, override_parent_id).await?;
        let request = Value { value: Some(value), description, enable_interpolation_in_file };
        Ok(Json(answers::create_override(&self.0, &auth, &parent, variable_id.0, request).await?))
    }
}
