//! Pure: of the schemas of providers, those that render a plan.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// The output of `providers schema -json`. What a plan does not use stays text, because it can be very large.
#[derive(Deserialize)]
struct Schemas<'a> {
    #[serde(borrow)]
    format_version: &'a RawValue,
    #[serde(borrow, default)]
    provider_schemas: BTreeMap<String, Provider<'a>>,
}

type Types<'a> = BTreeMap<String, &'a RawValue>;

#[derive(Deserialize, Serialize)]
struct Provider<'a> {
    #[serde(borrow, default)]
    resource_schemas: Types<'a>,
    #[serde(borrow, default)]
    data_source_schemas: Types<'a>,
}

#[derive(Serialize)]
struct Used<'a> {
    provider_format_version: &'a RawValue,
    provider_schemas: BTreeMap<String, Provider<'a>>,
}

/// The schemas of the resources of a plan, under the keys of a redacted plan. None if one of them is missing, without which the programs
/// cannot render it.
///
/// # Errors
/// If it is not the output of `providers schema -json`.
pub fn used(text: &[u8], plan: &Value) -> serde_json::Result<Option<Vec<u8>>> {
    let Schemas { format_version, mut provider_schemas } = serde_json::from_slice(text)?;
    let mut kept = BTreeMap::new();
    for (provider, types) in types_by_provider(plan) {
        let Some(mut all) = provider_schemas.remove(provider) else { return Ok(None) };
        let is_used = |mode: &'static str| {
            let types = &types;
            move |name: &String, _: &mut &RawValue| types.contains(&(mode, name.as_str()))
        };
        all.resource_schemas.retain(is_used("managed"));
        all.data_source_schemas.retain(is_used("data"));
        if all.resource_schemas.len() + all.data_source_schemas.len() < types.len() {
            return Ok(None);
        }
        kept.insert(provider.to_owned(), all);
    }
    serde_json::to_vec(&Used { provider_format_version: format_version, provider_schemas: kept }).map(Some)
}

/// The modes and types of the resources of a plan.
fn types_by_provider(plan: &Value) -> BTreeMap<&str, BTreeSet<(&str, &str)>> {
    let mut all: BTreeMap<&str, BTreeSet<(&str, &str)>> = BTreeMap::new();
    let lists = ["resource_changes", "resource_drift"].map(|key| plan.get(key).and_then(Value::as_array));
    for resource in lists.into_iter().flatten().flatten() {
        let text = |key: &str| resource.get(key).and_then(Value::as_str);
        if let (Some(provider), Some(mode), Some(kind)) = (text("provider_name"), text("mode"), text("type")) {
            all.entry(provider).or_default().insert((mode, kind));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plan(kind: &str) -> Value {
        let one = |mode: &str, kind: &str| json!({"provider_name": "p", "mode": mode, "type": kind});
        json!({"resource_changes": [one("managed", kind), one("data", "d")], "resource_drift": [one("managed", kind)]})
    }

    #[test]
    fn only_used_types_are_kept() {
        let schemas = json!({"format_version": "1.0", "provider_schemas": {
            "p": {
                "provider": {"version": 1}, "resource_schemas": {"a": {"version": 2}, "b": {}, "d": {}},
                "data_source_schemas": {"a": {}, "d": {"version": 3}},
            },
            "q": {"resource_schemas": {"a": {}}},
        }});
        let text = schemas.to_string();
        let kept: Value = serde_json::from_slice(&used(text.as_bytes(), &plan("a")).unwrap().unwrap()).unwrap();
        let expected = json!({"provider_format_version": "1.0", "provider_schemas": {
            "p": {"resource_schemas": {"a": {"version": 2}}, "data_source_schemas": {"d": {"version": 3}}},
        }});
        assert_eq!(kept, expected);
        assert_eq!(used(text.as_bytes(), &plan("x")).unwrap(), None);
        assert!(used(b"{}", &plan("a")).is_err());
    }
}
