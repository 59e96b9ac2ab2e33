//! The forms that store a state: an earlier version again, or a file from elsewhere.

use std::sync::Arc;

use bytes::Bytes;
use entity::{state_version, workspace};
use futures_util::stream;
use maud::html;
use poem::web::{Data, Path};
use poem::{Response, handler};
use uuid::Uuid;

use super::state_list::{open, page_below};
use super::state_views::version;
use crate::access::principal;
use crate::app::App;
use crate::console::form::Form;
use crate::console::problems::Problems;
use crate::console::shell::{Page, token};
use crate::console::viewer::Viewer;
use crate::console::widgets::{Field, check};
use crate::console::{notice, paths, reply};
use crate::engine::terraform_state::{Import, NotChanged, NotStored, Refused, Rollback, StateWriter, import, rollback};
use crate::engine::workspace_lock::is_held_by;
use crate::error::{Error, Result};

/// Whether the viewer may write a state: nobody else holds its lock.
fn may_write(holder: &str) -> impl Fn(&workspace::Model) -> bool {
    move |row| row.state_lock.is_none() || is_held_by(row, holder)
}

/// Why a state was not stored, as an error of a form.
fn error_of(refused: NotChanged) -> Error {
    match refused {
        NotChanged::Other(error)
        | NotChanged::NotStored(NotStored::Failed(error))
        | NotChanged::Refused(Refused::Failed(error)) => error,
        NotChanged::Refused(Refused::TooLarge) => Error::invalid("state", "is too large"),
        NotChanged::Refused(Refused::Invalid(reason)) => Error::invalid("state", reason),
        NotChanged::Refused(Refused::Interrupted) => Error::invalid("state", "was not received completely"),
        NotChanged::NotStored(NotStored::Locked) => {
            Error::Conflict("somebody else holds the lock of the state; wait until it is released".to_owned())
        }
        NotChanged::NotStored(NotStored::OtherContent { received, expected }) => {
            Error::invalid("md5", format!("is {expected}, and the file has {received}"))
        }
        NotChanged::NotStored(NotStored::NoSerial) => Error::invalid("state", "has no serial"),
        NotChanged::NotStored(NotStored::LongLineage(refusal)) => Error::invalid("state", refusal.to_string()),
        NotChanged::NotStored(NotStored::OutOfOrder(why)) => Error::invalid("force", format!("is needed: {why}")),
        NotChanged::NotStored(NotStored::Overtaken) => {
            Error::Conflict(crate::engine::terraform_state::OVERTAKEN.to_owned())
        }
    }
}

async fn rollback_page(
    app: &App,
    viewer: &Viewer,
    (row, to): (&workspace::Model, &state_version::Model),
    (reason, problems): (&str, &Problems),
) -> Result<Page> {
    let title = format!("Roll back to serial {}", to.serial);
    let body = html! {
        h1 { (title) }
        form.card method="post" {
            (token(viewer))
            (problems.others(&["reason"]))
            p {
                "This version becomes the newest one again, under a new serial. The resources stay as they are: the next plan says what \
                 differs from them. All other versions are kept."
            }
            (Field::text("reason", "Reason", reason).hint("Kept with the new version").required().show(problems))
            p { button.danger type="submit" { "Roll back" } }
        }
    };
    page_below(app, row, (&title, "rollback"), body).await
}

#[handler]
pub(super) async fn ask_rollback(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((id, state)): Path<(Uuid, Uuid)>,
) -> poem::Result<Response> {
    let row = open(app, &viewer, id).await?;
    let to = version(app, &row, state).await?;
    let page = rollback_page(app, &viewer, (&row, &to), ("", &Problems::default())).await?;
    Ok(reply::page(app, &viewer, &page))
}

#[handler]
pub(super) async fn roll_back(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((id, state)): Path<(Uuid, Uuid)>,
    form: Form,
) -> poem::Result<Response> {
    let row = open(app, &viewer, id).await?;
    let to = version(app, &row, state).await?;
    let holder = principal::holder(&viewer.caller);
    let may_write = may_write(&holder);
    let by = viewer.requester();
    let of = StateWriter { workspace: &row, name: by.author(), by: &by, may_write: &may_write };
    match rollback(app, of, Rollback { to: to.clone(), reason: form.text("reason") }).await {
        Ok(_) => {
            app.wake.now();
            Ok(notice::lead(&format!("{}/states", paths::workspace(row.id)), "state-rolled-back"))
        }
        Err(refused) => {
            let problems = Problems::of(error_of(refused))?;
            let page = rollback_page(app, &viewer, (&row, &to), (form.text("reason"), &problems)).await?;
            Ok(reply::refused(app, &viewer, &page))
        }
    }
}

/// What is typed into the form of an import.
#[derive(Default)]
struct Typed {
    state: String,
    md5: String,
    reason: String,
    is_forced: bool,
}

async fn import_page(
    app: &App,
    viewer: &Viewer,
    row: &workspace::Model,
    typed: &Typed,
    problems: &Problems,
) -> Result<Page> {
    let body = html! {
        h1 { "Import a state file" }
        form.card method="post" {
            (token(viewer))
            (problems.others(&["state", "md5", "reason"]))
            p.field {
                label for="state-file" { "File" }
                input #state-file type="file" accept=".tfstate,.json,application/json" data-into="field-state";
            }
            (Field::text("state", "State", &typed.state).secret()
                .hint("The content of the file. One of more than 500 KiB is imported with windlass workspace state import").required().area(problems))
            (Field::text("md5", "MD5 sum", &typed.md5).hint("In hexadecimal digits, if it is to be checked").show(problems))
            (Field::text("reason", "Reason", &typed.reason).show(problems))
            p { (check("force", "Replace a state that is newer, or of another lineage", typed.is_forced)) }
            p { button type="submit" { "Import" } }
        }
    };
    page_below(app, row, ("Import", "import"), body).await
}

#[handler]
pub(super) async fn ask_import(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
) -> poem::Result<Response> {
    let row = open(app, &viewer, id).await?;
    let page = import_page(app, &viewer, &row, &Typed::default(), &Problems::default()).await?;
    Ok(reply::page(app, &viewer, &page))
}

#[handler]
pub(super) async fn import_file(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    form: Form,
) -> poem::Result<Response> {
    let row = open(app, &viewer, id).await?;
    let typed = Typed {
        state: form.text("state").to_owned(),
        md5: form.text("md5").trim().to_lowercase(),
        reason: form.text("reason").trim().to_owned(),
        is_forced: form.has("force"),
    };
    match imported(app, &viewer, &row, &typed).await {
        Ok(()) => Ok(notice::lead(&format!("{}/states", paths::workspace(row.id)), "state-imported")),
        Err(error) => {
            let page = import_page(app, &viewer, &row, &typed, &Problems::of(error)?).await?;
            Ok(reply::refused(app, &viewer, &page))
        }
    }
}

async fn imported(app: &Arc<App>, viewer: &Viewer, row: &workspace::Model, typed: &Typed) -> Result<()> {
    let holder = principal::holder(&viewer.caller);
    let may_write = may_write(&holder);
    let by = viewer.requester();
    let of = StateWriter { workspace: row, name: by.author(), by: &by, may_write: &may_write };
    let given = |text: &'_ str| !text.is_empty();
    let wanted = Import {
        md5: Some(typed.md5.as_str()).filter(|text| given(text)),
        is_forced: typed.is_forced,
        reason: Some(typed.reason.as_str()).filter(|text| given(text)),
    };
    let parts = stream::iter([Ok(Bytes::from(typed.state.clone()))]);
    let stored = import(app, of, wanted, parts).await.map_err(error_of)?;
    app.wake.now();
    stored.map(drop).ok_or_else(|| Error::Conflict("the newest state is the same already".to_owned()))
}
