//! Stores calendars, receivers and rules: each is created or changed by itself if it differs.

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::change::Change;
use super::outcome::{Outcome, Told};
use super::settings::{Kind, Setting, differences};

use crate::api::shown;
use crate::failure::{Failure, Result};
use crate::names::Place;
use crate::rows::{List, Reference};

/// Whether anything is stored.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Preview,
    Store,
}

/// What is stored of one kind.
async fn stored(place: &Place, kind: Kind) -> Result<Vec<Value>> {
    let name = match kind {
        Kind::Calendar => "calendar",
        Kind::Receiver => "alert-receivers",
        Kind::Rule => "alert-rules",
    };
    let all: List<Value> = shown(&place.api.get(&format!("/organization/{}/{name}", place.organization), &[]).await?)?;
    Ok(all.results)
}

fn named<'a>(rows: &'a [Value], name: &str) -> Option<&'a Value> {
    rows.iter().find(|row| row.get("name").and_then(Value::as_str) == Some(name))
}

fn id(row: &Value) -> Result<Uuid> {
    Ok(shown::<Reference>(row)?.id)
}

/// Compares the settings of one kind, and stores those that differ. Nothing if there are none.
pub(super) async fn settle(place: &Place, kind: Kind, all: &[&Setting], mode: Mode) -> Result<Option<Told>> {
    if all.is_empty() {
        return Ok(None);
    }
    let rows = stored(place, kind).await?;
    let receivers = if kind == Kind::Rule { stored(place, Kind::Receiver).await? } else { Vec::new() };
    let mut changes = Vec::new();
    for setting in all {
        let at = |failure: Failure| failure.about(&format!("{}.{}", kind.section(), setting.name));
        let old = named(&rows, &setting.name);
        let known = old.map(|row| with_names(row, &receivers));
        let fields = differences(setting, known.as_ref());
        if let (Kind::Rule, Some(old)) = (kind, old) {
            same_target(place, setting, old).await.map_err(at)?;
        }
        if old.is_some() && fields.is_empty() {
            continue;
        }
        if mode == Mode::Store {
            store(place, setting, old, &receivers).await.map_err(at)?;
        }
        let action = if old.is_some() { "UPDATE" } else { "CREATE" };
        let kind = match kind {
            Kind::Calendar => "CALENDAR",
            Kind::Receiver => "RECEIVER",
            Kind::Rule => "RULE",
        };
        let (job, job_id) = (None, None);
        changes.push(Change {
            kind: kind.into(),
            action: action.into(),
            name: setting.name.clone(),
            job,
            job_id,
            fields,
        });
    }
    let answer =
        changes.iter().map(|change| json!({"kind": change.kind, "action": change.action, "name": change.name}));
    let answer = json!({"applied": mode == Mode::Store, "changes": answer.collect::<Vec<_>>()});
    Ok(Some(Told { name: kind.section().into(), answer, outcome: Outcome { environment_id: None, changes } }))
}

/// A stored row with the names of its receivers.
fn with_names(row: &Value, receivers: &[Value]) -> Value {
    let mut row = row.clone();
    let ids = row.get("alert_receiver_ids").and_then(Value::as_array).cloned().unwrap_or_default();
    let name = |id: &Value| receivers.iter().find(|row| row.get("id") == Some(id))?.get("name").cloned();
    let mut names: Vec<Value> = ids.iter().filter_map(name).collect();
    names.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
    if let Some(fields) = row.as_object_mut() {
        fields.insert("receivers".into(), names.into());
    }
    row
}

async fn store(place: &Place, setting: &Setting, old: Option<&Value>, receivers: &[Value]) -> Result<()> {
    let mut body = setting.fields.clone();
    body.insert("name".into(), setting.name.as_str().into());
    let organization = place.organization;
    let (collection, needs_organization) = match setting.kind {
        Kind::Calendar => (format!("/organization/{organization}/calendar"), false),
        Kind::Receiver => ("/alert-receivers".to_owned(), true),
        Kind::Rule => ("/alert-rules".to_owned(), true),
    };
    if setting.kind == Kind::Rule {
        body.insert("alert_receiver_ids".into(), receiver_ids(&body, receivers)?.into());
        body.remove("receivers");
        let wanted = body.remove("target").unwrap_or_default();
        if old.is_none() {
            let (target, cluster) = target(place, &wanted).await?;
            body.insert("target".into(), target);
            body.insert("cluster_id".into(), json!(cluster));
        }
    }
    match old {
        Some(old) => {
            let path = format!("{collection}/{}", id(old)?);
            place.api.send(Method::PUT, &path, Some(&body.into())).await?;
        }
        None => {
            if needs_organization {
                body.insert("organization_id".into(), json!(organization));
            }
            place.api.post(&collection, &body.into()).await?;
        }
    }
    Ok(())
}

fn receiver_ids(body: &Map<String, Value>, receivers: &[Value]) -> Result<Vec<Value>> {
    let names = body.get("receivers").and_then(Value::as_array).cloned().unwrap_or_default();
    let one = |name: &Value| {
        let name = name.as_str().unwrap_or_default();
        let found = named(receivers, name).and_then(|row| row.get("id")).cloned();
        found.ok_or_else(|| Failure::NotFound(format!("there is no receiver {name}")))
    };
    names.iter().map(one).collect()
}

#[derive(Deserialize)]
struct OnCluster {
    cluster_id: Uuid,
}

/// What a rule is about, as the API has it, and its cluster: `job`, `environment`, `project` or `label`, or else the organization.
async fn target(place: &Place, wanted: &Value) -> Result<(Value, Uuid)> {
    let text = |key: &str| wanted.get(key).and_then(Value::as_str);
    if let Some(name) = text("job") {
        let job = place.job(name).await?;
        let of = place.environment(&job.place()).await?;
        let kind = if job.job_type == "CRON" { "CRONJOB" } else { "JOB" };
        let cluster = cluster_of(place, of.environment.id).await?;
        return Ok((json!({"target_type": kind, "target_id": job.id}), cluster));
    }
    if let Some(name) = text("environment") {
        let id = place.environment(name).await?.environment.id;
        return Ok((json!({"target_type": "ENVIRONMENT", "target_id": id}), cluster_of(place, id).await?));
    }
    let path = format!("/organization/{}/cluster", place.organization);
    let clusters: List<Reference> = shown(&place.api.get(&path, &[]).await?)?;
    let first = clusters.results.first().map(|row| row.id);
    let cluster = first.ok_or_else(|| Failure::NotFound("the organization has no cluster".into()))?;
    let mut target = json!({"target_type": "CLUSTER", "target_id": cluster});
    let scope = if let Some(name) = text("project") {
        json!({"scope": "PROJECT", "scope_id": crate::commands::project::find(place, name).await?.id})
    } else if let Some(label) = text("label") {
        let (key, value) = label
            .split_once('=')
            .ok_or_else(|| Failure::Usage(format!("target.label must be KEY=VALUE, not {label}")))?;
        json!({"scope": "LABEL", "label_key": key, "label_value": value})
    } else if wanted.is_null() {
        json!({"scope": "ORGANIZATION"})
    } else {
        return Err(Failure::Usage("target must have one of job, environment, project and label".into()));
    };
    if let (Some(fields), Value::Object(scope)) = (target.as_object_mut(), scope) {
        fields.extend(scope);
    }
    Ok((target, cluster))
}

async fn cluster_of(place: &Place, environment: Uuid) -> Result<Uuid> {
    Ok(shown::<OnCluster>(&place.api.get(&format!("/environment/{environment}"), &[]).await?)?.cluster_id)
}

/// The target of a rule cannot be changed.
async fn same_target(place: &Place, setting: &Setting, old: &Value) -> Result<()> {
    let nothing = Value::Null;
    let (wanted, _) = target(place, setting.fields.get("target").unwrap_or(&nothing)).await?;
    let old = old.get("target").unwrap_or(&nothing);
    let differs = |key: &str| wanted.get(key).is_some_and(|wanted| old.get(key) != Some(wanted));
    let is_scope = wanted.get("scope").is_some();
    let keys: &[&str] = if is_scope { &["scope", "label_key", "label_value"] } else { &["target_id"] };
    let other_project = wanted.get("scope_id").is_some() && differs("scope_id");
    if other_project
        || keys.iter().any(|key| differs(key))
        || (!is_scope && old.get("scope").is_some_and(|scope| !scope.is_null()))
    {
        let text = "the target of a rule cannot change; give this one another name, and delete the old one";
        return Err(Failure::Usage(text.into()));
    }
    Ok(())
}
