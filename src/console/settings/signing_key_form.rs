//! Adds and deletes the public keys with which an organization signs its providers.

use std::sync::Arc;

use entity::id::{OrganizationId, ProviderKeyId};
use entity::provider_key;
use poem::web::{Data, Path};
use poem::{Response, handler};
use uuid::Uuid;

use super::setting_form::{Desk, SettingForm, listed};
use super::tabs::Tab;
use crate::access::{self, require_right};
use crate::app::App;
use crate::console::form::Form;
use crate::console::problems::Problems;
use crate::console::viewer::Viewer;
use crate::console::widgets::Field;
use crate::console::workspace::action::author;
use crate::engine::settings::provider_settings::{self, add_signing_key};
use crate::error::Result;

/// The field has the name that errors of the API use.
const KEY: &str = "ascii-armor";
const LIST: &str = "private-registry";

fn key_form(typed: &str, problems: &Problems) -> SettingForm {
    let hint = "As gpg --armor --export writes it. Terraform and OpenTofu check the signatures of providers with it";
    SettingForm {
        tab: Tab::PrivateRegistry,
        title: "New signing key".into(),
        api: "/api/registry/private/v2/gpg-keys".into(),
        fields: Field::text(KEY, "Public key", typed).required().hint(hint).area(problems),
        names: &[KEY],
        delete: None,
        below: maud::html! {},
    }
}

async fn require(desk: &Desk<'_>) -> Result<()> {
    require_right(access::workspace_rights(&desk.app.db, &desk.viewer.caller, desk.id).await?.providers)
}

#[handler]
pub(super) async fn new(Data(app): Data<&Arc<App>>, viewer: Viewer, Path(id): Path<Uuid>) -> poem::Result<Response> {
    let desk = Desk::new(app, &viewer, id);
    require(&desk).await?;
    Ok(key_form("", &Problems::default()).reply(&desk).await?)
}

#[handler]
pub(super) async fn create(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    sent: Form,
) -> poem::Result<Response> {
    let desk = Desk::new(app, &viewer, id);
    require(&desk).await?;
    match add_signing_key(app, author(&viewer.caller), desk.id, sent.text(KEY)).await {
        Ok(()) => Ok(listed(desk.id, LIST, "saved")),
        Err(error) => {
            let problems = Problems::of(error)?;
            Ok(key_form(sent.text(KEY), &problems).refuse(&desk, &problems).await?)
        }
    }
}

#[handler]
pub(super) async fn delete(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((id, row)): Path<(Uuid, Uuid)>,
    _sent: Form,
) -> poem::Result<Response> {
    let id = OrganizationId(id);
    let row = access::signing_key(&app.db, &viewer.caller, (id, ProviderKeyId(row))).await?;
    provider_settings::delete::<provider_key::Model>(app, row.id).await?;
    Ok(listed(id, LIST, "deleted"))
}
