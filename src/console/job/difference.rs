//! How two states of a job differ, setting by setting: what of its configuration is not deployed yet, and what an event changed.

use std::collections::HashMap;

use entity::id::OrganizationId;
use entity::job_spec::JobSpec;
use entity::metadata_group::GroupKind;
use maud::{Markup, html};
use serde_json::Value;

use super::setting_words::setting_words;
use crate::app::App;
use crate::error::Result;
use crate::store;

/// What configurations refer to: names by ids.
pub(in crate::console) type Names = HashMap<String, String>;

/// The time of a change is that of its event.
const NO_SETTING: &str = "updated_at";

/// A setting with its values before and after a change.
#[derive(Debug, PartialEq, Eq)]
struct Changed {
    name: String,
    before: Option<String>,
    after: Option<String>,
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
    let [deployed, configured] = [deployed, configured].map(|spec| serde_json::to_value(spec).unwrap_or_default());
    let all = changes(&deployed, &configured, &names(app, organization).await?);
    Ok(table("Configured, but not deployed yet", ["Deployed", "Configured"], &all))
}

/// What a form changes of a stored job, each with its name.
pub(super) fn of_form(stored: (&str, &JobSpec), form: (&str, &JobSpec), names: &Names) -> Markup {
    let [stored, form] = [stored, form].map(|(name, spec)| {
        let mut value = serde_json::to_value(spec).unwrap_or_default();
        if let Some(fields) = value.as_object_mut() {
            fields.insert("name".into(), name.into());
        }
        value
    });
    table("What saving again replaces", ["Stored", "In the form"], &changes(&stored, &form, names))
}

/// What an event changed; all settings of what it created or deleted.
pub(in crate::console) fn of_event((before, after): (Option<&Value>, Option<&Value>), names: &Names) -> Markup {
    let all: Vec<Changed> = changes(before.unwrap_or(&Value::Null), after.unwrap_or(&Value::Null), names)
        .into_iter()
        .filter(|change| change.name != NO_SETTING)
        .collect();
    match (before, after) {
        (None, None) => html! {},
        _ if all.is_empty() => html! { p.soft { "No setting has another value." } },
        (Some(_), Some(_)) => table("Changed settings", ["Before", "After"], &all),
        (None, Some(_)) => {
            settings("Settings at the beginning", all.iter().map(|change| (&change.name, change.after.as_ref())))
        }
        (Some(_), None) => settings("Last settings", all.iter().map(|change| (&change.name, change.before.as_ref()))),
    }
}

/// Settings with one value each.
fn settings<'a>(caption: &str, all: impl Iterator<Item = (&'a String, Option<&'a String>)>) -> Markup {
    html! {
        div.scroll {
            table {
                caption { (caption) }
                thead { tr { th scope="col" { "Setting" } th scope="col" { "Value" } } }
                tbody { @for (name, value) in all { tr { th scope="row" title=(name) { (setting_words(name)) } td { @if let Some(text) = value { (text) } } } } }
            }
        }
    }
}

/// The names of registries, git tokens and groups.
pub(in crate::console) async fn names(app: &App, organization: OrganizationId) -> Result<Names> {
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

fn table(caption: &str, [before, after]: [&str; 2], all: &[Changed]) -> Markup {
    html! {
        @if !all.is_empty() {
            div.scroll {
                table {
                    caption { (caption) }
                    thead { tr { th scope="col" { "Setting" } th scope="col" { (before) } th scope="col" { (after) } } }
                    tbody {
                        @for change in all {
                            tr {
                                th scope="row" title=(change.name) { (setting_words(&change.name)) }
                                td { @if let Some(text) = &change.before { del.removed { (text) } } @else { span.soft { "not set" } } }
                                td { @if let Some(text) = &change.after { ins.added { (text) } } @else { span.soft { "not set" } } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn changes(before: &Value, after: &Value, names: &Names) -> Vec<Changed> {
    let [old, new] = [before, after].map(|value| {
        let (mut value, mut found) = (value.clone(), Vec::new());
        name_all(&mut value, names);
        flatten("", &value, &mut found);
        found
    });
    let value = |all: &[(String, String)], name: &str| {
        all.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone())
    };
    let names = old.iter().chain(new.iter().filter(|(name, _)| value(&old, name).is_none())).map(|(name, _)| name);
    names
        .map(|name| Changed { name: name.clone(), before: value(&old, name), after: value(&new, name) })
        .filter(|change| change.before != change.after)
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
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_is_named() {
        let spec = |cpu: i32, tag: &str| json!({"cpu_milli": cpu, "memory_mib": 512, "port": null, "source": {"type": "IMAGE", "tag": tag}});
        let none = Names::new();
        let found = changes(&spec(500, "1"), &spec(250, "2"), &none);
        let names: Vec<&str> = found.iter().map(|change| change.name.as_str()).collect();
        assert_eq!(names, ["cpu_milli", "source.tag"]);
        assert_eq!(found[0].after.as_deref(), Some("250"));
        assert!(changes(&spec(1, "1"), &spec(1, "1"), &none).is_empty());
    }

    #[test]
    fn an_event_tells_settings_by_name() {
        let names = Names::from([("id".to_owned(), "a registry".to_owned())]);
        let before = json!({"updated_at": "then", "cpu": 500, "registry": "id"});
        let after = json!({"updated_at": "now", "cpu": 250, "registry": "id"});
        let text = |before: Option<&Value>, after: Option<&Value>| of_event((before, after), &names).into_string();
        let changed = text(Some(&before), Some(&after));
        assert!(changed.contains("500") && changed.contains("250") && !changed.contains("registry"), "{changed}");
        let created = text(None, Some(&after));
        assert!(created.contains("a registry") && !created.contains("now"), "{created}");
        assert!(text(Some(&before), None).contains("500"));
        assert!(text(Some(&before), Some(&before)).contains("No setting has another value."));
        assert!(text(None, None).is_empty());
    }
}
