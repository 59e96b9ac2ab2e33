//! Changes the name and the mode of an environment.

use std::sync::Arc;

use entity::environment;
use entity::id::EnvironmentId;
use maud::html;
use poem::web::{Data, Path};
use poem::{Response, handler};
use uuid::Uuid;

use super::state_words::{MODES, mode_of, mode_words};
use crate::access::{self, Action};
use crate::app::App;
use crate::console::form::Form;
use crate::console::problems::Problems;
use crate::console::shell::{Page, Section, token};
use crate::console::viewer::Viewer;
use crate::console::widgets::{Field, choice, place};
use crate::console::{notice, paths, reply};
use crate::engine::new_environment;
use crate::error::Result;

async fn page_of(
    app: &App,
    viewer: &Viewer,
    row: &environment::Model,
    (name, mode): (&str, &str),
    problems: &Problems,
) -> Result<Page> {
    let modes = MODES.into_iter().map(|mode| (mode_words(mode).to_owned(), mode_words(mode)));
    let body = html! {
        h1 { "Change " (row.name) }
        form.card method="post" {
            (token(viewer))
            (problems.others(&["name", "mode"]))
            (Field::text("name", "Name", name).required().show(problems))
            (choice("mode", "Mode", modes, mode, problems))
            p { button type="submit" { "Save" } }
        }
    };
    let place = Some(place(app, row.organization_id, Section::Environments).await?);
    let trail = vec![(row.name.clone(), paths::environment(row.id))];
    let api = Some(format!("/environment/{}", row.id));
    Ok(Page { title: format!("Change {}", row.name), place, trail, body, api, live: None })
}

#[handler]
pub(super) async fn show(Data(app): Data<&Arc<App>>, viewer: Viewer, Path(id): Path<Uuid>) -> poem::Result<Response> {
    let row = access::environment(&app.db, &viewer.caller, Action::Manage, EnvironmentId(id)).await?;
    let page = page_of(app, &viewer, &row, (&row.name, mode_words(row.mode)), &Problems::default()).await?;
    Ok(reply::page(app, &viewer, &page))
}

#[handler]
pub(super) async fn save(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    form: Form,
) -> poem::Result<Response> {
    let row = access::environment(&app.db, &viewer.caller, Action::Manage, EnvironmentId(id)).await?;
    let (name, mode) = (form.text("name"), form.text("mode"));
    access::environment_mode(&viewer.caller, &row, mode_of(mode))?;
    match new_environment::edit(app, &viewer.requester(), row.id, Some(name), mode_of(mode)).await {
        Ok(row) => Ok(notice::lead(&paths::environment(row.id), "environment-saved")),
        Err(error) => {
            let page = page_of(app, &viewer, &row, (name, mode), &Problems::of(error)?).await?;
            Ok(reply::refused(app, &viewer, &page))
        }
    }
}
