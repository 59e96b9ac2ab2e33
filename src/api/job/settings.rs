//! What is kept beside the configuration of a job: /job/{jobId}/advancedSettings and /job/{jobId}/deploymentRestriction.

use std::sync::Arc;

use entity::deployment_restriction::{Model, RestrictionKind, RestrictionMode};
use entity::id::{JobId, RestrictionId};
use poem_openapi::param::Path;
use poem_openapi::{Object, OpenApi};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::super::audit::{self, Change};
use super::super::caller::Auth;
use super::super::tag::Tag;
use super::super::wire::{self, Body, Created, EmptyResponse, Json, NoContent, Results, Success, Timestamp};
use super::edit_of;
use crate::access::{self, Action};
use crate::app::App;
use crate::engine::advanced_settings;
use crate::error::{Error, Result};
use crate::store;

/// The whole map of settings; which keys and values are taken is decided by `engine::advanced_settings`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct JobAdvancedSettings(Map<String, Value>);

wire::described!(JobAdvancedSettings, poem_openapi::registry::MetaSchemaRef::Inline(Box::new(described())), |_| {});

/// The settings as the description of an object.
fn described() -> poem_openapi::registry::MetaSchema {
    use advanced_settings::Kind;
    use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
    let property = |setting: &advanced_settings::Setting| {
        let (kind, nullable) = match setting.kind {
            Kind::Number(..) => ("integer", false),
            Kind::OptionalNumber(..) => ("integer", true),
            Kind::Boolean => ("boolean", false),
            Kind::Text | Kind::OneOf(_) => ("string", false),
            Kind::OptionalOneOf(_) => ("string", true),
            Kind::ExitCodes => ("array", false),
            Kind::Texts => ("object", false),
        };
        let mut schema = MetaSchema::new(kind);
        schema.nullable = nullable;
        if setting.kind == Kind::ExitCodes {
            schema.items = Some(Box::new(MetaSchemaRef::Inline(Box::new(MetaSchema::new("integer")))));
        }
        if setting.kind == Kind::Texts {
            schema.additional_properties = Some(Box::new(MetaSchemaRef::Inline(Box::new(MetaSchema::new("string")))));
        }
        (setting.key, MetaSchemaRef::Inline(Box::new(schema)))
    };
    let mut schema = MetaSchema::new("object");
    schema.properties = advanced_settings::ALL.iter().map(property).collect();
    schema
}

wire::mirrored!(DeploymentRestrictionModeEnum of RestrictionMode { Exclude, Match });
wire::mirrored!(DeploymentRestrictionTypeEnum of RestrictionKind { Path });

#[derive(Debug, Deserialize, Object)]
struct JobDeploymentRestrictionRequest {
    mode: DeploymentRestrictionModeEnum,
    #[serde(rename = "type")]
    #[oai(rename = "type")]
    kind: DeploymentRestrictionTypeEnum,
    value: String,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct JobDeploymentRestrictionResponse {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    mode: DeploymentRestrictionModeEnum,
    #[serde(rename = "type")]
    #[oai(rename = "type")]
    kind: DeploymentRestrictionTypeEnum,
    value: String,
}

impl From<Model> for JobDeploymentRestrictionResponse {
    fn from(row: Model) -> Self {
        let Model { id, job_id: _, created_at, updated_at, mode, kind, value } = row;
        Self {
            id: id.0,
            created_at: Timestamp(created_at),
            updated_at: Timestamp(updated_at),
            mode: mode.into(),
            kind: kind.into(),
            value,
        }
    }
}

/// A path of a repository, by the official rules: no leading slash, no wildcards but one at the end.
fn path(given: String) -> Result<String> {
    let wild = given.trim_end_matches('*').contains('*') || given.ends_with("**");
    if given.is_empty() || given.starts_with('/') || wild || given.chars().any(char::is_control) {
        return Err(Error::invalid("value", "is not a path that begins with no slash and has no wildcards"));
    }
    if given.chars().count() > 1024 {
        return Err(Error::invalid("value", "has more than 1024 characters"));
    }
    Ok(given)
}

const TAKEN: &str = "the job already has this restriction";
const MOST: usize = 100;

/// The handlers.
pub(in super::super) struct JobSettingsApi(pub(in super::super) Arc<App>);

#[OpenApi]
impl JobSettingsApi {
    #[oai(path = "/defaultJobAdvancedSettings", method = "get", operation_id = "getDefaultJobAdvancedSettings", tag = Tag::Jobs)]
    async fn get_default_job_advanced_settings(&self, _auth: Auth) -> Result<Success<JobAdvancedSettings>> {
        Ok(Json(JobAdvancedSettings(advanced_settings::defaults())))
    }

    #[oai(path = "/job/:jobId/advancedSettings", method = "get", operation_id = "getJobAdvancedSettings", tag = Tag::JobConfiguration)]
    async fn get_job_advanced_settings(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
    ) -> Result<Success<JobAdvancedSettings>> {
        let row = access::job_row(&self.0.db, &auth.0, Action::View, JobId(job_id.0)).await?;
        Ok(Json(JobAdvancedSettings(advanced_settings::complete(&row.spec.settings))))
    }

    #[oai(path = "/job/:jobId/advancedSettings", method = "put", operation_id = "editJobAdvancedSettings", tag = Tag::JobConfiguration)]
    async fn edit_job_advanced_settings(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        body: Body<JobAdvancedSettings>,
    ) -> Result<Created<JobAdvancedSettings>> {
        let mut row = access::job_row(&self.0.db, &auth.0, Action::Manage, JobId(job_id.0)).await?;
        let before = advanced_settings::complete(&row.spec.settings);
        row.spec.settings =
            advanced_settings::reduce(&body.0.0).map_err(|refused| Error::invalid(refused.key, refused.reason))?;
        let after = advanced_settings::complete(&row.spec.settings);
        let edit = edit_of(&row, self.0.clock.now());
        audit::write(&self.0, &auth, row.organization_id, async |tx| {
            store::job::update(tx, row.id, edit).await?;
            let change = change(tx, "UPDATE", &row, "ADVANCED_SETTINGS").await?;
            Ok(((), change.before(&before).after(&after)))
        })
        .await?;
        Ok(Json(JobAdvancedSettings(after)))
    }

    #[oai(path = "/job/:jobId/deploymentRestriction", method = "get", operation_id = "getJobDeploymentRestrictions", tag = Tag::JobDeploymentRestriction)]
    async fn get_job_deployment_restrictions(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
    ) -> Result<Success<Results<JobDeploymentRestrictionResponse>>> {
        let job = access::job_row(&self.0.db, &auth.0, Action::View, JobId(job_id.0)).await?;
        let rows = store::restriction::list(&self.0.db, job.id).await?;
        Ok(Json(Results { results: rows.into_iter().map(JobDeploymentRestrictionResponse::from).collect() }))
    }

    #[oai(path = "/job/:jobId/deploymentRestriction", method = "post", operation_id = "createJobDeploymentRestriction", tag = Tag::JobDeploymentRestriction)]
    async fn create_job_deployment_restriction(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        body: Body<JobDeploymentRestrictionRequest>,
    ) -> Result<Created<JobDeploymentRestrictionResponse>> {
        let job = access::job_row(&self.0.db, &auth.0, Action::Manage, JobId(job_id.0)).await?;
        let JobDeploymentRestrictionRequest { mode, kind, value } = body.0;
        let now = self.0.clock.now();
        let row = Model {
            id: RestrictionId::create(),
            job_id: job.id,
            created_at: now,
            updated_at: now,
            mode: mode.into(),
            kind: kind.into(),
            value: path(value)?,
        };
        let row = audit::write(&self.0, &auth, job.organization_id, async |tx| {
            if store::restriction::list(tx, job.id).await?.len() >= MOST {
                return Err(Error::Conflict(format!("the job has {MOST} restrictions already, which is the most")));
            }
            let row = store::row::create(tx, row).await.map_err(|e| Error::or_taken(e, TAKEN))?;
            let after = JobDeploymentRestrictionResponse::from(row.clone());
            Ok((row, change(tx, "CREATE", &job, "CONFIG").await?.after(&after)))
        })
        .await?;
        Ok(Json(row.into()))
    }

    #[oai(path = "/job/:jobId/deploymentRestriction/:deploymentRestrictionId", method = "put", operation_id = "editJobDeploymentRestriction", tag = Tag::JobDeploymentRestriction)]
    async fn edit_job_deployment_restriction(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        #[oai(name = "deploymentRestrictionId")] deployment_restriction_id: Path<Uuid>,
        body: Body<JobDeploymentRestrictionRequest>,
    ) -> Result<Success<JobDeploymentRestrictionResponse>> {
        let job = access::job_row(&self.0.db, &auth.0, Action::Manage, JobId(job_id.0)).await?;
        let id = RestrictionId(deployment_restriction_id.0);
        let row = access::restriction(&self.0.db, job.id, id).await?;
        let before = JobDeploymentRestrictionResponse::from(row.clone());
        let JobDeploymentRestrictionRequest { mode, kind, value } = body.0;
        let updated_at = self.0.clock.now();
        let row = Model { mode: mode.into(), kind: kind.into(), value: path(value)?, updated_at, ..row };
        let row = audit::write(&self.0, &auth, job.organization_id, async |tx| {
            let row = store::row::update(tx, row).await.map_err(|e| Error::or_taken(e, TAKEN))?;
            let after = JobDeploymentRestrictionResponse::from(row.clone());
            Ok((row, change(tx, "UPDATE", &job, "CONFIG").await?.before(&before).after(&after)))
        })
        .await?;
        Ok(Json(row.into()))
    }

    #[oai(path = "/job/:jobId/deploymentRestriction/:deploymentRestrictionId", method = "delete", operation_id = "deleteJobDeploymentRestriction", tag = Tag::JobDeploymentRestriction)]
    async fn delete_job_deployment_restriction(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        #[oai(name = "deploymentRestrictionId")] deployment_restriction_id: Path<Uuid>,
    ) -> Result<NoContent> {
        let job = access::job_row(&self.0.db, &auth.0, Action::Manage, JobId(job_id.0)).await?;
        let id = RestrictionId(deployment_restriction_id.0);
        let row = access::restriction(&self.0.db, job.id, id).await?;
        audit::write(&self.0, &auth, job.organization_id, async |tx| {
            store::row::delete::<Model>(tx, row.id).await?;
            let before = JobDeploymentRestrictionResponse::from(row);
            Ok(((), change(tx, "DELETE", &job, "CONFIG").await?.before(&before)))
        })
        .await?;
        Ok(EmptyResponse)
    }
}

/// The beginning of an event about a job, read in the transaction that changes it.
pub(super) async fn change(
    tx: &DatabaseTransaction,
    kind: &'static str,
    job: &entity::job::Model,
    part: &'static str,
) -> Result<Change> {
    let environment = store::environment::by_id(tx, job.environment_id).await?.ok_or(Error::NotFound("job"))?;
    Ok(Change::new(kind, "JOB", job.id.0, &job.name).of_environment(&environment).part(part))
}
