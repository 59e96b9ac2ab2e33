//! Lists silences of alerts, and creates, changes and ends them.

use chrono::{DateTime, TimeDelta, Utc};
use entity::alert_rule::Model as Rule;
use entity::alert_silence::{Model, SilenceTarget};
use entity::id::{AlertSilenceId, JobId};
use maud::{Markup, html};
use uuid::Uuid;

use super::alert_words::{Names, options};
use super::setting_form::{Desk, SettingForm, changes};
use super::tabs::{Tab, settings};
use crate::access::{self, Action};
use crate::alert::{WantedSilence, WantedSilenced, create_silence, delete_silence, edit_silence, recorded_silence};
use crate::console::form::Form;
use crate::console::local_time;
use crate::console::problems::Problems;
use crate::console::when::distance;
use crate::console::widgets::{Field, choice, state};
use crate::error::{Error, Result};
use crate::store as rows;

changes!("alerts");

/// By the names of the API.
const FIELDS: &[&str] = &["target.id", "target.label_key", "target.label_value", "begins_at", "ends_at", "comment"];
/// How long a new silence lasts, unless somebody says otherwise.
const USUAL: TimeDelta = TimeDelta::hours(4);

/// What is typed into the form.
struct Typed {
    target: String,
    label_key: String,
    label_value: String,
    begins_at: String,
    ends_at: String,
    comment: String,
}

impl Typed {
    fn of_form(sent: &Form) -> Self {
        let text = |name: &str| sent.text(name).trim().to_owned();
        Self {
            target: text("target.id"),
            label_key: text("target.label_key"),
            label_value: text("target.label_value"),
            begins_at: text("begins_at"),
            ends_at: text("ends_at"),
            comment: text("comment"),
        }
    }

    fn of_row(row: &Model) -> Self {
        Self {
            target: target_text(row),
            label_key: row.label_key.clone().unwrap_or_default(),
            label_value: row.label_value.clone().unwrap_or_default(),
            begins_at: local_time::local(row.begins_at, None),
            ends_at: local_time::local(row.ends_at, None),
            comment: row.comment.clone(),
        }
    }

    fn new(desk: &Desk<'_>) -> Self {
        Self {
            target: desk.asks("target").unwrap_or_else(|| "organization".into()),
            label_key: String::new(),
            label_value: String::new(),
            begins_at: String::new(),
            ends_at: local_time::local(desk.app.clock.now() + USUAL, None),
            comment: String::new(),
        }
    }

    fn wanted(self) -> Result<WantedSilence> {
        let time = |field, text: &str| local_time::parse(field, text, None);
        let begins_at =
            Some(self.begins_at.as_str()).filter(|text| !text.is_empty()).map(|text| time("begins_at", text));
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        let (kind, id) = target_of(&self.target)?;
        // The fields of a label are there for every kind, and mean nothing for the others.
        let is_label = kind == SilenceTarget::Label;
        let label = |text: String| if is_label { some(text) } else { None };
        Ok(WantedSilence {
            begins_at: begins_at.transpose()?,
            ends_at: time("ends_at", &self.ends_at)?,
            comment: self.comment,
            target: WantedSilenced { kind, id, label_key: label(self.label_key), label_value: label(self.label_value) },
        })
    }
}

/// The value of a choice of a target: a word, or a word and an id.
fn target_text(row: &Model) -> String {
    let of = |kind: &str, id: Option<Uuid>| format!("{kind}:{}", id.unwrap_or_default());
    match row.target {
        SilenceTarget::Organization => "organization".into(),
        SilenceTarget::Label => "label".into(),
        SilenceTarget::Project => of("project", row.project_id.map(|id| id.0)),
        SilenceTarget::Environment => of("environment", row.environment_id.map(|id| id.0)),
        SilenceTarget::Job => of("job", row.job_id.map(|id| id.0)),
        SilenceTarget::Rule => of("rule", row.rule_id.map(|id| id.0)),
    }
}

fn target_of(text: &str) -> Result<(SilenceTarget, Option<Uuid>)> {
    let refused = || Error::invalid("target.id", "must be one of the list");
    let (kind, id) = match text.split_once(':') {
        Some((kind, id)) => (kind, Some(Uuid::parse_str(id).map_err(|_| refused())?)),
        None => (text, None),
    };
    let kind = match (kind, id) {
        ("organization", None) => SilenceTarget::Organization,
        ("label", None) => SilenceTarget::Label,
        ("project", Some(_)) => SilenceTarget::Project,
        ("environment", Some(_)) => SilenceTarget::Environment,
        ("job", Some(_)) => SilenceTarget::Job,
        ("rule", Some(_)) => SilenceTarget::Rule,
        _ => return Err(refused()),
    };
    Ok((kind, id))
}

/// The targets to choose from. A job is among them if the page was opened for it.
fn targets(names: &Names, rules: &[Rule]) -> Vec<(String, String)> {
    let mut all = vec![
        ("organization".to_owned(), "All alerts".to_owned()),
        ("label".to_owned(), "Jobs with the label below".to_owned()),
    ];
    all.extend(options("job", names.jobs.iter().map(|(id, name)| (id.to_string(), name))));
    all.extend(options("rule", rules.iter().map(|rule| (rule.id.to_string(), &rule.name))));
    all.extend(options("project", names.projects.iter().map(|(id, name)| (id.to_string(), name))));
    all.extend(options("environment", names.environments.iter().map(|(id, name)| (id.to_string(), name))));
    all
}

async fn form(desk: &Desk<'_>, row: Option<&Model>, sent: Option<&Form>, problems: &Problems) -> Result<SettingForm> {
    let (id, db) = (desk.id, &desk.app.db);
    let typed = match (sent, row) {
        (Some(sent), _) => Typed::of_form(sent),
        (None, Some(row)) => Typed::of_row(row),
        (None, None) => Typed::new(desk),
    };
    let asked = match target_of(&typed.target) {
        Ok((SilenceTarget::Job, Some(job))) => rows::job::by_id(db, JobId(job)).await?,
        _ => None,
    };
    let jobs = asked.filter(|found| found.organization_id == id).map(|found| found.id).into_iter().collect();
    let names = Names::load(db, id, jobs).await?;
    let targets = targets(&names, &rows::alert::list_rules(db, id).await?);
    let time = |name, label, value| Field { kind: "datetime-local", ..Field::text(name, label, value) };
    let fields = html! {
        p { "What begins in a silence is told when the silence ends, if it still holds then." }
        (choice("target.id", "About", targets.iter().map(|(value, words)| (value.clone(), words.as_str())), &typed.target, problems))
        (Field::text("target.label_key", "Key of the label", &typed.label_key).show(problems))
        (Field::text("target.label_value", "Value of the label", &typed.label_value).show(problems))
        (time("begins_at", "From", &typed.begins_at).hint("In UTC; empty for now").show(problems))
        (time("ends_at", "Until", &typed.ends_at).required().hint("In UTC").show(problems))
        (Field::text("comment", "Comment", &typed.comment).hint("Why, for everybody who wonders").show(problems))
    };
    Ok(SettingForm {
        tab: Tab::Alerts,
        title: if row.is_some() { "Change the silence".into() } else { "New silence".into() },
        api: row
            .map_or_else(|| format!("/organization/{id}/alert-silence"), |row| format!("/alert-silence/{}", row.id)),
        fields,
        names: FIELDS,
        delete: row
            .map(|row| (format!("{}/alert-silence/{}/delete", settings(id), row.id), "End this silence?".to_owned())),
        below: html! {},
    })
}

async fn may(desk: &Desk<'_>) -> Result<()> {
    desk.require(Action::ManageSettings).await
}

async fn load(desk: &Desk<'_>, row: Uuid) -> Result<Model> {
    let id = AlertSilenceId(row);
    let row = access::alert_silence(&desk.app.db, &desk.viewer.caller, Action::ManageSettings, id).await?;
    if row.organization_id == desk.id { Ok(row) } else { Err(Error::NotFound("alert silence")) }
}

async fn store(desk: &Desk<'_>, row: Option<Model>, sent: &Form) -> Result<()> {
    let wanted = Typed::of_form(sent).wanted()?;
    let (app, by) = (desk.app, desk.viewer.requester());
    match row {
        Some(row) => edit_silence(app, &by, row, wanted, recorded_silence).await.map(drop),
        None => create_silence(app, &by, desk.id, wanted, recorded_silence).await.map(drop),
    }
}

async fn remove(desk: &Desk<'_>, row: Model) -> Result<()> {
    delete_silence(desk.app, &desk.viewer.requester(), row, recorded_silence).await
}

/// What a silence is about, as far as its name is known.
fn about(row: &Model, names: &Names, rules: &[Rule]) -> String {
    let named = |kind: &str, name: Option<&String>| match name {
        Some(name) => format!("{kind} {name}"),
        None => format!("a {kind}"),
    };
    match row.target {
        SilenceTarget::Organization => "all alerts".into(),
        SilenceTarget::Project => named("project", row.project_id.and_then(|id| names.projects.get(&id))),
        SilenceTarget::Environment => {
            let name = row.environment_id.and_then(|id| names.environments.get(&id));
            if name.is_none() { "an environment".into() } else { named("environment", name) }
        }
        SilenceTarget::Job => named("job", row.job_id.and_then(|id| names.jobs.get(&id))),
        SilenceTarget::Rule => {
            named("rule", rules.iter().find(|rule| Some(rule.id) == row.rule_id).map(|rule| &rule.name))
        }
        SilenceTarget::Label => {
            let part = |part: &Option<String>| part.clone().unwrap_or_default();
            format!("jobs with the label {}={}", part(&row.label_key), part(&row.label_value))
        }
    }
}

/// The silences that have not ended. `to` is the page of the settings, if the viewer may change them.
pub(super) fn silences(
    all: &[Model],
    (names, rules): (&Names, &[Rule]),
    to: Option<&str>,
    now: DateTime<Utc>,
) -> Markup {
    let open: Vec<&Model> = all.iter().filter(|row| now < row.ends_at).collect();
    html! {
        h2 { "Silences" }
        @if open.is_empty() {
            p.card { "Nothing is silenced." }
        } @else {
            div.scroll { table.stacked {
                caption.hidden { "Silences" }
                thead { tr {
                    th scope="col" { "About" } th scope="col" { "State" } th scope="col" { "Begins" } th scope="col" { "Ends" }
                    th scope="col" { "By" } th scope="col" { "Comment" }
                } }
                tbody { @for row in open { @let what = about(row, names, rules); tr {
                    td data-label="About" {
                        @if let Some(to) = to { a href={ (to) "/alert-silence/" (row.id) "/edit" } { (what) } } @else { (what) }
                    }
                    td data-label="State" {
                        (state(if row.begins_at <= now { ("cancelled", "silent") } else { ("queued", "planned") }))
                    }
                    td data-label="Begins" { (distance(row.begins_at, now)) }
                    td data-label="Ends" { (distance(row.ends_at, now)) }
                    td data-label="By" { (row.author) }
                    td data-label="Comment" { (row.comment) }
                } } }
            } }
        }
    }
}
