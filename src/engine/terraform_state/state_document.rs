//! Pure: converts a stored state (format 4) to the format of `terraform show -json` (1.0): outputs, and resources by
//! module (<https://developer.hashicorp.com/terraform/internals/json-format>).
//!
//! Values are passed on as they are written, so that no number loses digits.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The parts of a stored state that are shown.
#[derive(Deserialize)]
struct State<'a> {
    #[serde(borrow, default)]
    terraform_version: Option<&'a RawValue>,
    #[serde(borrow, default)]
    outputs: Option<BTreeMap<Cow<'a, str>, Output<'a>>>,
    #[serde(borrow, default)]
    resources: Option<Vec<Resource<'a>>>,
}

#[derive(Deserialize)]
struct Output<'a> {
    #[serde(default)]
    sensitive: Option<bool>,
    #[serde(borrow, default)]
    value: Option<&'a RawValue>,
    #[serde(borrow, rename = "type", default)]
    kind: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Resource<'a> {
    #[serde(borrow, default)]
    module: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    mode: Cow<'a, str>,
    #[serde(borrow, rename = "type", default)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    provider: Cow<'a, str>,
    #[serde(borrow, default)]
    instances: Option<Vec<Instance<'a>>>,
}

#[derive(Deserialize)]
struct Instance<'a> {
    #[serde(borrow, default)]
    index_key: Option<&'a RawValue>,
    #[serde(borrow, default)]
    schema_version: Option<&'a RawValue>,
    #[serde(borrow, default)]
    attributes: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct Shown<'a> {
    format_version: &'static str,
    terraform_version: Option<&'a RawValue>,
    values: Values<'a>,
}

#[derive(Serialize)]
struct Values<'a> {
    outputs: BTreeMap<Cow<'a, str>, ShownOutput<'a>>,
    root_module: RootModule<'a>,
}

#[derive(Serialize)]
struct ShownOutput<'a> {
    sensitive: bool,
    value: Option<&'a RawValue>,
    #[serde(rename = "type")]
    kind: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct RootModule<'a> {
    resources: Vec<ShownResource<'a>>,
    child_modules: Vec<Module<'a>>,
}

#[derive(Serialize)]
struct Module<'a> {
    address: String,
    resources: Vec<ShownResource<'a>>,
}

#[derive(Serialize)]
struct ShownResource<'a> {
    address: String,
    mode: Cow<'a, str>,
    #[serde(rename = "type")]
    kind: Cow<'a, str>,
    name: Cow<'a, str>,
    provider_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<&'a RawValue>,
    schema_version: Option<&'a RawValue>,
    values: Option<&'a RawValue>,
}

/// Converts a state.
///
/// # Errors
/// If the state has another format.
pub fn shown(state: &[u8]) -> Result<String, serde_json::Error> {
    let State { terraform_version, outputs, resources } = serde_json::from_slice(state)?;
    let outputs = outputs.unwrap_or_default().into_iter().map(|(name, output)| {
        let Output { sensitive, value, kind } = output;
        (name, ShownOutput { sensitive: sensitive.unwrap_or(false), value, kind })
    });
    let mut modules: BTreeMap<String, Vec<ShownResource<'_>>> = BTreeMap::new();
    for resource in resources.unwrap_or_default() {
        let module = resource.module.as_deref().unwrap_or_default().to_owned();
        modules.entry(module).or_default().extend(instances(&resource));
    }
    let root = modules.remove("").unwrap_or_default();
    let child_modules = modules.into_iter().map(|(address, resources)| Module { address, resources }).collect();
    serde_json::to_string(&Shown {
        format_version: "1.0",
        terraform_version,
        values: Values { outputs: outputs.collect(), root_module: RootModule { resources: root, child_modules } },
    })
}

/// An output of a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateOutput {
    pub name: String,
    /// As JSON; none for a sensitive one.
    pub value: Option<String>,
}

/// The outputs of a state.
///
/// # Errors
/// If the state has another format.
pub fn outputs(state: &[u8]) -> Result<Vec<StateOutput>, serde_json::Error> {
    let State { outputs, .. } = serde_json::from_slice(state)?;
    let shown = |(name, output): (Cow<'_, str>, Output<'_>)| {
        let value = output.value.map_or("null", RawValue::get).to_owned();
        StateOutput { name: name.into_owned(), value: Some(value).filter(|_| !output.sensitive.unwrap_or(false)) }
    };
    Ok(outputs.unwrap_or_default().into_iter().map(shown).collect())
}

fn instances<'a>(resource: &Resource<'a>) -> Vec<ShownResource<'a>> {
    let mut base = String::new();
    if let Some(module) = resource.module.as_deref().filter(|module| !module.is_empty()) {
        base.push_str(module);
        base.push('.');
    }
    if resource.mode == "data" {
        base.push_str("data.");
    }
    base.push_str(&format!("{}.{}", resource.kind, resource.name));
    // `provider["registry.opentofu.org/hashicorp/null"]`, with an optional module prefix or alias suffix.
    let provider = resource.provider.split('"').nth(1).unwrap_or(&resource.provider);
    let shown = |instance: &Instance<'a>| ShownResource {
        address: instance.index_key.map_or_else(|| base.clone(), |index| format!("{base}[{}]", index.get())),
        mode: resource.mode.clone(),
        kind: resource.kind.clone(),
        name: resource.name.clone(),
        provider_name: provider.to_owned(),
        index: instance.index_key,
        schema_version: instance.schema_version,
        values: instance.attributes,
    };
    resource.instances.iter().flatten().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    fn shown(state: &Value) -> Value {
        serde_json::from_str(&super::shown(state.to_string().as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn outputs_and_resources() {
        let state = json!({
            "version": 4, "terraform_version": "1.11.4", "serial": 3, "lineage": "x",
            "outputs": {"a": {"value": [1], "type": ["list", "number"]}, "b": {"value": "s", "type": "string", "sensitive": true}},
            "resources": [
                {"mode": "managed", "type": "terraform_data", "name": "t", "provider": "provider[\"terraform.io/builtin/terraform\"]",
                 "instances": [{"index_key": "k", "schema_version": 0, "attributes": {"id": "1"}}, {"index_key": null}]},
                {"module": "module.m", "mode": "data", "type": "d", "name": "n", "provider": "p", "instances": [{"attributes": {}}]},
            ],
        });
        let shown_state = shown(&state);
        assert_eq!(
            shown_state["values"]["outputs"]["a"],
            json!({"sensitive": false, "value": [1], "type": ["list", "number"]})
        );
        assert_eq!(shown_state["values"]["outputs"]["b"]["sensitive"], true);
        let root = &shown_state["values"]["root_module"];
        assert_eq!(root["resources"][0]["address"], "terraform_data.t[\"k\"]");
        assert_eq!(root["resources"][0]["index"], "k");
        assert_eq!(root["resources"][0]["provider_name"], "terraform.io/builtin/terraform");
        assert_eq!(
            (&root["resources"][1]["address"], root["resources"][1].get("index")),
            (&json!("terraform_data.t"), None)
        );
        assert_eq!(root["child_modules"][0]["resources"][0]["address"], "module.m.data.d.n");
        assert_eq!(shown(&json!({}))["values"]["outputs"], json!({}));
        assert_eq!(
            shown(&json!({"outputs": null, "resources": null}))["values"]["root_module"]["resources"],
            json!([])
        );
        assert!(super::shown(b"{\"outputs\": 1}").is_err());
    }

    #[test]
    fn sensitive_outputs_have_no_value() {
        let state = br#"{"outputs": {"a": {"value": 1e400}, "b": {"value": "secret", "sensitive": true}, "c": {}}}"#;
        let found: Vec<_> = super::outputs(state).unwrap().into_iter().map(|one| (one.name, one.value)).collect();
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(found, [("a".to_owned(), text("1e400")), ("b".into(), None), ("c".into(), text("null"))]);
        assert_eq!(super::outputs(b"{}").unwrap(), []);
    }

    /// Terraform's numbers have 512 bits, and those of most JSON libraries 53.
    #[test]
    fn numbers_keep_their_digits() {
        let digits = ["123456789012345678901234567890", "0.1000000000000000000000000000000001", "1E400"];
        for number in digits {
            let state = format!(
                "{{\"outputs\": {{\"n\": {{\"value\": [{number}], \"type\": \"number\"}}}}, \"resources\": \
                 [{{\"mode\": \"managed\", \"type\": \"t\", \"name\": \"n\", \"provider\": \"p\", \
                 \"instances\": [{{\"attributes\": {{\"size\": {number}}}}}]}}]}}"
            );
            let shown = super::shown(state.as_bytes()).unwrap();
            assert!(shown.contains(&format!("\"value\":[{number}]")), "{shown}");
            assert!(shown.contains(&format!("\"size\": {number}")), "{shown}");
        }
    }
}
