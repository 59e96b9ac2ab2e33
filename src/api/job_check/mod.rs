//! Checks: /environment/{environmentId}/check and /check/{checkId}, and the address of their pings.

mod check_body;
pub(super) mod ping;

use std::sync::Arc;

use entity::id::{EnvironmentId, JobId};
use entity::{environment, job, job_check};
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use uuid::Uuid;

use self::check_body::{Check, CheckRequest};
use crate::access::{self, Action};
use crate::api::caller::Auth;
use crate::api::tag::Tag;
use crate::api::wire::{Created, EmptyResponse, Json, NoContent, Results, StrictBody, Success};
use crate::app::App;
use crate::engine::job_check as engine;
use crate::error::Result;
use crate::store;

pub(in crate::api) struct JobCheckApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl JobCheckApi {
    #[oai(path = "/environment/:environmentId/check", method = "get", operation_id = "listChecks", tag = Tag::Jobs)]
    async fn list_checks(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
    ) -> Result<Success<Results<Check>>> {
        let id = EnvironmentId(environment_id.0);
        let environment = access::environment(&self.0.db, &auth.0, Action::View, id).await?;
        let mut results = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = store::job_check::list_by_environment(&self.0.db, id, after.as_deref()).await?;
            let Some((last, _)) = page.last() else { return Ok(Json(Results { results })) };
            after = Some(last.name_key.clone());
            for row in page {
                results.push(self.shown(&auth, &environment, row)?);
            }
        }
    }

    #[oai(path = "/environment/:environmentId/check", method = "post", operation_id = "createCheck", tag = Tag::Jobs)]
    async fn create_check(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
        body: StrictBody<CheckRequest>,
    ) -> Result<Created<Check>> {
        let id = EnvironmentId(environment_id.0);
        let environment = access::environment(&self.0.db, &auth.0, Action::Manage, id).await?;
        let row = engine::create(&self.0, &auth.requester(), &environment, body.0.definition()?).await?;
        Ok(Json(self.shown(&auth, &environment, row)?))
    }

    #[oai(path = "/check/:checkId", method = "get", operation_id = "getCheck", tag = Tag::Jobs)]
    async fn get_check(&self, auth: Auth, #[oai(name = "checkId")] check_id: Path<Uuid>) -> Result<Success<Check>> {
        let (row, environment) = self.load(&auth, Action::View, check_id.0).await?;
        Ok(Json(self.shown(&auth, &environment, row)?))
    }

    #[oai(path = "/check/:checkId", method = "put", operation_id = "editCheck", tag = Tag::Jobs)]
    async fn edit_check(
        &self,
        auth: Auth,
        #[oai(name = "checkId")] check_id: Path<Uuid>,
        body: StrictBody<CheckRequest>,
    ) -> Result<Success<Check>> {
        let ((job, _), environment) = self.load(&auth, Action::Manage, check_id.0).await?;
        let changed = (job.id, body.0.definition()?);
        let row = engine::update(&self.0, &auth.requester(), &environment, changed).await?;
        Ok(Json(self.shown(&auth, &environment, row)?))
    }

    #[oai(path = "/check/:checkId", method = "delete", operation_id = "deleteCheck", tag = Tag::Jobs)]
    async fn delete_check(&self, auth: Auth, #[oai(name = "checkId")] check_id: Path<Uuid>) -> Result<NoContent> {
        let ((job, _), environment) = self.load(&auth, Action::Manage, check_id.0).await?;
        engine::delete(&self.0, &auth.requester(), &environment, &job).await?;
        Ok(EmptyResponse)
    }

    #[oai(path = "/check/:checkId/rotateKey", method = "post", operation_id = "rotateCheckKey", tag = Tag::Jobs)]
    async fn rotate_check_key(
        &self,
        auth: Auth,
        #[oai(name = "checkId")] check_id: Path<Uuid>,
    ) -> Result<Success<Check>> {
        let ((job, _), environment) = self.load(&auth, Action::Manage, check_id.0).await?;
        let check = engine::rotate_key(&self.0, &auth.requester(), &environment, &job).await?;
        Ok(Json(self.shown(&auth, &environment, (job, check))?))
    }
}

impl JobCheckApi {
    async fn load(
        &self,
        auth: &Auth,
        action: Action,
        id: Uuid,
    ) -> Result<((job::Model, job_check::Model), environment::Model)> {
        let row = access::check(&self.0.db, &auth.0, action, JobId(id)).await?;
        let environment = access::environment(&self.0.db, &auth.0, Action::View, row.0.environment_id).await?;
        Ok((row, environment))
    }

    /// A check in a response. Only those who may edit it learn its address, which contains the key.
    fn shown(
        &self,
        auth: &Auth,
        environment: &environment::Model,
        (job, check): (job::Model, job_check::Model),
    ) -> Result<Check> {
        let may_edit = auth.0.may(environment.organization_id, Action::Manage, &access::location(environment));
        let path = if may_edit { engine::ping_path(&self.0, &check)? } else { None };
        let url = path.map(|path| format!("{}{}", self.0.public_url(), path.expose()));
        Ok(Check::new(job, &check, url))
    }
}
