//! What of the configuration of a job is not deployed yet.

use std::collections::HashMap;

use entity::id::OrganizationId;
use entity::job_spec::JobSpec;
use entity::metadata_group::GroupKind;
use maud::{Markup, html};
use serde_json::Value;

use crate::app::App;
use crate::error::Result;
use crate::store;

/// What configurations refer to: names by ids.
type Names = HashMap<String, String>;

/// A setting with its deployed and its configured value.
#[derive(Debug, PartialEq, Eq)]
struct Changed {
    name: String,
    deployed: Option<String>,
    configured: Option<String>,
}

/// The differences as a table; nothing if there are none.
pub(super) async fn difference(
    app: &App,
    organization: OrganizationId,
    (deployed, configured): (&JobSpec, &JobSpec),
) -> Result<Markup> {
    if deployed == configured {
        return Ok(html! {});
    }
    let all = changes(deployed, configured, &names(app, organization).await?);
    Ok(table(&all))
}

/// The names of registries, git tokens and groups.
async fn names(app: &App, organization: OrganizationId) -> Result<Names> {
    let mut names = Names::new();
    let registries = store::registry::list_by_organization(&app.db, organization).await?;
    names.extend(registries.into_iter().map(|row| (row.id.to_string(), row.name)));
    let tokens = store::git_token::list(&app.db, organization).await?;
    names.extend(tokens.into_iter().map(|row| (row.id.to_string(), row.name)));
    for kind in [GroupKind::Annotations, GroupKind::Labels] {
        let groups = store::group::list(&app.db, organization, kind).await?;
        names.extend(groups.into_iter().map(|row| (row.id.to_string(), row.name)));
    }
    Ok(names)
}

fn table(all: &[Changed]) -> Markup {
    html! {
        @if !all.is_empty() {
            div.scroll {
                table {
                    caption { "Configured, but not deployed yet" }
                    thead { tr { th scope="col" { "Setting" } th scope="col" { "Deployed" } th scope="col" { "Configured" } } }
                    tbody {
                        @for change in all {
                            tr {
                                th scope="row" { (change.name) }
                                td { @if let Some(text) = &change.deployed { del.removed { (text) } } @else { span.soft { "not set" } } }
                                td { @if let Some(text) = &change.configured { ins.added { (text) } } @else { span.soft { "not set" } } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn changes(deployed: &JobSpec, configured: &JobSpec, names: &Names) -> Vec<Changed> {
    let (mut old, mut new) = (Vec::new(), Vec::new());
    for (spec, found) in [(deployed, &mut old), (configured, &mut new)] {
        let mut value = serde_json::to_value(spec).unwrap_or_default();
        name_all(&mut value, names);
        flatten("", &value, found);
    }
    let value = |all: &[(String, String)], name: &str| {
        all.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone())
    };
    let names = old.iter().chain(new.iter().filter(|(name, _)| value(&old, name).is_none())).map(|(name, _)| name);
    names
        .map(|name| Changed { name: name.clone(), deployed: value(&old, name), configured: value(&new, name) })
        .filter(|change| change.deployed != change.configured)
        .collect()
}

/// Puts names in the place of ids.
fn name_all(value: &mut Value, names: &Names) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(|value| name_all(value, names)),
        Value::Array(items) => items.iter_mut().for_each(|value| name_all(value, names)),
        Value::String(text) => {
            if let Some(name) = names.get(text) {
                text.clone_from(name);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The values by their names. Lists are one value, because their positions say nothing.
fn flatten(name: &str, value: &Value, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let inner = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                flatten(&inner, value, found);
            }
        }
        Value::Null => {}
        Value::String(text) => found.push((name.to_owned(), text.clone())),
        other => found.push((name.to_owned(), other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_named() {
        let spec = |cpu: i32, tag: &str| -> JobSpec {
            serde_json::from_value(serde_json::json!({
                "cpu_milli": cpu, "memory_mib": 512, "max_nb_restart": 0, "max_duration_seconds": 0, "auto_preview": false,
                "auto_deploy": false, "port": null, "icon_uri": "",
                "source": {"type": "IMAGE", "image_name": "a", "tag": tag, "registry_id": uuid::Uuid::nil()},
                "schedule": {"type": "CRON", "scheduled_at": "* * * * *", "timezone": "Etc/UTC", "command": {}},
            }))
            .unwrap()
        };
        let none = Names::new();
        let found = changes(&spec(500, "1"), &spec(250, "2"), &none);
        let names: Vec<&str> = found.iter().map(|change| change.name.as_str()).collect();
        assert_eq!(names, ["cpu_milli", "source.tag"]);
        assert_eq!(found[0].configured.as_deref(), Some("250"));
        assert!(changes(&spec(1, "1"), &spec(1, "1"), &none).is_empty());
    }
}
