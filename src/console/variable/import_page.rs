//! Imports variables from a text in the format of dotenv files.

use std::sync::Arc;

use maud::html;
use poem::web::{Data, Path};
use poem::{Response, handler};
use uuid::Uuid;

use super::owner::{VariableOwner, name};
use crate::access::Action;
use crate::app::App;
use crate::console::form::Form;
use crate::console::problems::Problems;
use crate::console::shell::{Page, Section, token};
use crate::console::viewer::Viewer;
use crate::console::widgets::{Field, check, place};
use crate::console::{notice, reply};
use crate::engine::variable::{self, Import, ImportedVariable, Parent};
use crate::engine::variables::parse_dotenv;
use crate::error::{Error, Result};

async fn page_of(
    app: &App,
    viewer: &Viewer,
    (owner, parent): (VariableOwner, &Parent),
    (text, is_secret, overwrites): (&str, bool, bool),
    problems: &Problems,
) -> Result<Page> {
    let title = format!("Import variables into {}", name(parent));
    let body = html! {
        h1 { (title) }
        form.card method="post" autocomplete="off" {
            (token(viewer))
            (problems.others(&["text"]))
            (Field::text("text", "Variables", text).secret().hint("One per line, as in a .env file: NAME=value").required().area(problems))
            p { (check("secret", "All of them are secrets", is_secret)) }
            p { (check("overwrite", "Replace the values of variables that exist already", overwrites)) }
            p { button type="submit" { "Import" } " " a.button.quiet href=(owner.list()) { "Back" } }
        }
    };
    let place = Some(place(app, parent.organization, Section::Environments).await?);
    let trail = vec![(format!("Variables of {}", name(parent)), owner.list())];
    Ok(Page { title, place, trail, body, api: None, live: None })
}

#[handler]
pub(super) async fn show(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((scope, id)): Path<(String, Uuid)>,
) -> poem::Result<Response> {
    let owner = VariableOwner::read(&scope, id)?;
    let parent = owner.load(app, &viewer, Action::Manage).await?;
    let page = page_of(app, &viewer, (owner, &parent), ("", false, false), &Problems::default()).await?;
    Ok(reply::page(app, &viewer, &page))
}

#[handler]
pub(super) async fn save(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((scope, id)): Path<(String, Uuid)>,
    form: Form,
) -> poem::Result<Response> {
    let owner = VariableOwner::read(&scope, id)?;
    let parent = owner.load(app, &viewer, Action::Manage).await?;
    let (text, is_secret, overwrite) = (form.text("text"), form.has("secret"), form.has("overwrite"));
    match imported(app, &viewer, &parent, (text, is_secret, overwrite)).await {
        Ok(all) => {
            let said = if all { "variables-imported" } else { "variables-skipped" };
            Ok(notice::lead(&owner.list(), said))
        }
        Err(error) => {
            let shown = if is_secret { "" } else { text };
            let problems = Problems::of(error)?;
            let page = page_of(app, &viewer, (owner, &parent), (shown, is_secret, overwrite), &problems).await?;
            Ok(reply::refused(app, &viewer, &page))
        }
    }
}

/// Imports the variables of a text. Returns false if some of them were left out.
async fn imported(
    app: &App,
    viewer: &Viewer,
    parent: &Parent,
    (text, is_secret, overwrite): (&str, bool, bool),
) -> Result<bool> {
    let entries = parse_dotenv(text).map_err(|reason| Error::invalid("text", format!("cannot be read: {reason}")))?;
    if entries.is_empty() {
        return Err(Error::invalid("text", "must have at least one variable"));
    }
    let lines: Vec<usize> = entries.iter().map(|entry| entry.line).collect();
    let widest = parent.scope();
    let scope = Some(widest);
    let variables: Vec<_> = entries
        .into_iter()
        .map(|entry| ImportedVariable { name: entry.key, value: entry.value, scope, is_secret })
        .collect();
    let total = variables.len();
    let wanted = Import { widest, overwrite, variables };
    let done = variable::import(app, &viewer.requester(), parent, wanted).await;
    let done = done.map_err(|error| at_its_line(error, &lines))?;
    Ok(done.len() == total)
}

/// The error of an import names an entry; people count lines.
fn at_its_line(error: Error, lines: &[usize]) -> Error {
    let Error::Invalid { field, message } = error else { return error };
    let index = field.strip_prefix("vars[").and_then(|rest| rest.split_once(']'));
    let line = index.and_then(|(index, _)| lines.get(index.parse::<usize>().ok()?));
    match (line, index) {
        (Some(line), Some((_, ".name"))) => Error::invalid("text", format!("line {line}: the name {message}")),
        (Some(line), _) => Error::invalid("text", format!("line {line}: the value {message}")),
        (None, _) => Error::invalid("text", message),
    }
}
