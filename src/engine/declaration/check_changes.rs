//! The checks of an environment after a declaration.

use std::collections::HashSet;

use entity::id::JobId;
use entity::job;

use super::pruned_label::has_label;
use super::step::{CheckState, Step};
use super::wanted::WantedEnvironment;
use crate::engine::export::Exported;
use crate::error::{Error, Result};

/// A stored check as it would be declared.
fn check_state_of(row: &job::Model) -> CheckState {
    CheckState { name: row.name.clone(), spec: row.spec.clone() }
}

/// A job cannot have the name of a check.
pub(super) fn refuse_check(stored: &Exported, name: &str) -> Result<()> {
    let key = entity::name_key(name);
    if stored.checks.iter().any(|row| row.name_key == key) {
        return Err(Error::invalid(format!("jobs.{name}"), "is the name of a check of this environment"));
    }
    Ok(())
}

/// Everything that has to be done about checks. Jobs and checks share their names.
pub(super) fn compare(stored: &Exported, wanted: &WantedEnvironment) -> Result<Vec<Step>> {
    let mut declared = HashSet::new();
    let mut steps = Vec::new();
    for after in &wanted.checks {
        let key = entity::name_key(&after.name);
        let field = format!("checks.{}", after.name);
        let is_job = stored.jobs.iter().any(|of| of.job.name_key == key)
            || wanted.jobs.iter().any(|job| entity::name_key(&job.state.name) == key);
        if is_job {
            return Err(Error::invalid(field, "is the name of a job of this environment"));
        }
        let old = stored.checks.iter().find(|row| row.name_key == key);
        if !declared.insert(key) {
            return Err(Error::invalid(field, "is declared twice; case does not matter"));
        }
        let before = old.map(check_state_of);
        if before.as_ref() != Some(after) {
            let id = old.map_or_else(JobId::create, |row| row.id);
            steps.push(Step::Check { id, before: before.map(Box::new), after: Some(Box::new(after.clone())) });
        }
    }
    let Some(label) = &wanted.prune else { return Ok(steps) };
    let is_gone = |row: &&job::Model| !declared.contains(&row.name_key) && has_label(stored, &row.spec, label);
    let gone = |row: &job::Model| Step::Check { id: row.id, before: Some(Box::new(check_state_of(row))), after: None };
    steps.extend(stored.checks.iter().filter(is_gone).map(gone));
    Ok(steps)
}
