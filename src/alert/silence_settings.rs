//! Creates, changes and ends silences. Callers have checked that the requester may. Each change is one transaction with its event, whose
//! content the caller shows.

use chrono::{DateTime, TimeDelta, Utc};
use entity::alert_silence::{Model, SilenceTarget};
use entity::id::{AlertRuleId, AlertSilenceId, EnvironmentId, JobId, OrganizationId, ProjectId};
use entity::{alert_rule, project};
use serde::Serialize;
use uuid::Uuid;

use crate::app::App;
use crate::engine::audit::{self, Change};
use crate::engine::faults::Faults;
use crate::engine::limits;
use crate::engine::requester::Requester;
use crate::error::{Error, Result};
use crate::store;

/// The maximum number of silences of an organization.
const MOST: u64 = 500;
/// How long silences that have ended are listed.
const KEPT: TimeDelta = TimeDelta::days(30);
/// The longest silence: a year.
const LONGEST: TimeDelta = TimeDelta::days(366);

/// What a silence is about, as it is asked for.
pub struct WantedSilenced {
    pub kind: SilenceTarget,
    /// Required for all kinds but the organization and a label.
    pub id: Option<Uuid>,
    /// Both are required for a label.
    pub label_key: Option<String>,
    pub label_value: Option<String>,
}

/// A silence as it is asked for.
pub struct WantedSilence {
    /// By default now, or what it was.
    pub begins_at: Option<DateTime<Utc>>,
    pub ends_at: DateTime<Utc>,
    pub comment: String,
    pub target: WantedSilenced,
}

fn change(kind: &'static str, row: &Model) -> Change {
    Change::new(kind, "ORGANIZATION", row.id.0, &row.comment).part("ALERT_SILENCE")
}

/// Creates a silence.
///
/// # Errors
/// `Invalid` with all faults; database errors.
pub async fn create_silence<S: Serialize>(
    app: &App,
    by: &Requester,
    organization: OrganizationId,
    wanted: WantedSilence,
    shown: impl Fn(Model, DateTime<Utc>) -> S,
) -> Result<S> {
    let now = app.clock.now();
    let row = Model {
        id: AlertSilenceId::create(),
        organization_id: organization,
        created_at: now,
        updated_at: now,
        author: by.name.clone(),
        comment: String::new(),
        begins_at: now,
        ends_at: now,
        target: SilenceTarget::Organization,
        project_id: None,
        environment_id: None,
        job_id: None,
        rule_id: None,
        label_key: None,
        label_value: None,
    };
    let row = apply(app, wanted, row).await?;
    audit::write(app, by, organization, async |tx| {
        store::alert::delete_old_silences(tx, organization, now - KEPT).await?;
        if store::alert::count_silences(tx, organization).await? >= MOST {
            return Err(Error::invalid("", format!("an organization can have at most {MOST} silences")));
        }
        let row = store::row::create(tx, row).await?;
        store::alert::wake_suppressed(tx, organization, now).await?;
        let change = change("CREATE", &row);
        let response = shown(row, now);
        let change = change.after(&response);
        Ok((response, change))
    })
    .await
}

/// Changes a silence.
///
/// # Errors
/// `Invalid` with all faults; database errors.
pub async fn edit_silence<S: Serialize>(
    app: &App,
    by: &Requester,
    old: Model,
    wanted: WantedSilence,
    shown: impl Fn(Model, DateTime<Utc>) -> S,
) -> Result<S> {
    let now = app.clock.now();
    let begins_at = wanted.begins_at;
    let wanted = apply(app, wanted, old).await?;
    audit::write(app, by, wanted.organization_id, async |tx| {
        let id = wanted.id;
        let edit = |stored: Model| {
            let row = Model { begins_at: begins_at.unwrap_or(stored.begins_at), updated_at: now, ..wanted };
            let mut faults = Faults::default();
            check_times(&row, now, &mut faults);
            faults.result().map(|()| row)
        };
        let changed = store::row::change(tx, id, edit, Error::from).await?;
        let (before, row) = changed.ok_or(Error::NotFound("alert silence"))?;
        store::alert::wake_suppressed(tx, row.organization_id, now).await?;
        let change = change("UPDATE", &row).before(&shown(before, now));
        let response = shown(row, now);
        let change = change.after(&response);
        Ok((response, change))
    })
    .await
}

/// Ends a silence at once, and forgets it.
///
/// # Errors
/// Database errors.
pub async fn delete_silence<S: Serialize>(
    app: &App,
    by: &Requester,
    row: Model,
    shown: impl Fn(Model, DateTime<Utc>) -> S,
) -> Result<()> {
    let now = app.clock.now();
    audit::write(app, by, row.organization_id, async |tx| {
        store::row::delete::<Model>(tx, row.id).await?;
        store::alert::wake_suppressed(tx, row.organization_id, now).await?;
        let change = change("DELETE", &row);
        Ok(((), change.before(&shown(row, now))))
    })
    .await
}

/// Writes what is asked for to a row.
async fn apply(app: &App, wanted: WantedSilence, mut row: Model) -> Result<Model> {
    let WantedSilence { begins_at, ends_at, comment, target } = wanted;
    let mut faults = Faults::default();
    row.comment = faults.note(limits::text("comment", comment));
    row.begins_at = begins_at.unwrap_or(row.begins_at);
    row.ends_at = ends_at;
    check_times(&row, app.clock.now(), &mut faults);
    let row = faults.note_or(aimed(app, target, row.clone()).await, row);
    faults.result()?;
    Ok(row)
}

fn check_times(row: &Model, now: DateTime<Utc>, faults: &mut Faults) {
    if row.ends_at <= row.begins_at {
        faults.refuse("ends_at", "must be after begins_at");
    } else if row.ends_at - row.begins_at > LONGEST {
        faults.refuse("ends_at", "must be at most 366 days after begins_at");
    } else if row.ends_at <= now {
        faults.refuse("ends_at", "must be in the future");
    }
}

/// The row with its target, which has to belong to the organization.
async fn aimed(app: &App, given: WantedSilenced, row: Model) -> Result<Model> {
    const FIELD: &str = "target.id";
    let WantedSilenced { kind: target, id, label_key, label_value } = given;
    let organization = row.organization_id;
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
    let ours = |found: Option<OrganizationId>, thing: &str| match found {
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
