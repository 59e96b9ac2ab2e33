//! The operations on variables and on secrets of projects, environments and jobs. Each scope has its own family.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use uuid::Uuid;

use super::super::caller::Auth;
use super::super::tag::Tag;
use super::super::wire::{Body, Created, EmptyResponse, FileBody, Json, NoContent, Results, Success};
use super::family_response::{EnvironmentVariable, Secret};
use super::import::{self, VariableImport, VariableImportRequest};
use super::request::{EnvironmentVariableEditRequest, EnvironmentVariableRequest, Key, SecretEditRequest, Value};
use super::{access_parent, answers, lookup};
use crate::access::Action;
use crate::app::App;
use crate::engine::variable;
use crate::error::Result;

/// Defines the six operations of a family.
macro_rules! family {
    (
        $(#[$doc:meta])*
        $api:ident, $of:ident, secret: $secret:literal, response: $response:ty, edit: $edit:ty, tag: $tag:ident,
        parent: $parent:literal, variable: $variable:literal,
        list: $all:literal $list:literal, create: $create:literal,
        one: $one:literal edit: $edit_id:literal, delete: $delete:literal,
        alias: $alias_path:literal $alias:literal, override: $override_path:literal $override:literal
    ) => {
        $(#[$doc])*
        pub(in crate::api) struct $api(pub(in crate::api) Arc<App>);

        #[OpenApi]
        impl $api {
            #[oai(path = $all, method = "get", operation_id = $list, tag = Tag::$tag)]
            async fn list(&self, auth: Auth, #[oai(name = $parent)] parent: Path<Uuid>) -> Result<Success<Results<$response>>> {
                let parent = access_parent::$of(&self.0, &auth, Action::View, parent.0).await?;
                let all = answers::list(&self.0, &parent).await?.into_iter();
                let results = all.filter(|variable| variable.is_secret() == $secret).map(<$response>::from).collect();
                Ok(Json(Results { results }))
            }

            #[oai(path = $all, method = "post", operation_id = $create, tag = Tag::$tag)]
            async fn create(
                &self,
                auth: Auth,
                #[oai(name = $parent)] parent: Path<Uuid>,
                body: FileBody<EnvironmentVariableRequest>,
            ) -> Result<Created<$response>> {
                let parent = access_parent::$of(&self.0, &auth, Action::Manage, parent.0).await?;
                Ok(Json(answers::create(&self.0, &auth, &parent, body.0, $secret).await?.into()))
            }

            #[oai(path = $one, method = "put", operation_id = $edit_id, tag = Tag::$tag)]
            async fn edit(
                &self,
                auth: Auth,
                #[oai(name = $parent)] parent: Path<Uuid>,
                #[oai(name = $variable)] variable: Path<Uuid>,
                body: FileBody<$edit>,
            ) -> Result<Success<$response>> {
                let parent = access_parent::$of(&self.0, &auth, Action::Manage, parent.0).await?;
                let row = variable::find_own(&self.0, &parent, variable.0, $secret).await?;
                Ok(Json(answers::edit(&self.0, &auth, &parent, row, body.0.into()).await?.into()))
            }

            #[oai(path = $one, method = "delete", operation_id = $delete, tag = Tag::$tag)]
            async fn delete(
                &self,
                auth: Auth,
                #[oai(name = $parent)] parent: Path<Uuid>,
                #[oai(name = $variable)] variable: Path<Uuid>,
            ) -> Result<NoContent> {
                let parent = access_parent::$of(&self.0, &auth, Action::Manage, parent.0).await?;
                let row = variable::find_own(&self.0, &parent, variable.0, $secret).await?;
                answers::delete(&self.0, &auth, &parent, row).await?;
                Ok(EmptyResponse)
            }

            #[oai(path = $alias_path, method = "post", operation_id = $alias, tag = Tag::$tag)]
            async fn alias(
                &self,
                auth: Auth,
                #[oai(name = $parent)] parent: Path<Uuid>,
                #[oai(name = $variable)] variable: Path<Uuid>,
                body: Body<Key>,
            ) -> Result<Created<$response>> {
                let parent = access_parent::$of(&self.0, &auth, Action::Manage, parent.0).await?;
                lookup::require_kind(&self.0, &parent, variable.0, $secret).await?;
                Ok(Json(answers::create_alias(&self.0, &auth, &parent, variable.0, body.0).await?.into()))
            }

            #[oai(path = $override_path, method = "post", operation_id = $override, tag = Tag::$tag)]
            async fn override_(
                &self,
                auth: Auth,
                #[oai(name = $parent)] parent: Path<Uuid>,
                #[oai(name = $variable)] variable: Path<Uuid>,
                body: FileBody<Value>,
            ) -> Result<Created<$response>> {
                let parent = access_parent::$of(&self.0, &auth, Action::Manage, parent.0).await?;
                lookup::require_kind(&self.0, &parent, variable.0, $secret).await?;
                Ok(Json(answers::create_override(&self.0, &auth, &parent, variable.0, body.0).await?.into()))
            }
        }
    };
}

family! {
    /// The variables of a project.
    ProjectVariableApi, of_project, secret: false, response: EnvironmentVariable,
    edit: EnvironmentVariableEditRequest, tag: ProjectEnvironmentVariable,
    parent: "projectId", variable: "environmentVariableId",
    list: "/project/:projectId/environmentVariable" "listProjectEnvironmentVariable", create: "createProjectEnvironmentVariable",
    one: "/project/:projectId/environmentVariable/:environmentVariableId" edit: "editProjectEnvironmentVariable", delete: "deleteProjectEnvironmentVariable",
    alias: "/project/:projectId/environmentVariable/:environmentVariableId/alias" "createProjectEnvironmentVariableAlias",
    override: "/project/:projectId/environmentVariable/:environmentVariableId/override" "createProjectEnvironmentVariableOverride"
}

family! {
    /// The secrets of a project.
    ProjectSecretApi, of_project, secret: true, response: Secret,
    edit: SecretEditRequest, tag: ProjectSecret,
    parent: "projectId", variable: "secretId",
    list: "/project/:projectId/secret" "listProjectSecrets", create: "createProjectSecret",
    one: "/project/:projectId/secret/:secretId" edit: "editProjectSecret", delete: "deleteProjectSecret",
    alias: "/project/:projectId/secret/:secretId/alias" "createProjectSecretAlias",
    override: "/project/:projectId/secret/:secretId/override" "createProjectSecretOverride"
}

family! {
    /// The variables of an environment.
    EnvironmentVariableApi, of_environment, secret: false, response: EnvironmentVariable,
    edit: EnvironmentVariableEditRequest, tag: EnvironmentVariable,
    parent: "environmentId", variable: "environmentVariableId",
    list: "/environment/:environmentId/environmentVariable" "listEnvironmentEnvironmentVariable", create: "createEnvironmentEnvironmentVariable",
    one: "/environment/:environmentId/environmentVariable/:environmentVariableId" edit: "editEnvironmentEnvironmentVariable", delete: "deleteEnvironmentEnvironmentVariable",
    alias: "/environment/:environmentId/environmentVariable/:environmentVariableId/alias" "createEnvironmentEnvironmentVariableAlias",
    override: "/environment/:environmentId/environmentVariable/:environmentVariableId/override" "createEnvironmentEnvironmentVariableOverride"
}

family! {
    /// The secrets of an environment.
    EnvironmentSecretApi, of_environment, secret: true, response: Secret,
    edit: SecretEditRequest, tag: EnvironmentSecret,
    parent: "environmentId", variable: "secretId",
    list: "/environment/:environmentId/secret" "listEnvironmentSecrets", create: "createEnvironmentSecret",
    one: "/environment/:environmentId/secret/:secretId" edit: "editEnvironmentSecret", delete: "deleteEnvironmentSecret",
    alias: "/environment/:environmentId/secret/:secretId/alias" "createEnvironmentSecretAlias",
    override: "/environment/:environmentId/secret/:secretId/override" "createEnvironmentSecretOverride"
}

family! {
    /// The variables of a job.
    JobVariableApi, of_job, secret: false, response: EnvironmentVariable,
    edit: EnvironmentVariableEditRequest, tag: JobEnvironmentVariable,
    parent: "jobId", variable: "environmentVariableId",
    list: "/job/:jobId/environmentVariable" "listJobEnvironmentVariable", create: "createJobEnvironmentVariable",
    one: "/job/:jobId/environmentVariable/:environmentVariableId" edit: "editJobEnvironmentVariable", delete: "deleteJobEnvironmentVariable",
    alias: "/job/:jobId/environmentVariable/:environmentVariableId/alias" "createJobEnvironmentVariableAlias",
    override: "/job/:jobId/environmentVariable/:environmentVariableId/override" "createJobEnvironmentVariableOverride"
}

family! {
    /// The secrets of a job.
    JobSecretApi, of_job, secret: true, response: Secret,
    edit: SecretEditRequest, tag: JobSecret,
    parent: "jobId", variable: "secretId",
    list: "/job/:jobId/secret" "listJobSecrets", create: "createJobSecret",
    one: "/job/:jobId/secret/:secretId" edit: "editJobSecret", delete: "deleteJobSecret",
    alias: "/job/:jobId/secret/:secretId/alias" "createJobSecretAlias",
    override: "/job/:jobId/secret/:secretId/override" "createJobSecretOverride"
}

/// The import of variables into a job.
pub(in crate::api) struct JobImportApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl JobImportApi {
    #[oai(path = "/job/:jobId/environmentVariable/import", method = "post", operation_id = "importJobEnvironmentVariable", tag = Tag::JobEnvironmentVariable)]
    async fn import_job_environment_variable(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        body: Body<VariableImportRequest>,
    ) -> Result<Created<VariableImport>> {
        let parent = access_parent::of_job(&self.0, &auth, Action::Manage, job_id.0).await?;
        Ok(Json(import::run(&self.0, &auth, &parent, body.0).await?))
    }
}
