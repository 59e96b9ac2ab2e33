//! Where a workspace step is executed: as a plain process, in a container, or in a cluster.

use entity::cluster::ClusterKind;
use entity::id::ClusterId;
use entity::run::{self, SERVER_SLOTS};

use super::subject::{GONE, WorkspaceSubject};
use crate::app::App;
use crate::engine::tool_version::names;
use crate::error::Result;
use crate::runner::Target;
use crate::runner::terraform::script::Operation;
use crate::store;

/// Where a step is executed: as a process on this machine if its program is installed and processes are allowed, otherwise in a
/// container.
///
/// # Errors
/// The inner error says why no runner can execute the step.
pub(in crate::engine::tick) async fn place(app: &App, run: &run::Model) -> Result<Result<Target, String>> {
    let Some(of) = WorkspaceSubject::load(app, run).await? else { return Ok(Err(GONE.into())) };
    let docker = app.runners.local == Ok(Target::Docker);
    // A run starts where it waited for its slot, whatever the workspace has chosen since.
    if run.slots != SERVER_SLOTS {
        return in_cluster(app, ClusterId(run.slots)).await;
    }
    if !store::cluster::has_local(&app.db, of.workspace.organization_id).await? {
        let text = "the organization may not run anything on the server's machine, and has no other cluster";
        return Ok(Err(text.into()));
    }
    if of.operation() == Operation::Scripts && app.runners.processes {
        return Ok(Ok(Target::Process));
    }
    let tool = of.tool();
    let range = match of.version() {
        Ok(range) => range,
        Err(reason) => return Ok(Err(reason)),
    };
    let others = match app.runners.processes {
        true => match app.toolbox.find(tool, &range).await {
            Ok(_) => return Ok(Ok(Target::Process)),
            Err(others) => others,
        },
        false => Vec::new(),
    };
    if docker {
        return Ok(Ok(Target::Docker));
    }
    let version = of.workspace.terraform_version.trim();
    let wanted = if range.is_any() { tool.to_owned() } else { format!("{tool} {version}") };
    Ok(Err(match (app.runners.processes, others.is_empty()) {
        (true, true) => format!("{wanted} is not installed on the server, and there is no Docker engine"),
        (true, false) => format!(
            "{wanted} is not installed on the server, which has {}, and there is no Docker engine",
            names(&others)
        ),
        (false, _) => "there is no Docker engine, and plain processes are not allowed".into(),
    }))
}

async fn in_cluster(app: &App, id: ClusterId) -> Result<Result<Target, String>> {
    Ok(match store::cluster::by_id(&app.db, id).await?.map(|row| row.kind) {
        Some(ClusterKind::Kubernetes) => Ok(Target::Kubernetes(id)),
        Some(ClusterKind::Agent) => Ok(Target::Agent(id)),
        Some(ClusterKind::Local) | None => Err("the cluster of the step was deleted".into()),
    })
}
