//! Stores one difference, with its event.

use chrono::TimeDelta;
use entity::deployment_restriction::{self, RestrictionKind, RestrictionMode};
use entity::id::{JobId, RestrictionId, StageId};
use entity::{job, stage, stage_job, variable};
use sea_orm::DatabaseTransaction;

use super::stage_changes::default_stage;
use super::step::{JobState, StageState, Step, VariableOwner};
use super::write_check;
use super::written_so_far::{Touched, Written};
use crate::engine::audit::Change;
use crate::engine::calendars_of_jobs::hold_calendars;
use crate::engine::copy_job::TAKEN;
use crate::engine::variable::{Parent, ShownVariable};
use crate::error::{Error, Result};
use crate::store;

/// Somebody else has created a variable of the same name since it was looked for.
const VARIABLE_TAKEN: &str = "a variable of this name was created in the meantime; try again";

pub(super) async fn write(written: &mut Written<'_>, tx: &DatabaseTransaction, step: &Step) -> Result<()> {
    match step {
        Step::Stage { id, before, after } => write_stage(written, tx, (*id, before.as_ref(), after.as_ref())).await,
        Step::Job { id, before: None, after: Some(after) } => create_job(written, tx, *id, after).await,
        Step::Job { id, before: Some(before), after: Some(after) } => {
            update_job(written, tx, *id, (before, after)).await
        }
        Step::Job { id, before: _, after: None } => {
            written.deleted_jobs.extend(written.jobs.get(id).cloned());
            Ok(())
        }
        Step::Check { id, before, after } => {
            write_check::write(written, tx, *id, (before.as_deref(), after.as_deref())).await
        }
        Step::Variable { owner, before, after, .. } => {
            write_variable(written, tx, owner, (before.as_deref(), after.as_deref())).await
        }
    }
}

async fn write_stage(
    written: &mut Written<'_>,
    tx: &DatabaseTransaction,
    (id, before, after): (StageId, Option<&StageState>, Option<&StageState>),
) -> Result<()> {
    let environment = &written.stored.environment;
    let change = |kind: &'static str| {
        Change::new(kind, "ENVIRONMENT", environment.id.0, &environment.name)
            .of_environment(environment)
            .part("DEPLOYMENT_STAGE")
    };
    let shown = |state: &StageState| serde_json::json!({"name": state.name, "description": state.description, "position": state.position});
    let change = match (before, after) {
        (before, Some(after)) => {
            let row = stage::Model {
                id,
                environment_id: environment.id,
                created_at: written
                    .stored
                    .stages
                    .iter()
                    .find(|row| row.id == id)
                    .map_or(written.now, |row| row.created_at),
                updated_at: written.now,
                name_key: entity::name_key(&after.name),
                name: after.name.clone(),
                description: after.description.clone(),
                position: after.position,
            };
            written.stages.retain(|(other, _)| *other != id);
            written.stages.push((id, after.name.clone()));
            if let Some(before) = before {
                store::row::update(tx, row).await?;
                change("UPDATE").before(&shown(before)).after(&shown(after))
            } else {
                store::row::create(tx, row).await?;
                change("CREATE").after(&shown(after))
            }
        }
        (before, None) => {
            // Its jobs move first.
            written.stages.retain(|(other, _)| *other != id);
            written.deleted_stages.push(id);
            before.map_or_else(|| change("DELETE"), |before| change("DELETE").before(&shown(before)))
        }
    };
    written.record(tx, change).await
}

async fn create_job(written: &mut Written<'_>, tx: &DatabaseTransaction, id: JobId, after: &JobState) -> Result<()> {
    let environment = &written.stored.environment;
    // A microsecond apart, so that they keep their order.
    let now = written.now + TimeDelta::microseconds(written.created);
    written.created += 1;
    let row = job::Model { id, ..job::Model::new(environment, &after.name, after.spec.clone(), now) };
    hold_calendars(tx, row.organization_id, &row.spec).await?;
    store::job::create(tx, row.clone()).await.map_err(|error| Error::or_taken(error, TAKEN))?;
    let names: Vec<&str> = written.stages.iter().map(|(_, name)| name.as_str()).collect();
    if after.is_skipped || after.stage != default_stage(&names) {
        place(written, tx, id, after).await?;
    }
    restrict(written, tx, id, &after.restrictions).await?;
    let change = Change::create("JOB", id.0, &row.name).of_environment(environment).after(&row.spec);
    written.jobs.insert(id, row);
    written.record(tx, change).await
}

async fn update_job(
    written: &mut Written<'_>,
    tx: &DatabaseTransaction,
    id: JobId,
    (before, after): (&JobState, &JobState),
) -> Result<()> {
    let environment = &written.stored.environment;
    let job = store::job::lock(tx, id).await?.ok_or(Error::NotFound("job"))?;
    hold_calendars(tx, job.row().organization_id, &after.spec).await?;
    // A declaration is all that is said of a job, so nothing is kept of what somebody else may have changed.
    let row = job.edit(tx, (after.name.clone(), after.spec.clone()), written.now).await;
    let row = row.map_err(|error| Error::or_taken(error, TAKEN))?;
    if (&before.stage, before.is_skipped) != (&after.stage, after.is_skipped) {
        place(written, tx, id, after).await?;
    }
    if before.restrictions != after.restrictions {
        for row in store::restriction::list(tx, id).await? {
            store::row::delete::<deployment_restriction::Model>(tx, row.id).await?;
        }
        restrict(written, tx, id, &after.restrictions).await?;
    }
    let change = Change::update("JOB", id.0, &row.name).of_environment(environment);
    let change = change.before(&job.row().spec).after(&after.spec);
    written.jobs.insert(id, row);
    written.record(tx, change).await
}

async fn place(written: &Written<'_>, tx: &DatabaseTransaction, id: JobId, after: &JobState) -> Result<()> {
    let Some((stage_id, _)) = written.stages.iter().find(|(_, name)| *name == after.stage) else {
        return Err(Error::invalid(format!("jobs.{}.stage", after.name), "is no stage of the environment"));
    };
    let (created_at, updated_at) = (written.now, written.now);
    let row =
        stage_job::Model { job_id: id, stage_id: *stage_id, created_at, updated_at, is_skipped: after.is_skipped };
    store::stage::attach(tx, row).await?;
    Ok(())
}

async fn restrict(
    written: &Written<'_>,
    tx: &DatabaseTransaction,
    job_id: JobId,
    restrictions: &[(RestrictionMode, String)],
) -> Result<()> {
    let (created_at, updated_at) = (written.now, written.now);
    for (mode, value) in restrictions {
        let (id, mode, kind, value) = (RestrictionId::create(), *mode, RestrictionKind::Path, value.clone());
        let row = deployment_restriction::Model { id, job_id, created_at, updated_at, mode, kind, value };
        store::row::create(tx, row).await?;
    }
    Ok(())
}

async fn write_variable(
    written: &mut Written<'_>,
    tx: &DatabaseTransaction,
    owner: &VariableOwner,
    (before, after): (Option<&variable::Model>, Option<&variable::Model>),
) -> Result<()> {
    let of_project = Parent::of_project(written.stored.project.clone());
    let of_environment = || Parent { environment: Some(written.stored.environment.clone()), ..of_project.clone() };
    let (touched, parent) = match owner {
        VariableOwner::Project => (Touched::Project, of_project.clone()),
        VariableOwner::Environment => (Touched::Environment, of_environment()),
        VariableOwner::Job(id, _) => {
            (Touched::Job(*id), Parent { job: written.jobs.get(id).cloned(), ..of_environment() })
        }
    };
    written.touched.insert(touched);
    let shown = |row: &variable::Model| ShownVariable::new(row, &[], &parent).recorded();
    let is_secret = after.or(before).is_some_and(|row| row.is_secret);
    let change = match (before, after) {
        (Some(before), Some(after)) => {
            store::row::update(tx, after.clone()).await?;
            if (before.is_secret, &before.mount_path) != (after.is_secret, &after.mount_path) {
                store::variable::follow_kind(tx, after).await?;
            }
            parent.change("UPDATE", is_secret).before(&shown(before)).after(&shown(after))
        }
        (None, Some(after)) => {
            store::row::create(tx, after.clone()).await.map_err(|error| Error::or_taken(error, VARIABLE_TAKEN))?;
            parent.change("CREATE", is_secret).after(&shown(after))
        }
        (Some(before), None) => {
            store::row::delete::<variable::Model>(tx, before.id).await?;
            parent.change("DELETE", is_secret).before(&shown(before))
        }
        (None, None) => return Ok(()),
    };
    written.record(tx, change).await
}
