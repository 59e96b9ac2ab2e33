//! What the forms of the settings have in common.

use entity::id::OrganizationId;
use maud::{Markup, html};
use poem::Response;
use poem::http::StatusCode;
use sea_orm::ActiveEnum;
use uuid::Uuid;

use super::tabs::{Tab, settings, show};
use crate::access::{self, Action};
use crate::app::App;
use crate::console::notice;
use crate::console::problems::Problems;
use crate::console::shell::token;
use crate::console::viewer::Viewer;
use crate::console::widgets::button;
use crate::error::{Error, Result};

/// Where a form is shown: in the settings of which organization, and to whom.
pub(super) struct Desk<'a> {
    pub(super) app: &'a App,
    pub(super) viewer: &'a Viewer,
    pub(super) id: OrganizationId,
    query: &'a str,
}

impl<'a> Desk<'a> {
    pub(super) fn new(app: &'a App, viewer: &'a Viewer, id: Uuid) -> Self {
        Self { app, viewer, id: OrganizationId(id), query: "" }
    }

    /// With the query of the address.
    pub(super) fn asked(self, query: Option<&'a str>) -> Self {
        Self { query: query.unwrap_or_default(), ..self }
    }

    /// What the query has under a name.
    pub(super) fn asks(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// Checks that the viewer may do something in the organization.
    pub(super) async fn require(&self, action: Action) -> Result<()> {
        access::organization(&self.app.db, &self.viewer.caller, action, self.id).await.map(drop)
    }
}

/// A page with a form.
pub(super) struct SettingForm {
    pub(super) tab: Tab,
    pub(super) title: String,
    /// The path that answers the same in the API.
    pub(super) api: String,
    pub(super) fields: Markup,
    /// The names of the fields; other problems are shown above them.
    pub(super) names: &'static [&'static str],
    /// The address that deletes the row, and the question before.
    pub(super) delete: Option<(String, String)>,
    /// What is below the form.
    pub(super) below: Markup,
}

impl SettingForm {
    /// The page.
    pub(super) async fn reply(self, desk: &Desk<'_>) -> Result<Response> {
        self.page(desk, None).await
    }

    /// The page as the answer to a form that was refused.
    pub(super) async fn refuse(self, desk: &Desk<'_>, problems: &Problems) -> Result<Response> {
        let mut response = self.page(desk, Some(problems)).await?;
        response.set_status(StatusCode::BAD_REQUEST);
        Ok(response)
    }

    async fn page(self, desk: &Desk<'_>, problems: Option<&Problems>) -> Result<Response> {
        let Self { tab, title, api, fields, names, delete, below } = self;
        let Desk { app, viewer, id, .. } = *desk;
        let body = html! {
            section.card aria-labelledby="form" {
                h2 #form { (title) }
                form method="post" autocomplete="off" {
                    (token(viewer))
                    @if let Some(problems) = problems { (problems.others(names)) }
                    (fields)
                    p { button type="submit" { "Save" } }
                }
            }
            (below)
            @if let Some((to, question)) = &delete { p { (button(viewer, to, "Delete", "danger", Some(question))) } }
        };
        show(app, viewer, id, (tab, Some(api)), &body).await
    }
}

/// The handlers of the forms of one kind of rows: they begin and end alike. Beside the macro, a module has
///
/// - `may(&Desk)`: whether the viewer may create a row;
/// - `load(&Desk, Uuid)`: a row that the viewer may change;
/// - `form(&Desk, Option<&Model>, Option<&Form>, &Problems)`: the form of a new row or of this one, with what was sent;
/// - `store(&Desk, Option<Model>, &Form)`: creates a row, or changes this one;
/// - `remove(&Desk, Model)`: deletes it.
///
/// `$list` is the page of the settings that lists the rows.
macro_rules! changes {
    ($list:literal) => {
        type Shared<'a> = poem::web::Data<&'a std::sync::Arc<$crate::app::App>>;

        #[poem::handler]
        pub(super) async fn new(
            app: Shared<'_>,
            viewer: $crate::console::viewer::Viewer,
            id: poem::web::Path<uuid::Uuid>,
            request: &poem::Request,
        ) -> poem::Result<poem::Response> {
            let desk = Desk::new(&app, &viewer, id.0).asked(request.uri().query());
            may(&desk).await?;
            Ok(form(&desk, None, None, &Problems::default()).await?.reply(&desk).await?)
        }

        #[poem::handler]
        pub(super) async fn create(
            app: Shared<'_>,
            viewer: $crate::console::viewer::Viewer,
            id: poem::web::Path<uuid::Uuid>,
            sent: Form,
        ) -> poem::Result<poem::Response> {
            let desk = Desk::new(&app, &viewer, id.0);
            may(&desk).await?;
            Ok(saved(&desk, None, &sent).await?)
        }

        #[poem::handler]
        pub(super) async fn edit(
            app: Shared<'_>,
            viewer: $crate::console::viewer::Viewer,
            path: poem::web::Path<(uuid::Uuid, uuid::Uuid)>,
            request: &poem::Request,
        ) -> poem::Result<poem::Response> {
            let desk = Desk::new(&app, &viewer, path.0.0).asked(request.uri().query());
            let row = load(&desk, path.0.1).await?;
            Ok(form(&desk, Some(&row), None, &Problems::default()).await?.reply(&desk).await?)
        }

        #[poem::handler]
        pub(super) async fn save(
            app: Shared<'_>,
            viewer: $crate::console::viewer::Viewer,
            path: poem::web::Path<(uuid::Uuid, uuid::Uuid)>,
            sent: Form,
        ) -> poem::Result<poem::Response> {
            let desk = Desk::new(&app, &viewer, path.0.0);
            let row = load(&desk, path.0.1).await?;
            Ok(saved(&desk, Some(row), &sent).await?)
        }

        async fn saved(desk: &Desk<'_>, row: Option<Model>, sent: &Form) -> $crate::error::Result<poem::Response> {
            match store(desk, row.clone(), sent).await {
                Ok(()) => Ok($crate::console::settings::setting_form::listed(desk.id, $list, "saved")),
                Err(error) => {
                    let problems = Problems::of(error)?;
                    form(desk, row.as_ref(), Some(sent), &problems).await?.refuse(desk, &problems).await
                }
            }
        }

        #[poem::handler]
        pub(super) async fn delete(
            app: Shared<'_>,
            viewer: $crate::console::viewer::Viewer,
            path: poem::web::Path<(uuid::Uuid, uuid::Uuid)>,
            _sent: Form,
        ) -> poem::Result<poem::Response> {
            let desk = Desk::new(&app, &viewer, path.0.0);
            let row = load(&desk, path.0.1).await?;
            remove(&desk, row).await?;
            Ok($crate::console::settings::setting_form::listed(desk.id, $list, "deleted"))
        }
    };
}

pub(super) use changes;

/// Leads to the list of the rows, with a notice.
pub(super) fn listed(id: OrganizationId, list: &str, said: &str) -> Response {
    notice::lead(&format!("{}/{list}", settings(id)), said)
}

/// The value of a choice.
pub(super) fn chosen<E: ActiveEnum<Value = String>>(field: &str, text: &str) -> Result<E> {
    E::try_from_value(&text.to_owned()).map_err(|_| Error::invalid(field, "must be one of the list"))
}

/// The values of boxes.
pub(super) fn checked<E: ActiveEnum<Value = String>>(field: &str, texts: &[String]) -> Result<Vec<E>> {
    texts.iter().map(|text| chosen(field, text)).collect()
}

/// Boxes to check, each with its value, its words, and whether it is checked.
pub(super) fn boxes<'a>(
    name: &str,
    legend: &str,
    options: impl Iterator<Item = (String, &'a str, bool)>,
    problems: &Problems,
) -> Markup {
    html! {
        fieldset {
            legend { (legend) }
            @for (value, words, is_checked) in options {
                label.check { input type="checkbox" name=(name) value=(value) checked[is_checked]; (words) }
            }
            @if let Some(problem) = problems.at(name) { span.problem { (legend) " " (problem) ". " } }
        }
    }
}
