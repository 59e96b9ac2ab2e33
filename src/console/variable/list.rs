//! The variables that are visible in a scope.

use std::sync::Arc;

use entity::id::{EnvironmentId, ProjectId};
use entity::variable::VariableKind;
use maud::{Markup, html};
use poem::web::{Data, Path, Query};
use poem::{Response, handler};
use serde::Deserialize;
use uuid::Uuid;

use super::owner::{VariableOwner, may_manage, name, words};
use crate::access::Action;
use crate::app::App;
use crate::console::notice::Noticed;
use crate::console::shell::{Page, Section};
use crate::console::viewer::Viewer;
use crate::console::widgets::{button, place};
use crate::console::{paths, reply};
use crate::engine::variable::{Parent, ShownVariable, visible};
use crate::engine::variables::VariableScope;
use crate::error::Result;

/// The most variables that one page shows.
const MOST: usize = 1000;

/// The longest value that is shown whole, in characters.
const LONG: usize = 120;

/// The query of the page.
#[derive(Default, Deserialize)]
pub(super) struct Search {
    #[serde(default)]
    q: String,
}

#[handler]
pub(super) async fn of_project(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(search): Query<Search>,
    Query(noticed): Query<Noticed>,
) -> poem::Result<Response> {
    let owner = VariableOwner::Project(ProjectId(id));
    Ok(reply::page(app, &viewer, &page_of(app, &viewer, owner, &search, &noticed).await?))
}

#[handler]
pub(super) async fn of_environment(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(search): Query<Search>,
    Query(noticed): Query<Noticed>,
) -> poem::Result<Response> {
    let owner = VariableOwner::Environment(EnvironmentId(id));
    Ok(reply::page(app, &viewer, &page_of(app, &viewer, owner, &search, &noticed).await?))
}

async fn page_of(app: &App, viewer: &Viewer, owner: VariableOwner, search: &Search, noticed: &Noticed) -> Result<Page> {
    let parent = owner.load(app, viewer, Action::View).await?;
    let title = format!("Variables of {}", name(&parent));
    let body = html! {
        h1 { (title) }
        (noticed.show())
        @if let Some(row) = &parent.environment {
            nav.tabs aria-label="Environment" {
                a href=(paths::environment(row.id)) { "Jobs" }
                a href={ (paths::environment(row.id)) "/variables" } aria-current="page" { "Variables" }
            }
        }
        (table(app, viewer, owner, &parent, &search.q).await?)
    };
    let environments = format!("{}/environments", paths::organization(parent.organization));
    let mut trail = vec![("Environments".to_owned(), environments)];
    if let Some(row) = &parent.environment {
        trail.push((row.name.clone(), paths::environment(row.id)));
    }
    let api = match owner {
        VariableOwner::Project(id) => format!("/variable?parent_id={id}&scope=PROJECT"),
        VariableOwner::Environment(id) => format!("/variable?parent_id={id}&scope=ENVIRONMENT"),
        VariableOwner::Job(id) => format!("/variable?parent_id={id}&scope=JOB"),
    };
    let place = Some(place(app, parent.organization, Section::Environments).await?);
    Ok(Page { title, place, trail, body, api: Some(api), live: None })
}

/// The variables of a scope with all that can be done with them, for a page or a tab.
///
/// # Errors
/// Database errors.
pub(in crate::console) async fn table(
    app: &App,
    viewer: &Viewer,
    owner: VariableOwner,
    parent: &Parent,
    search: &str,
) -> Result<Markup> {
    let rows = visible(app, parent).await?;
    let all: Vec<_> = rows.iter().map(|row| ShownVariable::new(row, &rows, parent)).collect();
    let wanted = search.trim().to_uppercase();
    let found: Vec<_> = all.iter().filter(|one| one.key.to_uppercase().contains(&wanted)).collect();
    let (may, forms) = (may_manage(viewer, parent), owner.forms());
    Ok(html! {
        div.row.between {
            form method="get" action=(owner.list()) role="search" {
                label.hidden for="q" { "Search the names" }
                input #q type="search" name="q" value=(search) placeholder="Search the names";
                " "
                button.quiet type="submit" { "Search" }
            }
            @if may {
                div.row {
                    a.button href={ (forms) "/new" } { "New variable" }
                    a.button.quiet href={ (forms) "/import" } { "Import" }
                }
            }
        }
        p.soft {
            "Of one name, the variable of the narrowest scope wins: job, environment, project, built-in. "
            "A change takes effect when a job is deployed again."
        }
        @if found.is_empty() { p { "No variable has such a name." } }
        @else {
            div.scroll {
                table.stacked {
                    caption.hidden { "Variables that " (name(parent)) " sees" }
                    thead {
                        tr {
                            th scope="col" { "Name" }
                            th scope="col" { "Value" }
                            th scope="col" { "From" }
                            @if may { th scope="col" { "Actions" } }
                        }
                    }
                    tbody {
                        @for one in found.iter().take(MOST) {
                            tr {
                                td data-label="Name" {
                                    code { (one.key) }
                                    @if let Some(text) = &one.description { div.soft { (text) } }
                                }
                                td data-label="Value" { (value(one)) }
                                td data-label="From" { (from(one, &all)) }
                                @if may { td data-label="Actions" { (actions(viewer, &forms, one, parent)) } }
                            }
                        }
                    }
                }
            }
            @if found.len() > MOST { p { (found.len() - MOST) " more. Search for a part of the name." } }
        }
    })
}

/// The value, unless it is a secret. A long one is cut, and says so.
fn value(one: &ShownVariable) -> Markup {
    let text = one.value.as_deref().unwrap_or_default();
    let short: String = text.chars().take(LONG).collect();
    html! {
        @if let Some(path) = &one.mount_path { div.soft { "File " code { (path) } } }
        @match (one.kind, one.is_secret) {
            (VariableKind::Alias, _) => {
                "alias of "
                code { @match &one.aliased { Some(target) => (target.key), None => (text) } }
            }
            (_, true) => span.soft { "secret" },
            _ if short.len() < text.len() => {
                details {
                    summary { code { (short) "…" } }
                    pre { (text) }
                }
            }
            _ => code { (text) },
        }
    }
}

/// Where a variable comes from, and whether another one hides it.
fn from(one: &ShownVariable, all: &[ShownVariable]) -> Markup {
    let hidden = all.iter().any(|other| other.key == one.key && other.scope > one.scope);
    html! {
        @match (&one.job, one.kind) {
            (Some((id, name)), VariableKind::BuiltIn) => { "Output of " a href=(paths::job(*id)) { (name) } }
            _ => (words(one.scope)),
        }
        @if let Some(target) = &one.overridden { div.soft { "overrides that of " (words(target.scope).to_lowercase()) } }
        @if hidden { div.soft { "hidden by a narrower one" } }
    }
}

fn actions(viewer: &Viewer, forms: &str, one: &ShownVariable, parent: &Parent) -> Markup {
    let path = format!("{forms}/{}", one.id);
    let of = |words: &str| html! { (words) span.hidden { " " (one.key) } };
    let is_own = one.scope == parent.scope() && one.scope != VariableScope::BuiltIn;
    let question = format!("Delete the variable {} with its aliases and overrides?", one.key);
    html! {
        div.row {
            @if is_own {
                a href={ (path) "/edit" } { (of("Edit")) }
                (button(viewer, &format!("{path}/delete"), "Delete", "quiet", Some(&question)))
            } @else if one.kind != VariableKind::Alias {
                a href={ (path) "/override" } { (of("Override")) }
            }
            @if one.kind != VariableKind::Alias { a href={ (path) "/alias" } { (of("Alias")) } }
        }
    }
}
