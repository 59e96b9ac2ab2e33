//! What of the configuration of a job is not deployed yet.

use entity::job_spec::JobSpec;
use maud::{Markup, html};
use serde_json::Value;

/// A setting with its deployed and its configured value.
#[derive(Debug, PartialEq, Eq)]
struct Changed {
    name: String,
    deployed: Option<String>,
    configured: Option<String>,
}

/// The differences as a table; nothing if there are none.
pub(super) fn difference(deployed: &JobSpec, configured: &JobSpec) -> Markup {
    let all = changes(deployed, configured);
    html! {
        @if !all.is_empty() {
            div.scroll {
                table {
                    caption { "Configured, but not deployed yet" }
                    thead { tr { th scope="col" { "Setting" } th scope="col" { "Deployed" } th scope="col" { "Configured" } } }
                    tbody {
                        @for change in &all {
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

fn changes(deployed: &JobSpec, configured: &JobSpec) -> Vec<Changed> {
    let (mut old, mut new) = (Vec::new(), Vec::new());
    flatten("", &serde_json::to_value(deployed).unwrap_or_default(), &mut old);
    flatten("", &serde_json::to_value(configured).unwrap_or_default(), &mut new);
    let value = |all: &[(String, String)], name: &str| {
        all.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone())
    };
    let names = old.iter().chain(new.iter().filter(|(name, _)| value(&old, name).is_none())).map(|(name, _)| name);
    names
        .map(|name| Changed { name: name.clone(), deployed: value(&old, name), configured: value(&new, name) })
        .filter(|change| change.deployed != change.configured)
        .collect()
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
        let found = changes(&spec(500, "1"), &spec(250, "2"));
        let names: Vec<&str> = found.iter().map(|change| change.name.as_str()).collect();
        assert_eq!(names, ["cpu_milli", "source.tag"]);
        assert_eq!(found[0].configured.as_deref(), Some("250"));
        assert!(changes(&spec(1, "1"), &spec(1, "1")).is_empty());
    }
}
