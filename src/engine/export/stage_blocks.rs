//! Pure: the deployment stages of an environment.
//!
//! The provider creates stages, but cannot refer to those that every environment has. A job without a stage joins the default stage for
//! jobs, so such a job leads to the ID of that stage. A job that is skipped needs that ID itself: the provider skips only in a stage. The other default stages are exported only if they contain jobs, under other names.

use std::collections::HashMap;

use entity::id::StageId;
use entity::stage::{DEFAULTS, JOBS, Model};
use entity::stage_job;

use super::context::Context;
use super::hcl::{Expression, argument, block, optional};
use super::label::Labels;

/// The stages as blocks, and how jobs refer to them; a job of a stage that is not in the map belongs to the default stage.
pub(super) struct StageBlocks {
    pub(super) text: String,
    references: HashMap<StageId, String>,
    /// How a job that is skipped refers to the default stage.
    default_reference: Option<String>,
}

impl StageBlocks {
    /// What a job says about its stage: how it refers to it, and whether it is skipped, as far as the provider can do that.
    pub(super) fn place(&self, of: &stage_job::Model) -> (Option<&str>, bool) {
        let known = self.references.get(&of.stage_id).or(self.default_reference.as_ref().filter(|_| of.is_skipped));
        (known.map(String::as_str), of.is_skipped && known.is_some())
    }
}

/// A job in the default stage for jobs.
#[derive(Clone, Copy)]
pub(super) struct Anchor<'a> {
    pub(super) label: &'a str,
    pub(super) is_skipped: bool,
}

/// `anchor` leads to the default stage.
pub(super) fn stage_blocks(context: &mut Context<'_>, environment: &str, anchor: Option<Anchor<'_>>) -> StageBlocks {
    let default_stage = |anchor: Anchor<'_>| format!("qovery_job.{}.deployment_stage_id", anchor.label);
    let exported = context.exported;
    let has_jobs = |id: StageId| exported.jobs.iter().any(|job| job.place.as_ref().is_some_and(|at| at.stage_id == id));
    let is_default = |stage: &Model| DEFAULTS.contains(&stage.name.as_str());
    let chain: Vec<&Model> = exported
        .stages
        .iter()
        .filter(|stage| if stage.name == JOBS { anchor.is_some() } else { !is_default(stage) || has_jobs(stage.id) })
        .collect();
    let mut labels = Labels::default();
    let mut references = HashMap::new();
    for stage in chain.iter().filter(|stage| stage.name != JOBS) {
        references.insert(stage.id, format!("qovery_deployment_stage.{}.id", labels.give(&stage.name)));
    }
    let place_of = |stage: &Model| match references.get(&stage.id) {
        Some(reference) => Some(reference.clone()),
        None => anchor.map(default_stage),
    };
    let at = chain.iter().position(|stage| stage.name == JOBS).unwrap_or(0);
    let mut text = String::new();
    for (place, stage) in chain.iter().enumerate() {
        let Some(label) = references.get(&stage.id).and_then(|reference| reference.split('.').nth(1)) else { continue };
        let neighbour =
            |other: Option<usize>| other.and_then(|other| chain.get(other)).and_then(|stage| place_of(stage));
        let (after, before) =
            if place < at { (None, neighbour(Some(place + 1))) } else { (neighbour(place.checked_sub(1)), None) };
        let name = if is_default(stage) { format!("{} (exported)", stage.name) } else { stage.name.clone() };
        if is_default(stage) {
            context.note(format!("stage {}: the provider cannot refer to it; {name} takes its place", stage.name));
        }
        let mut arguments = vec![
            argument("environment_id", Expression::Plain(format!("{environment}.id"))),
            argument("name", name.as_str()),
        ];
        arguments.extend(optional("description", Some(stage.description.as_str()).filter(|text| !text.is_empty())));
        arguments.extend(optional("is_after", after.map(Expression::Plain)));
        arguments.extend(optional("is_before", before.map(Expression::Plain)));
        text.push('\n');
        text.push_str(&block("resource", &["qovery_deployment_stage", label], &arguments));
        context
            .import(format!("qovery_deployment_stage.{label}"), format!("{},{}", exported.environment.id, stage.name));
    }
    let default_reference = anchor.filter(|anchor| !anchor.is_skipped).map(default_stage);
    StageBlocks { text, references, default_reference }
}
