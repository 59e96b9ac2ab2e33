//! The bodies of silences, and how they are checked.

use chrono::{DateTime, TimeDelta, Utc};
use entity::alert_silence::{Model, SilenceTarget};
use entity::id::{AlertRuleId, EnvironmentId, JobId, ProjectId};
use entity::{alert_rule, project};
use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::wire::{Timestamp, mirrored};
use crate::app::App;
use crate::engine::faults::Faults;
use crate::engine::limits;
use crate::error::{Error, Result};
use crate::store;

/// The longest silence: a year.
const LONGEST: TimeDelta = TimeDelta::days(366);

mirrored!(AlertSilenceTargetType of SilenceTarget { Organization, Project, Environment, Job, Label, Rule });

/// What a silence is about.
#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct AlertSilenceTarget {
    #[serde(rename = "type")]
    #[oai(rename = "type")]
    kind: AlertSilenceTargetType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[oai(default, skip_serializing_if_is_none)]
    id: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[oai(default, skip_serializing_if_is_none)]
    label_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[oai(default, skip_serializing_if_is_none)]
    label_value: Option<String>,
}

#[derive(Debug, Deserialize, Object)]
pub(super) struct AlertSilenceRequest {
    #[serde(default)]
    #[oai(default)]
    begins_at: Option<Timestamp>,
    ends_at: Timestamp,
    #[serde(default)]
    #[oai(default)]
    comment: String,
    target: AlertSilenceTarget,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct AlertSilence {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    author: String,
    comment: String,
    begins_at: Timestamp,
    ends_at: Timestamp,
    /// Whether it has begun and not ended.
    active: bool,
    target: AlertSilenceTarget,
}

impl AlertSilence {
    pub(super) fn new(row: Model, now: DateTime<Utc>) -> Self {
        let Model {
            id,
            organization_id,
            created_at,
            updated_at,
            author,
            comment,
            begins_at,
            ends_at,
            target,
            project_id,
            environment_id,
            job_id,
            rule_id,
            label_key,
            label_value,
        } = row;
        let target_id = match target {
            SilenceTarget::Organization => Some(organization_id.0),
            SilenceTarget::Project => project_id.map(|id| id.0),
            SilenceTarget::Environment => environment_id.map(|id| id.0),
            SilenceTarget::Job => job_id.map(|id| id.0),
            SilenceTarget::Rule => rule_id.map(|id| id.0),
            SilenceTarget::Label => None,
        };
        Self {
            id: id.0,
            created_at: Timestamp(created_at),
            updated_at: Timestamp(updated_at),
            author,
            comment,
            begins_at: Timestamp(begins_at),
            ends_at: Timestamp(ends_at),
            active: begins_at <= now && now < ends_at,
            target: AlertSilenceTarget { kind: target.into(), id: target_id, label_key, label_value },
        }
    }
}

/// Writes a body to a row.
pub(super) async fn apply(app: &App, given: AlertSilenceRequest, mut row: Model) -> Result<Model> {
    let AlertSilenceRequest { begins_at, ends_at, comment, target } = given;
    let mut faults = Faults::default();
    row.comment = faults.note(limits::text("comment", comment));
    row.begins_at = begins_at.map_or(row.begins_at, |time| time.0);
    row.ends_at = ends_at.0;
    if row.ends_at <= row.begins_at {
        faults.refuse("ends_at", "must be after begins_at");
    } else if row.ends_at - row.begins_at > LONGEST {
        faults.refuse("ends_at", "must be at most 366 days after begins_at");
    } else if row.ends_at <= app.clock.now() {
        faults.refuse("ends_at", "must be in the future");
    }
    let row = faults.note_or(aimed(app, target, row.clone()).await, row);
    faults.result()?;
    Ok(row)
}

/// The row with its target, which has to belong to the organization.
async fn aimed(app: &App, given: AlertSilenceTarget, row: Model) -> Result<Model> {
    const FIELD: &str = "target.id";
    let AlertSilenceTarget { kind, id, label_key, label_value } = given;
    let organization = row.organization_id;
    let target = SilenceTarget::from(kind);
    let nothing = Model {
        target,
        project_id: None,
        environment_id: None,
        job_id: None,
        rule_id: None,
        label_key: None,
        label_value: None,
        ..row
    };
    let id = || id.ok_or_else(|| Error::invalid(FIELD, "is required"));
    let ours = |found: Option<entity::id::OrganizationId>, thing: &str| match found {
        Some(found) if found == organization => Ok(()),
        _ => Err(Error::invalid(FIELD, format!("is no {thing} of the organization"))),
    };
    match target {
        SilenceTarget::Organization => {
            if given_other(id().ok(), organization.0) {
                return Err(Error::invalid(FIELD, "must be the id of the organization, or absent"));
            }
            Ok(nothing)
        }
        SilenceTarget::Project => {
            let id = ProjectId(id()?);
            let found: Option<project::Model> = store::project::by_id(&app.db, id).await?;
            ours(found.map(|found| found.organization_id), "project")?;
            Ok(Model { project_id: Some(id), ..nothing })
        }
        SilenceTarget::Environment => {
            let id = EnvironmentId(id()?);
            let found = store::environment::by_id(&app.db, id).await?;
            ours(found.map(|found| found.organization_id), "environment")?;
            Ok(Model { environment_id: Some(id), ..nothing })
        }
        SilenceTarget::Job => {
            let id = JobId(id()?);
            let found = store::job::by_id(&app.db, id).await?;
            ours(found.map(|found| found.organization_id), "job")?;
            Ok(Model { job_id: Some(id), ..nothing })
        }
        SilenceTarget::Rule => {
            let id = AlertRuleId(id()?);
            let found = store::row::by_id::<alert_rule::Model>(&app.db, id).await?;
            ours(found.map(|found| found.organization_id), "alert rule")?;
            Ok(Model { rule_id: Some(id), ..nothing })
        }
        SilenceTarget::Label => {
            let part = |field: &str, text: Option<String>| {
                let text = text.ok_or_else(|| Error::invalid(field, "is required for a label"))?;
                limits::text(field, text)
            };
            let label_key = Some(part("target.label_key", label_key)?);
            let label_value = Some(part("target.label_value", label_value)?);
            Ok(Model { label_key, label_value, ..nothing })
        }
    }
}

fn given_other(given: Option<Uuid>, organization: Uuid) -> bool {
    given.is_some_and(|id| id != organization)
}
