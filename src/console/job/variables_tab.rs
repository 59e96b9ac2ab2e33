//! The variables that a job sees, as its next deployment will resolve them, and where each comes from.

use std::collections::BTreeMap;
use std::sync::Arc;

use entity::id::JobId;
use entity::variable::{self, VariableKind};
use maud::{Markup, html};
use poem::web::{Data, Path, Query};
use poem::{Response, handler};
use serde::Deserialize;
use uuid::Uuid;

use super::job_frame::{JobTab, frame};
use super::scene::Scene;
use crate::access::Action;
use crate::app::App;
use crate::console::notice::Noticed;
use crate::console::reply;
use crate::console::variable::{VariableOwner, variable_table};
use crate::console::viewer::Viewer;
use crate::engine::variable::{Parent, ShownVariable, scope_of, visible};
use crate::engine::variables::{ResolvedVariable, Variable, VariableScope, resolve};
use crate::error::Result;

/// The query of the page.
#[derive(Default, Deserialize)]
pub(super) struct Search {
    #[serde(default)]
    q: String,
}

#[handler]
pub(super) async fn variables(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(search): Query<Search>,
    Query(noticed): Query<Noticed>,
) -> poem::Result<Response> {
    let scene = Scene::load(app, &viewer.caller, Action::View, JobId(id)).await?;
    let parent = Parent::of_job(app, scene.job.clone()).await?;
    let content = html! {
        (noticed.show())
        (content(app, &scene, &parent).await?)
        @if scene.may(&viewer.caller, Action::Manage) {
            h2 { "Variables of all scopes" }
            (variable_table(app, &viewer, VariableOwner::Job(scene.job.id), &parent, &search.q).await?)
        }
    };
    let page = frame(&scene, &viewer.caller, JobTab::Variables, "Variables", "/environmentVariable", content);
    Ok(reply::page(app, &viewer, &page))
}

async fn content(app: &App, scene: &Scene, parent: &Parent) -> Result<Markup> {
    let rows = visible(app, parent).await?;
    // Of one key, the variable of the narrowest scope comes first.
    let mut winners: BTreeMap<&str, ShownVariable> = BTreeMap::new();
    for row in &rows {
        winners.entry(&row.key).or_insert_with(|| ShownVariable::new(row, &rows, parent));
    }
    let resolved = resolve(&rows.iter().map(unopened).collect::<Vec<_>>());
    Ok(html! {
        @if scene.job.deployed.is_some() && scene.job.variables_changed_at > scene.job.deployed_at {
            p.notice { "Variables were changed since the job was deployed. Its runs see them once it is deployed again." }
        }
        div.scroll {
            table.stacked {
                caption { "Variables that the job sees" }
                thead { tr { th scope="col" { "Name" } th scope="col" { "Value" } th scope="col" { "Comes from" } } }
                tbody {
                    @for variable in &resolved {
                        tr {
                            th scope="row" { code { (variable.key) } }
                            td data-label="Value" { (value(variable)) }
                            td data-label="Comes from" { @if let Some(shown) = winners.get(variable.key.as_str()) { (origin(shown)) } }
                        }
                    }
                }
            }
        }
        p.soft { "Some built-in variables get their values when a run starts." }
    })
}

/// A row for the resolution. The values of secrets stay sealed: what contains one is not shown.
fn unopened(row: &variable::Model) -> Variable {
    Variable {
        id: row.id.0,
        scope: scope_of(row),
        key: row.key.clone(),
        kind: row.kind,
        is_secret: row.is_secret,
        value: row.value.clone().unwrap_or_default(),
        mount_path: row.mount_path.clone(),
        interpolated: row.interpolated.unwrap_or(false),
        target_id: row.target_id.map(|id| id.0),
        target_key: row.target_key.clone(),
    }
}

fn value(variable: &ResolvedVariable) -> Markup {
    html! {
        @match (variable.is_secret, &variable.content) {
            (true, None) => span.soft { "secret" },
            (true, Some(_)) => { "file " code { (variable.value) } " " span.soft { "with secret content" } },
            (false, Some(content)) => { "file " code { (variable.value) } pre { (content) } },
            (false, None) => code { (variable.value) },
        }
    }
}

fn origin(shown: &ShownVariable) -> Markup {
    html! {
        (match shown.scope {
            VariableScope::BuiltIn => "built in",
            VariableScope::Project => "the project",
            VariableScope::Environment => "the environment",
            VariableScope::Job => "the job",
            VariableScope::Run => "the run",
        })
        @if let Some(target) = &shown.aliased { ", an alias of " code { (target.key) } }
        @if let Some(target) = &shown.overridden { ", overrides " code { (target.key) } }
        @if let (VariableKind::BuiltIn, Some((_, name))) = (shown.kind, &shown.job) { ", an output of " bdi { (name) } }
    }
}
