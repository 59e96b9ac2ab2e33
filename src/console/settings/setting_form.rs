//! What the forms of the settings have in common.

use entity::id::OrganizationId;
use maud::{Markup, html};
use poem::Response;
use poem::http::StatusCode;
use sea_orm::ActiveEnum;

use super::tabs::{Tab, show};
use crate::app::App;
use crate::console::problems::Problems;
use crate::console::shell::token;
use crate::console::viewer::Viewer;
use crate::console::widgets::button;
use crate::error::{Error, Result};

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
    /// The page; with problems, as the answer to a form that was refused.
    pub(super) async fn reply(
        self,
        app: &App,
        viewer: &Viewer,
        id: OrganizationId,
        problems: Option<&Problems>,
    ) -> Result<Response> {
        let Self { tab, title, api, fields, names, delete, below } = self;
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
        let mut response = show(app, viewer, id, (tab, Some(api)), &body).await?;
        if problems.is_some() {
            response.set_status(StatusCode::BAD_REQUEST);
        }
        Ok(response)
    }
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
pub(super) fn boxes(
    name: &str,
    legend: &str,
    options: impl Iterator<Item = (String, &'static str, bool)>,
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
