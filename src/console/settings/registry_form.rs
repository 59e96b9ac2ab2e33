//! Creates, changes, tests and deletes container registries. Secrets are written, and never shown.

use std::collections::BTreeMap;

use entity::id::RegistryId;
use entity::registry::{Model, RegistryConfig, RegistryKind};
use maud::{Markup, html};
use sea_orm::ActiveEnum as _;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::setting_form::{Desk, SettingForm, changes, chosen};
use super::tabs::{Tab, settings};
use crate::access::{self, Action};
use crate::app::App;
use crate::console::form::Form;
use crate::console::problems::Problems;
use crate::console::widgets::{Field, choice};
use crate::engine::settings::registry_address::KINDS;
use crate::engine::settings::registry_settings::{self, WantedRegistry};
use crate::engine::settings::registry_tags::tags;
use crate::error::{Error, Result};
use crate::secret::Secret;

changes!("logins");

const FIELDS: &[&str] = &[
    "name",
    "kind",
    "url",
    "description",
    "config.username",
    "config.password",
    "config.region",
    "config.access_key_id",
    "config.secret_access_key",
    "config.scaleway_access_key",
    "config.scaleway_secret_key",
    "config.scaleway_project_id",
    "config.project_id",
    "config.json_credentials",
    "config.azure_tenant_id",
    "config.azure_subscription_id",
];

/// The values that are not secret, with their words. The key of each begins behind `config.`.
const PLAIN: [(&str, &str); 8] = [
    ("config.username", "User name"),
    ("config.region", "Region (Amazon, Scaleway, Google)"),
    ("config.access_key_id", "Access key (Amazon)"),
    ("config.scaleway_access_key", "Access key (Scaleway)"),
    ("config.scaleway_project_id", "Project (Scaleway)"),
    ("config.project_id", "Project (Google)"),
    ("config.azure_tenant_id", "Tenant (Azure)"),
    ("config.azure_subscription_id", "Subscription (Azure)"),
];

const SECRETS: [(&str, &str); 4] = [
    ("config.password", "Password or token"),
    ("config.secret_access_key", "Secret access key (Amazon)"),
    ("config.scaleway_secret_key", "Secret key (Scaleway)"),
    ("config.json_credentials", "JSON credentials (Google)"),
];

/// The names of the kinds.
fn words(kind: RegistryKind) -> &'static str {
    match kind {
        RegistryKind::Ecr => "Amazon ECR",
        RegistryKind::PublicEcr => "Amazon ECR Public",
        RegistryKind::ScalewayCr => "Scaleway",
        RegistryKind::DockerHub => "Docker Hub",
        RegistryKind::GithubCr => "GitHub",
        RegistryKind::GithubEnterpriseCr => "GitHub Enterprise",
        RegistryKind::GitlabCr => "GitLab",
        RegistryKind::Docr => "DigitalOcean",
        RegistryKind::GenericCr => "Any other registry",
        RegistryKind::GcpArtifactRegistry => "Google Artifact Registry",
        RegistryKind::AzureCr => "Azure",
    }
}

fn key(field: &'static str) -> &'static str {
    field.strip_prefix("config.").unwrap_or(field)
}

/// What is typed into the form, without the secrets.
struct Typed {
    name: String,
    kind: String,
    url: String,
    description: String,
    config: Map<String, Value>,
}

impl Typed {
    /// What the form does not have stays as it is in the row.
    fn of_form(form: &Form, row: Option<&Model>) -> Self {
        let text = |name: &str| form.text(name).trim().to_owned();
        let mut config = Self::of_row(row).config;
        for (field, _) in PLAIN {
            config.insert(key(field).to_owned(), form.given(field).map_or(Value::Null, Value::from));
        }
        Self { name: text("name"), kind: text("kind"), url: text("url"), description: text("description"), config }
    }

    fn of_row(row: Option<&Model>) -> Self {
        let config = row.and_then(|row| serde_json::to_value(&row.config).ok());
        Self {
            name: row.map(|row| row.name.clone()).unwrap_or_default(),
            kind: row.map_or(RegistryKind::GenericCr, |row| row.kind).to_value(),
            url: row.map(|row| row.url.clone()).unwrap_or_default(),
            description: row.and_then(|row| row.description.clone()).unwrap_or_default(),
            config: config.as_ref().and_then(Value::as_object).cloned().unwrap_or_default(),
        }
    }

    fn wanted(&self, form: &Form) -> Result<WantedRegistry> {
        let config: RegistryConfig =
            serde_json::from_value(Value::Object(self.config.clone())).map_err(Error::internal)?;
        let given = |field: &'static str| {
            let text = form.text(field).trim();
            (!text.is_empty()).then(|| (key(field), Secret::new(text.to_owned())))
        };
        Ok(WantedRegistry {
            name: self.name.clone(),
            kind: chosen("kind", &self.kind)?,
            description: Some(self.description.clone()),
            url: Some(self.url.clone()),
            config,
            secrets: SECRETS.iter().filter_map(|(field, _)| given(field)).collect::<BTreeMap<_, _>>(),
        })
    }

    fn config(&self, field: &'static str) -> &str {
        self.config.get(key(field)).and_then(Value::as_str).unwrap_or_default()
    }
}

async fn form(desk: &Desk<'_>, row: Option<&Model>, sent: Option<&Form>, problems: &Problems) -> Result<SettingForm> {
    let (id, typed) = (desk.id, sent.map_or_else(|| Typed::of_row(row), |sent| Typed::of_form(sent, row)));
    let below = match row.filter(|_| sent.is_none()) {
        Some(row) => test(desk.app, row, desk.asks("image").as_deref()).await?,
        None => html! {},
    };
    let kinds = KINDS.iter().map(|(kind, _)| (kind.to_value(), words(*kind)));
    let fields = html! {
        (Field::text("name", "Name", &typed.name).required().show(problems))
        (choice("kind", "Kind", kinds, &typed.kind, problems))
        (Field::text("url", "URL", &typed.url).hint("Empty for Docker Hub, GitHub and GitLab").show(problems))
        (Field::text("description", "Description", &typed.description).show(problems))
        @if row.is_some() { p.hint { "Secrets that are left empty stay as they are." } }
        @for (field, label) in PLAIN.iter().take(1) { (Field::text(field, label, typed.config(field)).show(problems)) }
        @for (field, label) in SECRETS.iter().take(1) { (secret(field, label, problems)) }
        details open[is_other(&typed.kind)] {
            summary { "Logins of clouds" }
            @for (field, label) in PLAIN.iter().skip(1) { (Field::text(field, label, typed.config(field)).show(problems)) }
            @for (field, label) in SECRETS.iter().skip(1) { (secret(field, label, problems)) }
        }
    };
    let own = row.map(|row| row.id);
    let all = format!("/organization/{id}/containerRegistry");
    Ok(SettingForm {
        tab: Tab::Logins,
        title: row.map_or_else(|| "New registry".into(), |row| format!("Change {}", row.name)),
        api: own.map_or_else(|| all.clone(), |own| format!("{all}/{own}")),
        fields,
        names: FIELDS,
        delete: row
            .map(|row| (format!("{}/registry/{}/delete", settings(id), row.id), format!("Delete {}?", row.name))),
        below,
    })
}

/// Whether a kind needs more than a user name and a password.
fn is_other(kind: &str) -> bool {
    KINDS.iter().any(|(one, keys)| one.to_value() == kind && !keys.is_empty() && !keys.contains(&"username"))
}

fn secret(field: &'static str, label: &'static str, problems: &Problems) -> Markup {
    Field { kind: "password", ..Field::text(field, label, "") }.show(problems)
}

/// Looks up the tags of an image, to test the login.
async fn test(app: &App, row: &Model, image: Option<&str>) -> Result<Markup> {
    let found = match image {
        None => None,
        Some(image) => Some(match tags(app, row, image).await {
            Ok((_, tags)) => Ok(tags),
            Err(error) => Err(Problems::of(error)?),
        }),
    };
    Ok(html! {
        section.card aria-labelledby="test" {
            h2 #test { "Test the login" }
            form.row method="get" {
                label for="image" { "Image" }
                input #image type="text" name="image" value=(image.unwrap_or_default()) required autocomplete="off";
                button.quiet type="submit" { "List its tags" }
            }
            @match found {
                None => {},
                Some(Ok(tags)) if tags.is_empty() => p role="status" { "The registry answers. The image has no tags." },
                Some(Ok(tags)) => {
                    p role="status" { "The registry answers, with " (tags.len()) " tags: " }
                    p { @for tag in tags.iter().take(50) { code { (tag) } " " } @if tags.len() > 50 { "…" } }
                }
                Some(Err(problems)) => (problems.others(&[])),
            }
        }
    })
}

async fn may(desk: &Desk<'_>) -> Result<()> {
    desk.require(Action::ManageSettings).await
}

async fn load(desk: &Desk<'_>, row: Uuid) -> Result<Model> {
    access::registry(&desk.app.db, &desk.viewer.caller, Action::ManageSettings, desk.id, RegistryId(row)).await
}

async fn store(desk: &Desk<'_>, row: Option<Model>, sent: &Form) -> Result<()> {
    let wanted = |row: Option<&Model>| Typed::of_form(sent, row).wanted(sent);
    let by = desk.viewer.requester();
    match row {
        Some(row) => registry_settings::edit(desk.app, &by, row, |stored| wanted(Some(stored))).await.map(drop),
        None => registry_settings::create(desk.app, &by, desk.id, wanted(None)?).await.map(drop),
    }
}

async fn remove(desk: &Desk<'_>, row: Model) -> Result<()> {
    registry_settings::delete(desk.app, &desk.viewer.requester(), row).await
}
