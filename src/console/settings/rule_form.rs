//! Creates, changes and deletes rules of alerts.

use entity::alert_rule::{Condition, Model, Severity};
use entity::id::{AlertReceiverId, AlertRuleId, ClusterId, EnvironmentId, JobId, OrganizationId, ProjectId};
use maud::{Markup, html};
use sea_orm::{ActiveEnum as _, Iterable as _};
use uuid::Uuid;

use super::alert_words::{Names, condition_words, options, severity_words};
use super::setting_form::{Desk, SettingForm, boxes, changes, chosen};
use super::tabs::{Tab, settings};
use crate::access::{self, Action};
use crate::alert::{WantedRule, WantedTarget, create_rule, delete_rule, edit_rule, recorded_rule};
use crate::console::form::Form;
use crate::console::problems::Problems;
use crate::console::widgets::{Field, check, choice};
use crate::engine::alert::name;
use crate::error::{Error, Result};
use crate::store as rows;

changes!("alerts");

/// By the names of the API.
const FIELDS: &[&str] = &[
    "name",
    "description",
    "target",
    "target.label_key",
    "target.label_value",
    "condition.promql",
    "condition.threshold",
    "for_duration",
    "severity",
    "alert_receiver_ids",
    "presentation.summary",
    "presentation.runbook_url",
];

/// What is typed into the form.
struct Typed {
    name: String,
    description: String,
    target: String,
    label_key: String,
    label_value: String,
    condition: String,
    threshold: String,
    for_seconds: String,
    severity: String,
    enabled: bool,
    receivers: Vec<String>,
    summary: String,
    runbook_url: String,
}

impl Typed {
    fn of_form(sent: &Form) -> Self {
        let text = |name: &str| sent.text(name).trim().to_owned();
        Self {
            name: text("name"),
            description: text("description"),
            target: text("target"),
            label_key: text("target.label_key"),
            label_value: text("target.label_value"),
            condition: text("condition.promql"),
            threshold: text("condition.threshold"),
            for_seconds: text("for_duration"),
            severity: text("severity"),
            enabled: sent.has("enabled"),
            receivers: sent.all("alert_receiver_ids").to_vec(),
            summary: text("presentation.summary"),
            runbook_url: text("presentation.runbook_url"),
        }
    }

    fn of_row(row: &Model) -> Self {
        Self {
            name: row.name.clone(),
            description: row.description.clone(),
            // The target of a rule does not change.
            target: String::new(),
            label_key: String::new(),
            label_value: String::new(),
            condition: name(row.condition),
            threshold: row.threshold.map(|number| number.to_string()).unwrap_or_default(),
            for_seconds: row.for_seconds.to_string(),
            severity: row.severity.to_value(),
            enabled: row.enabled,
            receivers: row.receivers.0.iter().map(ToString::to_string).collect(),
            summary: row.summary.clone().unwrap_or_default(),
            runbook_url: row.runbook_url.clone().unwrap_or_default(),
        }
    }

    /// A new rule, which tells everybody.
    fn new(desk: &Desk<'_>, receivers: &[(String, String)]) -> Self {
        Self {
            name: String::new(),
            description: String::new(),
            target: desk.asks("target").unwrap_or_else(|| "organization".into()),
            label_key: String::new(),
            label_value: String::new(),
            condition: name(Condition::RunFailed),
            threshold: String::new(),
            for_seconds: "0".into(),
            severity: Severity::Medium.to_value(),
            enabled: true,
            receivers: receivers.iter().map(|(id, _)| id.clone()).collect(),
            summary: String::new(),
            runbook_url: String::new(),
        }
    }

    /// What the form does not have stays as it is in the row.
    fn wanted(self, row: Option<&Model>) -> Result<WantedRule> {
        let threshold =
            Some(self.threshold.as_str()).filter(|text| !text.is_empty()).map(str::parse::<f64>).transpose();
        let ids =
            self.receivers.iter().map(|id| Uuid::parse_str(id).map(AlertReceiverId)).collect::<Result<Vec<_>, _>>();
        let seconds = if self.for_seconds.is_empty() { "0" } else { self.for_seconds.as_str() };
        let condition = chosen("condition.promql", &self.condition);
        let same = row.filter(|row| condition.as_ref().is_ok_and(|wanted| *wanted == row.condition));
        Ok(WantedRule {
            reasons: same.and_then(|row| row.reasons.clone()).map(|reasons| reasons.0),
            times_p95: same.and_then(|row| row.times_p95),
            tag: row.map_or_else(|| self.condition.clone(), |row| row.tag.clone()),
            condition,
            threshold: threshold.map_err(|_| Error::invalid("condition.threshold", "must be a whole number"))?,
            operator: row.and_then(|row| row.operator.clone()),
            function: row.and_then(|row| row.function.clone()),
            for_duration: format!("PT{seconds}S"),
            severity: chosen("severity", &self.severity)?,
            enabled: self.enabled,
            receivers: ids.map_err(|_| Error::invalid("alert_receiver_ids", "must be of the list"))?,
            summary: Some(self.summary).filter(|text| !text.is_empty()),
            runbook_url: Some(self.runbook_url),
            name: self.name,
            description: self.description,
        })
    }
}

/// What a choice of a target stands for: a word, or a word and an id. A label is in fields of its own.
fn target_of(Typed { target: text, label_key, label_value, .. }: &Typed) -> Result<WantedTarget> {
    const FIELD: &str = "target";
    let refused = || Error::invalid(FIELD, "must be one of the list");
    if text == "organization" {
        return Ok(WantedTarget::Organization);
    }
    if text == "label" {
        let part = |part: &String| Some(part.clone()).filter(|part| !part.is_empty());
        return Ok(WantedTarget::Label(part(label_key), part(label_value)));
    }
    let (kind, id) = text.split_once(':').ok_or_else(refused)?;
    let id = Uuid::parse_str(id).map_err(|_| refused())?;
    match kind {
        "project" => Ok(WantedTarget::Project(ProjectId(id), FIELD)),
        "cluster" => Ok(WantedTarget::Cluster(ClusterId(id), FIELD)),
        "environment" => Ok(WantedTarget::Environment(EnvironmentId(id), FIELD)),
        "job" => Ok(WantedTarget::Job(JobId(id), FIELD)),
        _ => Err(refused()),
    }
}

/// The targets to choose from, by name. A job is among them if the page was opened for it.
fn targets(names: &Names) -> Vec<(String, String)> {
    let mut all = vec![
        ("organization".to_owned(), "All jobs".to_owned()),
        ("label".to_owned(), "Jobs with the label below".to_owned()),
    ];
    all.extend(options("job", names.jobs.iter().map(|(id, name)| (id.to_string(), name))));
    all.extend(options("project", names.projects.iter().map(|(id, name)| (id.to_string(), name))));
    all.extend(options("environment", names.environments.iter().map(|(id, name)| (id.to_string(), name))));
    all.extend(options("cluster", names.clusters.iter().map(|(id, name)| (id.to_string(), name))));
    all
}

async fn form(desk: &Desk<'_>, row: Option<&Model>, sent: Option<&Form>, problems: &Problems) -> Result<SettingForm> {
    let (id, db) = (desk.id, &desk.app.db);
    let receivers = rows::alert::list_receivers(db, id).await?;
    let receivers: Vec<_> = receivers.into_iter().map(|row| (row.id.to_string(), row.name)).collect();
    let typed = match (sent, row) {
        (Some(sent), _) => Typed::of_form(sent),
        (None, Some(row)) => Typed::of_row(row),
        (None, None) => Typed::new(desk, &receivers),
    };
    let asked = match target_of(&typed) {
        Ok(WantedTarget::Job(job, _)) => {
            let found = rows::job::by_id(db, job).await?.filter(|found| found.organization_id == id);
            found.map(|found| found.id)
        }
        _ => None,
    };
    let jobs = row.and_then(|row| row.job_id).or(asked).into_iter().collect();
    let names = Names::load(db, id, jobs).await?;
    Ok(SettingForm {
        tab: Tab::Alerts,
        title: row.map_or_else(|| "New rule".into(), |row| format!("Change {}", row.name)),
        api: row.map_or_else(|| format!("/organization/{id}/alert-rules"), |row| format!("/alert-rules/{}", row.id)),
        fields: fields(row, &typed, (&names, &receivers), problems),
        names: FIELDS,
        delete: row
            .map(|row| (format!("{}/alert-rule/{}/delete", settings(id), row.id), format!("Delete {}?", row.name))),
        below: html! {},
    })
}

fn fields(
    row: Option<&Model>,
    typed: &Typed,
    (names, receivers): (&Names, &[(String, String)]),
    problems: &Problems,
) -> Markup {
    let conditions = Condition::iter().map(|condition| (name(condition), condition_words(condition)));
    let severities = Severity::iter().map(|severity| (severity.to_value(), severity_words(severity)));
    let targets = targets(names);
    html! {
        (Field::text("name", "Name", &typed.name).required().show(problems))
        @match row {
            Some(row) => p { "It is about " (names.target(row)) "." },
            None => {
                (choice("target", "About", targets.iter().map(|(value, words)| (value.clone(), words.as_str())), &typed.target, problems))
                (Field::text("target.label_key", "Key of the label", &typed.label_key).show(problems))
                (Field::text("target.label_value", "Value of the label", &typed.label_value).show(problems))
            },
        }
        (choice("condition.promql", "When", conditions, &typed.condition, problems))
        (Field { kind: "number", ..Field::text("condition.threshold", "How many, or how long", &typed.threshold) }.hint("Failures in a row, or seconds; empty for the usual number").show(problems))
        (Field { kind: "number", ..Field::text("for_duration", "For at least (seconds)", &typed.for_seconds) }
            .hint("What ends sooner is not told").show(problems))
        (choice("severity", "Severity", severities, &typed.severity, problems))
        @if receivers.is_empty() {
            p.hint { "There are no receivers yet: the rule only shows a state until it has one." }
            @if let Some(problem) = problems.at("alert_receiver_ids") { span.problem { "Tells " (problem) ". " } }
        } @else {
            (boxes("alert_receiver_ids", "Tells", receivers.iter().map(|(id, name)| {
                let is_checked = typed.receivers.contains(id);
                (id.clone(), name.as_str(), is_checked)
            }), problems))
        }
        (Field::text("presentation.summary", "Summary", &typed.summary).hint("Part of each message: what to do").show(problems))
        (Field::text("presentation.runbook_url", "Runbook", &typed.runbook_url).hint("An address").show(problems))
        (Field::text("description", "Description", &typed.description).show(problems))
        p { (check("enabled", "Enabled", typed.enabled)) }
    }
}

async fn may(desk: &Desk<'_>) -> Result<()> {
    desk.require(Action::ManageSettings).await
}

async fn load(desk: &Desk<'_>, row: Uuid) -> Result<Model> {
    let row = access::alert_rule(&desk.app.db, &desk.viewer.caller, Action::ManageSettings, AlertRuleId(row)).await?;
    if row.organization_id == desk.id { Ok(row) } else { Err(Error::NotFound("alert rule")) }
}

/// The cluster that a new rule belongs to, which official clients need: that of its target, or the first one.
async fn cluster(desk: &Desk<'_>, id: OrganizationId) -> Result<ClusterId> {
    let clusters = rows::cluster::list_by_organization(&desk.app.db, id).await?;
    let first = clusters.iter().find(|row| row.is_default).or(clusters.first()).map(|row| row.id);
    first.ok_or_else(|| Error::Conflict("the organization has no cluster yet: register one first".into()))
}

async fn store(desk: &Desk<'_>, row: Option<Model>, sent: &Form) -> Result<()> {
    let (app, by) = (desk.app, desk.viewer.requester());
    match row {
        Some(row) => {
            let wanted = |stored: &Model| Typed::of_form(sent).wanted(Some(stored));
            edit_rule(app, &by, row, wanted, recorded_rule).await.map(drop)
        }
        None => {
            let typed = Typed::of_form(sent);
            let target = target_of(&typed)?;
            let of = (desk.id, cluster(desk, desk.id).await?);
            create_rule(app, &by, of, (typed.wanted(None)?, target), recorded_rule).await.map(drop)
        }
    }
}

async fn remove(desk: &Desk<'_>, row: Model) -> Result<()> {
    delete_rule(desk.app, &desk.viewer.requester(), row, recorded_rule).await
}
