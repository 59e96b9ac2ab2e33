//! The stages of an environment after a declaration.

use entity::id::StageId;
use entity::stage;

use super::step::{StageState, Step};
use super::wanted::WantedStage;
use crate::engine::limits;
use crate::error::{Error, Result};

/// The stage of jobs that name none, of stages in their order: the default stage of jobs, or else the last one.
#[must_use]
pub fn default_stage<'a>(names: &[&'a str]) -> &'a str {
    names.iter().find(|name| **name == stage::JOBS).or(names.last()).copied().unwrap_or_default()
}

/// A stage after the declaration.
pub(super) struct FinalStage {
    pub(super) id: StageId,
    pub(super) name: String,
}

/// The stages that there will be, in their order, and what has to be done for it. None leaves them as they are.
pub(super) fn compare(stored: &[stage::Model], wanted: Option<&[WantedStage]>) -> Result<(Vec<FinalStage>, Vec<Step>)> {
    let Some(wanted) = wanted else {
        return Ok((stored.iter().map(|row| FinalStage { id: row.id, name: row.name.clone() }).collect(), Vec::new()));
    };
    if wanted.is_empty() {
        return Err(Error::invalid("stages", "must name at least one stage"));
    }
    let mut last: Vec<FinalStage> = Vec::new();
    let mut steps = Vec::new();
    for ((place, WantedStage { name, description }), position) in wanted.iter().enumerate().zip(0_i32..) {
        let field = format!("stages[{place}]");
        let name = limits::name(&format!("{field}.name"), name)?;
        let description = limits::text(&format!("{field}.description"), description.clone())?;
        let key = entity::name_key(&name);
        if last.iter().any(|other| entity::name_key(&other.name) == key) {
            return Err(Error::invalid(format!("{field}.name"), format!("{name} is named twice")));
        }
        let after = StageState { name: name.clone(), description, position };
        let old = (0_i32..).zip(stored).find(|(_, row)| row.name_key == key);
        let id = old.map_or_else(StageId::create, |(_, row)| row.id);
        let before = old.map(|(position, row)| StageState {
            name: row.name.clone(),
            description: row.description.clone(),
            position,
        });
        last.push(FinalStage { id, name });
        if before.as_ref() != Some(&after) {
            steps.push(Step::Stage { id, before, after: Some(after) });
        }
    }
    for (position, row) in (0_i32..).zip(stored).filter(|(_, row)| !last.iter().any(|kept| kept.id == row.id)) {
        let before = StageState { name: row.name.clone(), description: row.description.clone(), position };
        steps.push(Step::Stage { id: row.id, before: Some(before), after: None });
    }
    Ok((last, steps))
}
