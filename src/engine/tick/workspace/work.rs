//! The inputs of a workspace step besides its source: scripts, the preceding plan, and targeted addresses.

use entity::{workspace_address, workspace_step};

use super::super::prepared::Impossible;
use super::subject::WorkspaceSubject;
use crate::app::App;
use crate::engine::template::{self, FlowType};
use crate::engine::workspace::spec;
use crate::error::Result;
use crate::git::{self};
use crate::runner::terraform::script::{Operation, Phase};
use crate::secret::{self, Secret};
use crate::store;

/// The scripts of a step, in order. Imported ones are read from their repository.
pub(super) async fn scripts(app: &App, of: &WorkspaceSubject) -> Result<Result<Vec<(Phase, String)>, Impossible>> {
    let mut commands = of.spec.commands.clone();
    if let Some(import) = &of.spec.import_commands {
        let id = import.vcs_id.as_ref().and_then(|id| id.parse().ok()).map(entity::id::VcsId);
        let login = match id {
            Some(id) => {
                match git::login::of_connection(app, of.workspace.organization_id, id, &import.repository).await? {
                    Ok(login) => login,
                    Err(reason) => return Ok(Err(Impossible(format!("the vcsId of the imported commands: {reason}")))),
                }
            }
            None => None,
        };
        let branch = (!import.branch.is_empty()).then_some(import.branch.as_str());
        let path = format!("{}/commands.yaml", import.folder.trim_matches('/'));
        let path = path.trim_start_matches('/');
        commands = match git::file(&import.repository, branch, path, login.as_ref()).await {
            Err(reason) => return Ok(Err(Impossible(format!("the imported commands could not be read: {reason}")))),
            Ok(text) => match template::parse_commands(&text) {
                Err(refused) => return Ok(Err(Impossible(refused.0))),
                Ok(commands) => commands,
            },
        };
    }
    if of.rejected() {
        commands = of.spec.on_reject.clone();
    }
    let all = of.rejected() || of.operation() == Operation::Scripts;
    let phase = |command: &template::Command| {
        if all {
            Some(Phase::Before)
        } else if command.before_init {
            Some(Phase::BeforeInit)
        } else if command.before {
            Some(Phase::Before)
        } else {
            command.after.then_some(Phase::After)
        }
    };
    let mut scripts: Vec<_> =
        commands.iter().filter_map(|command| Some((phase(command)?, command.script.clone()))).collect();
    if !of.rejected() {
        scripts.extend(of.spec.on_failure.iter().map(|command| (Phase::Failure, command.script.clone())));
    }
    Ok(Ok(scripts))
}

/// A step that made a plan, and the plan.
pub(super) struct Planned {
    pub(super) step: workspace_step::Model,
    pub(super) plan: Secret<Vec<u8>>,
}

/// The plan that an apply carries out: that of the last step before it that plans. An apply without such a step plans for itself.
pub(super) async fn planned(app: &App, of: &WorkspaceSubject) -> Result<Result<Option<Planned>, Impossible>> {
    if of.spec.kind != FlowType::TerraformApply || of.rejected() {
        return Ok(Ok(None));
    }
    let steps = store::workspace::steps(&app.db, of.job.id).await?;
    for step in steps.into_iter().rev().filter(|step| step.position < of.step.position) {
        if !spec(&step)?.plans() {
            continue;
        }
        let Some(sealed) = &step.plan else {
            let text =
                format!("the step {:?} left no plan, and an apply after a plan needs exactly that plan", step.name);
            return Ok(Err(Impossible(text)));
        };
        let plan = app.keys.open(&secret::place("workspace_step", step.id.0), sealed)?;
        return Ok(Ok(Some(Planned { plan, step })));
    }
    Ok(Ok(None))
}

pub(super) async fn addresses(app: &App, of: &WorkspaceSubject, kind: &str) -> Result<Vec<String>> {
    let rows: Vec<workspace_address::Model> = store::workspace::addresses(&app.db, of.job.id).await?;
    Ok(rows.into_iter().filter(|row| row.kind == kind).map(|row| row.name).collect())
}
