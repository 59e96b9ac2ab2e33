//! /job/{jobId}/advancedSettings and /defaultJobAdvancedSettings.

use std::sync::Arc;

use entity::id::JobId;
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::access::{self, Action};
use crate::api::caller::Auth;
use crate::api::tag::Tag;
use crate::api::wire::{self, Body, Created, Json, Success};
use crate::app::App;
use crate::engine::advanced_settings;
use crate::engine::definition::save_settings;
use crate::error::{Error, Result};

/// All advanced settings of a job. `engine::advanced_settings` decides which keys and values are valid.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct JobAdvancedSettings(Map<String, Value>);

wire::described!(JobAdvancedSettings, poem_openapi::registry::MetaSchemaRef::Inline(Box::new(schema())), |_| {});

/// The schema of the settings.
fn schema() -> poem_openapi::registry::MetaSchema {
    use advanced_settings::SettingKind;
    use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
    let property = |setting: &advanced_settings::Setting| {
        let (kind, nullable) = match setting.kind {
            SettingKind::Number(..) => ("integer", false),
            SettingKind::OptionalNumber(..) => ("integer", true),
            SettingKind::Boolean => ("boolean", false),
            SettingKind::Text | SettingKind::Path | SettingKind::OneOf(_) => ("string", false),
            SettingKind::OptionalOneOf(_) => ("string", true),
            SettingKind::ExitCodes | SettingKind::Names => ("array", false),
            SettingKind::Texts => ("object", false),
        };
        let mut schema = MetaSchema::new(kind);
        schema.nullable = nullable;
        if setting.kind == SettingKind::ExitCodes {
            schema.items = Some(Box::new(MetaSchemaRef::Inline(Box::new(MetaSchema::new("integer")))));
        }
        if setting.kind == SettingKind::Names {
            schema.items = Some(Box::new(MetaSchemaRef::Inline(Box::new(MetaSchema::new("string")))));
        }
        if setting.kind == SettingKind::Texts {
            schema.additional_properties = Some(Box::new(MetaSchemaRef::Inline(Box::new(MetaSchema::new("string")))));
        }
        (setting.key, MetaSchemaRef::Inline(Box::new(schema)))
    };
    let mut schema = MetaSchema::new("object");
    schema.properties = advanced_settings::SETTINGS.iter().map(property).collect();
    schema
}

pub(in crate::api) struct AdvancedSettingsApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl AdvancedSettingsApi {
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
        let row = access::job_row(&self.0.db, &auth.0, Action::Manage, JobId(job_id.0)).await?;
        let settings =
            advanced_settings::reduce(&body.0.0).map_err(|refused| Error::invalid(refused.key, refused.reason))?;
        let after = save_settings(&self.0, &auth.requester(), &row, settings).await?;
        Ok(Json(JobAdvancedSettings(after)))
    }
}
