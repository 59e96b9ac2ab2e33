//! The variables of a project, of its environment and of its jobs after a declaration.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use entity::id::{JobId, VariableId};
use entity::variable::Model;

use super::step::{Step, VariableOwner};
use super::variables::{self, Scope};
use super::wanted::{WantedEnvironment, WantedJob};
use crate::engine::export::Exported;
use crate::error::Result;
use crate::secret::KeyRing;

/// The widest scope first, so that variables of narrower ones can be aliases of those that are new; what is deleted comes last.
pub(super) fn compare(
    keys: &KeyRing,
    stored: &Exported,
    wanted: &WantedEnvironment,
    (jobs, now): (&[(JobId, &WantedJob)], DateTime<Utc>),
) -> Result<Vec<Step>> {
    let scope = |owner: VariableOwner, at: String| Scope {
        organization: stored.environment.organization_id,
        project: stored.project.id,
        environment: stored.environment.id,
        owner,
        at,
    };
    let rows = |is_own: &dyn Fn(&Model) -> bool| stored.variables.iter().filter(|row| is_own(row)).collect();
    let of_project: Vec<&Model> = rows(&|row| row.project_id.is_some());
    let of_environment: Vec<&Model> = rows(&|row| row.environment_id == Some(stored.environment.id));
    let project_scope = scope(VariableOwner::Project, "project_".into());
    let mut steps = variables::compare(keys, &project_scope, (&of_project, &[]), &wanted.project_variables, now)?;
    let seen = after(&of_project, &steps);
    let seen: Vec<&Model> = seen.iter().collect();
    let own = scope(VariableOwner::Environment, String::new());
    let new = variables::compare(keys, &own, (&of_environment, &seen), &wanted.variables, now)?;
    let seen: Vec<Model> = after(&of_environment, &new).into_iter().chain(seen.into_iter().cloned()).collect();
    let seen: Vec<&Model> = seen.iter().collect();
    steps.extend(new);
    let mut by_job: HashMap<JobId, Vec<&Model>> = HashMap::new();
    for row in &stored.variables {
        if let Some(id) = row.job_id {
            by_job.entry(id).or_default().push(row);
        }
    }
    for (id, job) in jobs {
        let name = &job.state.name;
        let scope = scope(VariableOwner::Job(*id, name.clone()), format!("jobs.{name}."));
        let own = by_job.get(id).map(Vec::as_slice).unwrap_or_default();
        steps.extend(variables::compare(keys, &scope, (own, &seen), &job.variables, now)?);
    }
    // Last, when nothing that stays is an alias or an override of what is deleted.
    let (mut deleted, mut steps): (Vec<_>, Vec<_>) =
        steps.into_iter().partition(|step| matches!(step, Step::Variable { after: None, .. }));
    deleted.sort_by_key(|step| (width(step), !refers(step)));
    let others = deleted_with(stored, &steps, &deleted);
    steps.extend(others);
    steps.append(&mut deleted);
    Ok(steps)
}

/// Whether a variable that is deleted is an alias or an override: it goes before what it refers to.
fn refers(step: &Step) -> bool {
    matches!(step, Step::Variable { before: Some(before), .. } if before.target_id.is_some())
}

/// How wide the scope of a change is.
fn width(step: &Step) -> u8 {
    match step {
        Step::Variable { owner: VariableOwner::Environment, .. } => 1,
        Step::Variable { owner: VariableOwner::Project, .. } => 2,
        _ => 0,
    }
}

/// The aliases and overrides that nobody has declared, and that are deleted with what they refer to; narrower ones first.
fn deleted_with(stored: &Exported, kept: &[Step], deleted: &[Step]) -> Vec<Step> {
    let before = |step: &Step| match step {
        Step::Variable { before: Some(before), .. } => Some(before.id),
        _ => None,
    };
    let known: HashSet<VariableId> = kept.iter().chain(deleted).filter_map(before).collect();
    let mut gone: HashSet<VariableId> = deleted.iter().filter_map(before).collect();
    let mut found: Vec<Step> = Vec::new();
    loop {
        let goes = |row: &&Model| {
            row.target_id.is_some_and(|id| gone.contains(&id)) && !gone.contains(&row.id) && !known.contains(&row.id)
        };
        let more: Vec<&Model> = stored.variables.iter().filter(goes).collect();
        if more.is_empty() {
            found.reverse();
            return found;
        }
        gone.extend(more.iter().map(|row| row.id));
        found.extend(more.iter().map(|row| variables::step(owner(stored, row), Some(row), None, true)));
    }
}

fn owner(stored: &Exported, row: &Model) -> VariableOwner {
    let name = |id: JobId| stored.jobs.iter().find(|of| of.job.id == id).map(|of| of.job.name.clone());
    match row.job_id {
        Some(id) => VariableOwner::Job(id, name(id).unwrap_or_default()),
        None if row.environment_id.is_some() => VariableOwner::Environment,
        None => VariableOwner::Project,
    }
}

/// The variables of a scope after these steps.
fn after(own: &[&Model], steps: &[Step]) -> Vec<Model> {
    let is_gone = |row: &Model| {
        steps.iter().any(|step| matches!(step, Step::Variable { before: Some(before), .. } if before.id == row.id))
    };
    let new = steps.iter().filter_map(|step| match step {
        Step::Variable { after: Some(after), .. } => Some((**after).clone()),
        _ => None,
    });
    own.iter().filter(|row| !is_gone(row)).map(|row| (*row).clone()).chain(new).collect()
}
