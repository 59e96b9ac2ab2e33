//! Pure: converts a stored state (format 4) to the format of `terraform show -json` (1.0): outputs, and resources by
//! module (<https://developer.hashicorp.com/terraform/internals/json-format>).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// Converts a state.
pub(super) fn shown(state: &Value) -> Value {
    let outputs = state.get("outputs").and_then(Value::as_object).cloned().unwrap_or_default();
    let outputs: Map<String, Value> = outputs
        .into_iter()
        .map(|(name, output)| {
            let sensitive = output.get("sensitive").and_then(Value::as_bool).unwrap_or(false);
            let (value, kind) = (output.get("value"), output.get("type"));
            (name, json!({"sensitive": sensitive, "value": value, "type": kind}))
        })
        .collect();
    let mut modules: BTreeMap<String, Vec<Value>> = BTreeMap::from([(String::new(), Vec::new())]);
    for resource in state.get("resources").and_then(Value::as_array).into_iter().flatten() {
        let module = text(resource, "module");
        let instances = resource.get("instances").and_then(Value::as_array).into_iter().flatten();
        modules.entry(module.clone()).or_default().extend(instances.map(|one| instance(&module, resource, one)));
    }
    let root = json!({
        "resources": modules.remove("").unwrap_or_default(),
        "child_modules": modules
            .into_iter()
            .map(|(address, resources)| json!({"address": address, "resources": resources}))
            .collect::<Vec<_>>(),
    });
    json!({
        "format_version": "1.0",
        "terraform_version": state.get("terraform_version"),
        "values": {"outputs": outputs, "root_module": root},
    })
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn instance(module: &str, resource: &Value, instance: &Value) -> Value {
    let (mode, kind, name) = (text(resource, "mode"), text(resource, "type"), text(resource, "name"));
    let mut address = String::new();
    if !module.is_empty() {
        address.push_str(module);
        address.push('.');
    }
    if mode == "data" {
        address.push_str("data.");
    }
    address.push_str(&format!("{kind}.{name}"));
    let index = instance.get("index_key").filter(|key| !key.is_null());
    if let Some(index) = index {
        address.push_str(&format!("[{index}]"));
    }
    let provider = text(resource, "provider");
    // `provider["registry.opentofu.org/hashicorp/null"]`, with an optional module prefix or alias suffix.
    let provider = provider.split('"').nth(1).map_or(provider.clone(), str::to_owned);
    let mut shown = json!({
        "address": address,
        "mode": mode,
        "type": kind,
        "name": name,
        "provider_name": provider,
        "schema_version": instance.get("schema_version"),
        "values": instance.get("attributes"),
    });
    if let (Some(index), Some(shown)) = (index, shown.as_object_mut()) {
        shown.insert("index".into(), index.clone());
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_and_resources() {
        let state = json!({
            "version": 4, "terraform_version": "1.11.4", "serial": 3, "lineage": "x",
            "outputs": {"a": {"value": [1], "type": ["list", "number"]}, "b": {"value": "s", "type": "string", "sensitive": true}},
            "resources": [
                {"mode": "managed", "type": "terraform_data", "name": "t", "provider": "provider[\"terraform.io/builtin/terraform\"]",
                 "instances": [{"index_key": "k", "schema_version": 0, "attributes": {"id": "1"}}]},
                {"module": "module.m", "mode": "data", "type": "d", "name": "n", "provider": "p", "instances": [{"attributes": {}}]},
            ],
        });
        let shown = shown(&state);
        assert_eq!(
            shown["values"]["outputs"]["a"],
            json!({"sensitive": false, "value": [1], "type": ["list", "number"]})
        );
        assert_eq!(shown["values"]["outputs"]["b"]["sensitive"], true);
        let root = &shown["values"]["root_module"];
        assert_eq!(root["resources"][0]["address"], "terraform_data.t[\"k\"]");
        assert_eq!(root["resources"][0]["provider_name"], "terraform.io/builtin/terraform");
        assert_eq!(root["child_modules"][0]["resources"][0]["address"], "module.m.data.d.n");
        assert_eq!(super::shown(&json!({}))["values"]["outputs"], json!({}));
    }
}
