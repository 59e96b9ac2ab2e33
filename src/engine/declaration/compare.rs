//! What has to be done so that an environment is as it is declared.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use entity::id::{JobId, StageId};
use entity::stage;

use super::pruned_label::has_label;
use super::step::{JobState, Step};
use super::wanted::{WantedEnvironment, WantedJob};
use super::{check_changes, stage_changes, variable_changes};
use crate::engine::export::{Exported, ExportedJob};
use crate::error::{Error, Result};
use crate::secret::KeyRing;

/// The names of stages by their ids.
#[must_use]
pub fn stage_names(rows: &[stage::Model]) -> HashMap<StageId, String> {
    rows.iter().map(|row| (row.id, row.name.clone())).collect()
}

/// A stored job as it would be declared. One without a stage has an empty one.
#[must_use]
pub fn state_of(stored: &ExportedJob, stages: &HashMap<StageId, String>) -> JobState {
    let ExportedJob { job, place, restrictions } = stored;
    let mut restrictions: Vec<_> = restrictions.iter().map(|row| (row.mode, row.value.clone())).collect();
    restrictions.sort_by(|one, other| one.1.cmp(&other.1));
    JobState {
        name: job.name.clone(),
        spec: job.spec.clone(),
        stage: place.as_ref().and_then(|place| stages.get(&place.stage_id)).cloned().unwrap_or_default(),
        is_skipped: place.as_ref().is_some_and(|place| place.is_skipped),
        restrictions,
    }
}

/// Everything that has to be done, in the order in which it can be.
pub(super) fn compare(
    keys: &KeyRing,
    stored: &Exported,
    wanted: &WantedEnvironment,
    now: DateTime<Utc>,
) -> Result<Vec<Step>> {
    let (last_stages, mut steps) = stage_changes::compare(&stored.stages, wanted.stages.as_deref())?;
    let names: Vec<&str> = last_stages.iter().map(|stage| stage.name.as_str()).collect();
    let stage_names = stage_names(&stored.stages);
    let by_key: HashMap<&str, &ExportedJob> = stored.jobs.iter().map(|of| (of.job.name_key.as_str(), of)).collect();
    let mut declared = HashSet::new();
    let mut in_stages: HashMap<String, String> = HashMap::new();
    let mut placed = Vec::new();
    for job in &wanted.jobs {
        let after = settled(job, &names)?;
        let key = entity::name_key(&after.name);
        let old = by_key.get(key.as_str()).copied();
        if !declared.insert(key) {
            return Err(Error::invalid(format!("jobs.{}", after.name), "is declared twice; case does not matter"));
        }
        in_stages.insert(after.stage.clone(), after.name.clone());
        check_changes::refuse_check(stored, &after.name)?;
        let before = old.map(|old| same_type(old, &after).map(|()| state_of(old, &stage_names))).transpose()?;
        let id = old.map_or_else(JobId::create, |old| old.job.id);
        placed.push((id, job));
        if before.as_ref() != Some(&after) {
            steps.push(Step::Job { id, before: before.map(Box::new), after: Some(Box::new(after)) });
        }
    }
    for old in stored.jobs.iter().filter(|old| !declared.contains(&old.job.name_key)) {
        let before = state_of(old, &stage_names);
        if wanted.prune.as_ref().is_some_and(|label| has_label(stored, &old.job.spec, label)) {
            steps.push(Step::Job { id: old.job.id, before: Some(Box::new(before)), after: None });
        } else if old.place.is_some() {
            in_stages.insert(before.stage, before.name);
        }
    }
    if let Some((stage, job)) = in_stages.iter().find(|(stage, _)| !names.contains(&stage.as_str())) {
        let text = format!("{stage} is not listed, but the job {job} is in it; list it, or move the job");
        return Err(Error::invalid("stages", text));
    }
    steps.extend(check_changes::compare(stored, wanted)?);
    steps.extend(variable_changes::compare(keys, stored, wanted, (&placed, now))?);
    Ok(steps)
}

/// A declared job with its stage, which is one that there will be.
fn settled(job: &WantedJob, names: &[&str]) -> Result<JobState> {
    let mut state = job.state.clone();
    state.restrictions.sort_by(|one, other| one.1.cmp(&other.1));
    if state.stage.is_empty() {
        stage_changes::default_stage(names).clone_into(&mut state.stage);
        return Ok(state);
    }
    let key = entity::name_key(&state.stage);
    let Some(name) = names.iter().find(|name| entity::name_key(name) == key) else {
        let text = format!("{} is no stage of the environment; there are: {}", state.stage, names.join(", "));
        return Err(Error::invalid(format!("jobs.{}.stage", state.name), text));
    };
    (*name).clone_into(&mut state.stage);
    Ok(state)
}

fn same_type(old: &ExportedJob, after: &JobState) -> Result<()> {
    if old.job.job_type == after.spec.job_type() {
        return Ok(());
    }
    let text = "cannot change between a schedule and events; delete the job, or give this one another name";
    Err(Error::invalid(format!("jobs.{}", after.name), text))
}
