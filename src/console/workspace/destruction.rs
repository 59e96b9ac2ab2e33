//! Jobs that destroy what their workspace manages: what is asked before one starts or goes on, and what its page says.

use entity::{workspace, workspace_job};
use maud::{Markup, html};

use crate::app::App;
use crate::engine::template;
use crate::error::Result;
use crate::store;

/// What there is to destroy.
pub(super) struct Destruction {
    name: String,
    /// How many resources the newest state lists, if that is known.
    resources: Option<i32>,
}

impl Destruction {
    pub(super) async fn in_workspace(app: &App, of: &workspace::Model) -> Result<Self> {
        let resources = store::workspace::count_resources(&app.db, of.id).await?;
        Ok(Self { name: of.name.clone(), resources })
    }

    /// That of a job; none if it does not destroy.
    pub(super) async fn by_job(app: &App, job: &workspace_job::Model, of: &workspace::Model) -> Result<Option<Self>> {
        let destroys = job.is_destroy || template::parse(&job.tcl).is_ok_and(|flow| template::destroys(&flow));
        if destroys { Self::in_workspace(app, of).await.map(Some) } else { Ok(None) }
    }

    /// How many resources the state has.
    fn known(&self) -> Option<String> {
        let count = self.resources?;
        Some(format!("Its state lists {count} {}.", if count == 1 { "resource" } else { "resources" }))
    }

    /// Asked before it is done.
    pub(super) fn question(&self) -> String {
        let known = self.known().map(|known| format!(" {known}")).unwrap_or_default();
        format!("Destroy all that {} manages?{known} This cannot be undone.", self.name)
    }

    /// The fact for the summary of the job.
    pub(super) fn fact(&self, job: &workspace_job::Model) -> Markup {
        html! {
            dt { "Destroys" }
            dd {
                @if job.target_addrs.is_some() { "the targeted resources of " (self.name) }
                @else { "all that " (self.name) " manages" }
                // What an ended job has destroyed is in its log, and no longer in the state.
                @if let Some(known) = self.known().filter(|_| !job.status.is_final()) { ". " (known) }
            }
        }
    }
}
