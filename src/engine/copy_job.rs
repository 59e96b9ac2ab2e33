//! Copies jobs, with their restrictions and variables.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::id::{JobId, RestrictionId, VariableId};
use entity::variable::{self, VariableKind};
use entity::{deployment_restriction, job};
use sea_orm::DatabaseTransaction;

use crate::app::App;
use crate::engine::calendars_of_jobs::hold_calendars;
use crate::engine::variables::built_in::short_id;
use crate::error::{Error, Result};
use crate::store::variable::Owner;
use crate::{secret, store};

/// What somebody reads who gives a job the name of another one.
pub const TAKEN: &str = "Job name within the environment is already taken";

/// Copies a job and its restrictions. The copy has never been deployed and joins the default stage for new jobs.
///
/// # Errors
/// `Conflict` if the name is taken; `Invalid` if a calendar is gone; database errors.
pub async fn copy_job(
    tx: &DatabaseTransaction,
    source: &job::Model,
    environment: &entity::environment::Model,
    name: String,
    now: DateTime<Utc>,
) -> Result<job::Model> {
    let copy = job::Model::new(environment, &name, source.spec.clone(), now);
    hold_calendars(tx, copy.organization_id, &copy.spec).await?;
    store::job::create(tx, copy.clone()).await.map_err(|error| Error::or_taken(error, TAKEN))?;
    for row in store::restriction::list(tx, source.id).await? {
        let id = RestrictionId::create();
        let row = deployment_restriction::Model { id, job_id: copy.id, created_at: now, updated_at: now, ..row };
        store::row::create(tx, row).await?;
    }
    Ok(copy)
}

/// Copies variables to an owner.
///
/// References to variables and jobs that were copied before are rewritten to the copies. What refers to an output, by its id in
/// `outputs`, refers to that of the copied job by its key, because there is none before that job has run. Another alias whose target
/// the owner cannot see is dropped; an override of one becomes a plain value.
///
/// # Errors
/// Database errors.
pub async fn copy_variables(
    app: &App,
    tx: &DatabaseTransaction,
    rows: Vec<variable::Model>,
    owner: Owner,
    (copies, outputs): (&mut HashMap<VariableId, VariableId>, &HashMap<VariableId, String>),
    renamed: &[(JobId, JobId)],
    now: DateTime<Utc>,
) -> Result<()> {
    // Plain values first, so that references to them can be rewritten.
    let (mut plain, referring): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.target_id.is_none());
    plain.extend(referring);
    for row in plain {
        if row.kind == VariableKind::BuiltIn {
            continue;
        }
        let output = row.target_id.and_then(|id| outputs.get(&id)).map(|key| rename(key, renamed));
        let target_id = row.target_id.map(|id| copies.get(&id).copied().unwrap_or(id)).filter(|_| output.is_none());
        let there = match target_id {
            Some(id) => store::variable::is_visible(tx, id, owner).await?,
            None => true,
        };
        if !there && row.kind == VariableKind::Alias {
            continue;
        }
        let key = match (row.kind, &output) {
            (VariableKind::Override, Some(key)) => key.clone(),
            // A built-in variable has no row, and the id of its job is in its name.
            (VariableKind::Override, None) if row.target_id.is_none() => rename(&row.key, renamed),
            _ => row.key.clone(),
        };
        let id = VariableId::create();
        copies.insert(row.id, id);
        let mut copy = variable::Model {
            id,
            project_id: None,
            environment_id: match owner {
                Owner::Environment(id) => Some(id),
                Owner::Job(_) => None,
            },
            job_id: match owner {
                Owner::Environment(_) => None,
                Owner::Job(id) => Some(id),
            },
            created_at: now,
            updated_at: now,
            target_id: target_id.filter(|_| there),
            key,
            kind: if there { row.kind } else { VariableKind::Value },
            value: row.value.as_deref().map(|text| rename(text, renamed)),
            target_key: row.target_key.as_deref().map(|text| output.unwrap_or_else(|| rename(text, renamed))),
            sealed: None,
            ..row.clone()
        };
        if let Some(sealed) = &row.sealed {
            let opened = app.keys.open_text(&secret::place("variable", row.id.0), sealed)?;
            let text = rename(opened.expose(), renamed);
            copy.sealed = Some(app.keys.seal(&secret::place("variable", id.0), text.as_bytes())?);
        }
        store::row::create(tx, copy).await?;
    }
    Ok(())
}

/// Rewrites the short ids of jobs in the names of built-in variables.
fn rename(text: &str, renamed: &[(JobId, JobId)]) -> String {
    renamed.iter().fold(text.to_owned(), |text, (old, new)| {
        let (old, new) = (short_id(old.0).to_uppercase(), short_id(new.0).to_uppercase());
        text.replace(&format!("_Z{old}_"), &format!("_Z{new}_"))
    })
}
