//! The forms of variables.

use std::sync::Arc;

use entity::variable::{Model, VariableKind};
use maud::{Markup, html};
use poem::web::{Data, Path};
use poem::{Response, handler};
use uuid::Uuid;

use super::owner::{VariableOwner, name};
use crate::access::Action;
use crate::app::App;
use crate::console::form::Form;
use crate::console::problems::Problems;
use crate::console::reply;
use crate::console::shell::{Page, Section, token};
use crate::console::viewer::Viewer;
use crate::console::widgets::{Field, check, place};
use crate::engine::variable::{Parent, visible};
use crate::error::{Error, Result};

/// What a form does.
#[derive(Clone, Debug)]
pub(super) enum Purpose {
    New,
    Edit(Box<Model>),
    Override(Box<Model>),
    Alias(Box<Model>),
}

/// What is typed into a form. No `Debug`: a value may be a secret.
#[derive(Default)]
pub(super) struct Typed {
    pub(super) key: String,
    pub(super) value: String,
    pub(super) description: String,
    pub(super) path: String,
    pub(super) secret: bool,
    pub(super) interpolated: bool,
    /// Whether the value of a secret stays as it is.
    pub(super) keeps: bool,
}

impl Typed {
    pub(super) fn of_form(form: &Form) -> Self {
        let text = |name: &str| form.text(name).to_owned();
        Self {
            key: form.text("key").trim().to_owned(),
            value: text("value"),
            description: text("description"),
            path: form.text("mount_path").trim().to_owned(),
            secret: form.has("secret"),
            interpolated: form.has("interpolated"),
            keeps: !form.has("replace"),
        }
    }

    fn of_row(row: &Model) -> Self {
        Self {
            key: row.key.clone(),
            value: row.value.clone().unwrap_or_default(),
            description: row.description.clone().unwrap_or_default(),
            path: row.mount_path.clone().unwrap_or_default(),
            secret: row.is_secret,
            interpolated: row.interpolated.unwrap_or(false),
            keeps: true,
        }
    }
}

/// A variable that is visible in the scope.
pub(super) async fn target(app: &App, parent: &Parent, id: Uuid) -> Result<Model> {
    let all = visible(app, parent).await?;
    all.into_iter().find(|row| row.id.0 == id).ok_or(Error::NotFound("variable"))
}

/// The page of a form.
pub(super) async fn page_of(
    app: &App,
    viewer: &Viewer,
    (owner, parent): (VariableOwner, &Parent),
    purpose: &Purpose,
    typed: &Typed,
    problems: &Problems,
) -> Result<Page> {
    let of = name(parent);
    let title = match purpose {
        Purpose::New => format!("New variable of {of}"),
        Purpose::Edit(row) => format!("Change {}", row.key),
        Purpose::Override(row) => format!("Override {} in {of}", row.key),
        Purpose::Alias(row) => format!("Alias of {} in {of}", row.key),
    };
    let body = html! {
        h1 { (title) }
        form.card method="post" autocomplete="off" {
            (token(viewer))
            (problems.others(&["key", "value", "mount_path", "description"]))
            (fields(purpose, typed, problems))
            p { button type="submit" { "Save" } " " a.button.quiet href=(owner.list()) { "Back" } }
        }
    };
    let place = Some(place(app, parent.organization, Section::Environments).await?);
    let trail = vec![(format!("Variables of {of}"), owner.list())];
    Ok(Page { title, place, trail, body, api: Some("/variable".into()), live: None })
}

fn fields(purpose: &Purpose, typed: &Typed, problems: &Problems) -> Markup {
    let key = Field::text("key", "Name", &typed.key).hint("Letters, digits and underscores").required();
    let is_file = match purpose {
        Purpose::New => true,
        Purpose::Edit(row) => row.kind == VariableKind::File,
        Purpose::Override(_) | Purpose::Alias(_) => false,
    };
    let path = Field::text("mount_path", "Path", &typed.path)
        .hint("Only for a variable that is mounted as a file, such as /etc/app.conf");
    let has_own_name = match purpose {
        Purpose::Edit(row) => row.kind != VariableKind::Override,
        Purpose::Override(_) => false,
        Purpose::New | Purpose::Alias(_) => true,
    };
    html! {
        @if has_own_name { (key.show(problems)) }
        @match purpose {
            Purpose::New => {
                (Field::text("value", "Value", &typed.value).secret().area(problems))
                p { (check("secret", "Secret: the value is stored sealed, masked in logs, and never shown again", typed.secret)) }
            }
            Purpose::Edit(row) if row.kind == VariableKind::Alias => {}
            Purpose::Edit(row) if row.is_secret => {
                p { (check("replace", "Replace the value", !typed.keeps)) }
                (Field::text("value", "New value", "").secret().hint("The present value is not shown.").area(problems))
            }
            Purpose::Edit(_) => (Field::text("value", "Value", &typed.value).secret().area(problems)),
            Purpose::Override(row) if row.is_secret => (Field::text("value", "Value here", "").secret().hint("It is a secret here, too.").area(problems)),
            Purpose::Override(_) => (Field::text("value", "Value here", &typed.value).secret().area(problems)),
            Purpose::Alias(row) => p { "The alias has the value of " code { (row.key) } ", also when that changes." },
        }
        @if is_file { (path.show(problems)) }
        (Field::text("description", "Description", &typed.description).show(problems))
        @if is_file { p { (check("interpolated", "Replace {{NAME}} in the file by the value of that variable", typed.interpolated)) } }
    }
}

#[handler]
pub(super) async fn new(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((scope, id)): Path<(String, Uuid)>,
) -> poem::Result<Response> {
    let owner = VariableOwner::read(&scope, id)?;
    let parent = owner.load(app, &viewer, Action::Manage).await?;
    let of = (owner, &parent);
    let page = page_of(app, &viewer, of, &Purpose::New, &Typed::default(), &Problems::default()).await?;
    Ok(reply::page(app, &viewer, &page))
}

/// A form about a variable, filled in.
async fn about(
    app: &App,
    viewer: &Viewer,
    (scope, id, variable): (String, Uuid, Uuid),
    purpose: fn(Box<Model>) -> Purpose,
) -> Result<Response> {
    let owner = VariableOwner::read(&scope, id)?;
    let parent = owner.load(app, viewer, Action::Manage).await?;
    let row = target(app, &parent, variable).await?;
    let purpose = purpose(Box::new(row.clone()));
    if matches!(purpose, Purpose::Edit(_)) && (!parent.owns(&row) || row.kind == VariableKind::BuiltIn) {
        return Err(Error::NotFound("variable"));
    }
    let typed = match purpose {
        Purpose::Alias(_) => Typed::default(),
        _ => Typed::of_row(&row),
    };
    let page = page_of(app, viewer, (owner, &parent), &purpose, &typed, &Problems::default()).await?;
    Ok(reply::page(app, viewer, &page))
}

#[handler]
pub(super) async fn edit(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(path): Path<(String, Uuid, Uuid)>,
) -> poem::Result<Response> {
    Ok(about(app, &viewer, path, Purpose::Edit).await?)
}

#[handler]
pub(super) async fn override_(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(path): Path<(String, Uuid, Uuid)>,
) -> poem::Result<Response> {
    Ok(about(app, &viewer, path, Purpose::Override).await?)
}

#[handler]
pub(super) async fn alias(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(path): Path<(String, Uuid, Uuid)>,
) -> poem::Result<Response> {
    Ok(about(app, &viewer, path, Purpose::Alias).await?)
}
