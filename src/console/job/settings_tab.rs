//! The advanced settings of a job, with what each does.

use std::sync::Arc;

use entity::id::JobId;
use entity::job;
use maud::html;
use poem::web::{Data, Path, Query};
use poem::{Response, handler};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::job_frame::{JobTab, frame};
use super::scene::Scene;
use crate::access::Action;
use crate::app::App;
use crate::console::form::Form;
use crate::console::notice::Noticed;
use crate::console::problems::Problems;
use crate::console::shell::{Page, token};
use crate::console::viewer::Viewer;
use crate::console::widgets::Field;
use crate::console::{notice, paths, reply};
use crate::engine::advanced_settings::{self, SETTINGS, complete, meaning, reduce, unknown_settings};
use crate::engine::definition::save_settings as store_settings;
use crate::error::{Error, Result};
use crate::input::read_json;

#[handler]
pub(super) async fn show_settings(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(noticed): Query<Noticed>,
) -> poem::Result<Response> {
    let scene = Scene::load(app, &viewer.caller, Action::View, JobId(id)).await?;
    let own = own_text(&scene.job);
    let page = page(&scene, &viewer, &own, &Problems::default());
    let body = html! { (noticed.show()) (page.body) };
    Ok(reply::page(app, &viewer, &Page { body, ..page }))
}

#[handler]
pub(super) async fn save_settings(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    form: Form,
) -> poem::Result<Response> {
    let scene = Scene::load(app, &viewer.caller, Action::Manage, JobId(id)).await?;
    match save(app, &viewer, &scene, form.text("settings")).await {
        Ok(()) => Ok(notice::lead(&format!("{}/settings", paths::job(scene.job.id)), "settings-saved")),
        Err(error) => {
            let page = page(&scene, &viewer, form.text("settings"), &Problems::of(error)?);
            Ok(reply::refused(app, &viewer, &page))
        }
    }
}

async fn save(app: &App, viewer: &Viewer, scene: &Scene, text: &str) -> Result<()> {
    const SHAPE: &str = "must be a JSON object with the names of settings and their values";
    let text = if text.trim().is_empty() { "{}" } else { text };
    let parsed = read_json::parse(text.as_bytes());
    let parsed = parsed.map_err(|refused| Error::invalid("settings", format!("{SHAPE}: {}", refused.message)))?;
    let Value::Object(given) = parsed else { return Err(Error::invalid("settings", SHAPE)) };
    let unknown = unknown_settings(&given);
    if !unknown.is_empty() {
        return Err(Error::all(unknown));
    }
    let settings = reduce(&given).map_err(|refused| Error::invalid(refused.key, refused.reason))?;
    store_settings(app, &viewer.requester(), &scene.job, settings).await.map(drop)
}

/// The settings that differ from their defaults.
fn own_text(job: &job::Model) -> String {
    let own: Map<String, Value> = job.spec.settings.clone().into_iter().collect();
    serde_json::to_string_pretty(&own).unwrap_or_default()
}

fn page(scene: &Scene, viewer: &Viewer, own: &str, problems: &Problems) -> Page {
    let all = complete(&scene.job.spec.settings);
    let value = |key: &str| all.get(key).map(Value::to_string).unwrap_or_default();
    let content = html! {
        @if scene.may(&viewer.caller, Action::Manage) {
            form.card method="post" action={ (paths::job(scene.job.id)) "/settings" } {
                (token(viewer))
                (problems.others(&["settings"]))
                (Field::text("settings", "Settings that differ from their defaults, as JSON", own)
                    .hint("A setting that is left out has its default.").area(problems))
                p { button type="submit" { "Save" } }
            }
        }
        div.scroll {
            table.stacked {
                caption { "Advanced settings" }
                thead { tr { th scope="col" { "Setting" } th scope="col" { "Value" } th scope="col" { "Default" } th scope="col" { "What it does" } } }
                tbody {
                    @for setting in SETTINGS {
                        @let (value, default) = (value(setting.key), advanced_settings::Setting::default(setting).to_string());
                        tr {
                            th scope="row" { code { (setting.key) } }
                            td data-label="Value" { @if value == default { code { (value) } } @else { strong { code.added { (value) } } } }
                            td data-label="Default" { code { (default) } }
                            td data-label="What it does" { (meaning(setting.key)) }
                        }
                    }
                }
            }
        }
    };
    frame(scene, &viewer.caller, JobTab::Settings, "Settings", "/advancedSettings", content)
}
