//! The JSON Schema of declarations as people write them: that of the contract, with the short forms that the client knows.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::validate::CONTRACT;

/// A schema of the contract as JSON Schema, with its references below `$defs`.
fn converted(schema: &Value) -> Value {
    match schema {
        Value::Object(fields) => {
            let mut all = Map::new();
            for (key, value) in fields {
                let value = match (key.as_str(), value) {
                    ("$ref", Value::String(target)) => json!(target.replace("#/components/schemas/", "#/$defs/")),
                    ("format" | "nullable" | "example", _) => continue,
                    (_, value) => converted(value),
                };
                all.insert(key.clone(), value);
            }
            if all.get("type") == Some(&json!("object")) && all.contains_key("properties") {
                all.insert("additionalProperties".into(), json!(false));
            }
            Value::Object(all)
        }
        Value::Array(items) => Value::Array(items.iter().map(converted).collect()),
        other => other.clone(),
    }
}

/// Adds what a schema refers to.
fn collect(schema: &Value, into: &mut Map<String, Value>) {
    match schema {
        Value::Object(fields) => {
            if let Some(name) = fields.get("$ref").and_then(Value::as_str).and_then(|target| target.rsplit('/').next())
                && !into.contains_key(name)
            {
                let target = &CONTRACT["components"]["schemas"][name];
                into.insert(name.to_owned(), converted(target));
                collect(target, into);
            }
            fields.values().for_each(|value| collect(value, into));
        }
        Value::Array(items) => items.iter().for_each(|value| collect(value, into)),
        _ => {}
    }
}

/// The sources of a value that the client reads on its machine.
fn sources() -> Value {
    json!({
        "env": {"type": "string", "description": "The environment variable that has the value."},
        "file": {"type": "string", "description": "The file that has the value, beside this one."},
        "sops": {"type": "string", "description": "The file, encrypted by sops, that has the value."},
        "key": {"type": "string", "description": "Where the value is in that file, separated by dots."},
    })
}

/// What the client stores by itself: calendars, receivers and rules.
fn settings(root: &mut Value) {
    let text = json!({"type": "string"});
    let texts = json!({"type": "array", "items": text});
    let elsewhere = json!({
        "type": "object", "additionalProperties": false, "minProperties": 1, "properties": sources(),
        "description": "A secret, which is read elsewhere.",
    });
    let with = |of: &str, secrets: &[&str], left_out: &[&str]| {
        let mut properties = converted(&CONTRACT["components"]["schemas"][of])["properties"].clone();
        let fields = properties.as_object_mut().unwrap();
        fields.retain(|key, _| key != "name" && !left_out.contains(&key.as_str()));
        for secret in secrets {
            fields.insert((*secret).to_owned(), elsewhere.clone());
        }
        properties
    };
    let of = |properties: Value, required: &[&str]| {
        let one =
            json!({"type": "object", "additionalProperties": false, "required": required, "properties": properties});
        json!({"type": "object", "additionalProperties": one})
    };
    let mut receiver = with(
        "HttpAlertReceiverCreationRequest",
        &["url", "secret", "webhook_url", "auth_password"],
        &["organization_id"],
    );
    for key in ["to", "from", "smarthost", "auth_username"] {
        receiver[key] = text.clone();
    }
    receiver["require_tls"] = json!({"type": "boolean"});
    receiver["type"] = text.clone();
    receiver["quiet_hours"] = json!({"type": "object"});
    let mut rule = with("AlertRuleEditRequest", &[], &["alert_receiver_ids"]);
    rule["receivers"] = texts.clone();
    rule["condition"] = json!({"type": ["string", "object"], "description": "Such as run_failed, or an object with promql, threshold and more."});
    rule["severity"] = json!({"enum": CONTRACT["components"]["schemas"]["AlertSeverity"]["enum"]});
    rule["presentation"] = json!({"type": "object"});
    let target = json!({"job": text, "environment": text, "project": text, "label": text});
    rule["target"] = json!({"type": "object", "additionalProperties": false, "minProperties": 1, "maxProperties": 1, "properties": target});
    let mut calendar = with("CalendarRequest", &["ics"], &[]);
    for spans in ["spans", "weekly"] {
        calendar[spans] = json!({"type": "array", "items": {"type": "object"}});
    }
    calendar["ics_url"] = text;
    let root = root.as_object_mut().unwrap();
    let required = root.remove("required").unwrap();
    let properties = root["properties"].as_object_mut().unwrap();
    properties.insert("calendars".into(), of(calendar, &[]));
    properties.insert("receivers".into(), of(receiver, &["type"]));
    properties.insert("rules".into(), of(rule, &["condition"]));
    let any = ["calendars", "receivers", "rules"].map(|key| json!({"required": [key]}));
    root.insert("anyOf".into(), [json!({ "required": required })].into_iter().chain(any).collect());
}

/// Workspaces, whose variables are written as those of jobs, except that they may be expressions.
fn workspaces(root: &mut Value) {
    let text = |about: &str| json!({"type": "string", "description": about});
    let variable = |is_secret: bool| {
        let mut parts = sources();
        parts["hcl"] = json!({"type": "boolean", "description": "Whether the value is an expression."});
        parts["description"] = json!({"type": "string"});
        if is_secret {
            return json!({"type": ["object", "null"], "additionalProperties": false, "properties": parts});
        }
        parts["value"] = json!({"type": "string"});
        let long = json!({"type": "object", "additionalProperties": false, "properties": parts});
        json!({"anyOf": [{"type": ["string", "boolean", "integer"]}, long]})
    };
    let list = |is_secret: bool, about: &str| json!({"type": ["object", "null"], "description": about, "additionalProperties": variable(is_secret)});
    let schedule = json!({
        "type": "object", "additionalProperties": false, "required": ["cron"],
        "properties": {
            "cron": text("When it runs."),
            "template": text("The name of a template; by default that of the workspace."),
            "tcl": text("A flow of its own instead of a template, encoded in base64."),
            "description": {"type": "string"},
            "enabled": {"type": "boolean"},
        },
    });
    let one = json!({
        "type": ["object", "null"], "additionalProperties": false,
        "properties": {
            "description": {"type": "string"},
            "source": text("The address of its repository."),
            "branch": text("By default that of the repository."),
            "folder": text("The folder of the root module in the repository; / by default."),
            "tool": {"enum": ["tofu", "terraform"]},
            "version": text("A version of the tool, or constraints, such as ~> 1.9."),
            "execution_mode": {"enum": ["remote", "local"]},
            "allow_remote_apply": {"type": "boolean"},
            "template": text("The name of the template of jobs that name none."),
            "vcs": text("The name of the connection to its repository."),
            "ssh_key": text("The name of the SSH key for its repository."),
            "project": text("The name of its folder."),
            "variables": list(false, "All variables of the tool. If absent, they stay as they are."),
            "secrets": list(true, "All sensitive variables of the tool. If absent, they stay as they are."),
            "environment_variables": list(false, "All variables of the environment of its steps. If absent, they stay as they are."),
            "environment_secrets": list(true, "All sensitive variables of the environment of its steps. If absent, they stay as they are."),
            "tags": {"type": "array", "items": {"type": "string"}, "description": "All of its tags. If absent, they stay as they are."},
            "schedules": {"type": "array", "items": schedule, "description": "All of its schedules. If absent, they stay as they are."},
        },
    });
    root["properties"]["workspaces"] =
        json!({"type": "object", "description": "Terraform workspaces by their names.", "additionalProperties": one});
    root["anyOf"].as_array_mut().unwrap().push(json!({"required": ["workspaces"]}));
}

fn schema() -> Value {
    let declaration = &CONTRACT["components"]["schemas"]["Declaration"];
    let mut defs = Map::new();
    collect(declaration, &mut defs);
    let mut root = converted(declaration);
    let from_here = sources();
    let from_here = from_here.as_object().unwrap();
    defs["DeclaredVariable"]["properties"].as_object_mut().unwrap().extend(from_here.clone());
    let text = json!(["string", "boolean", "integer"]);
    let variable = json!({"anyOf": [{"type": text}, {"$ref": "#/$defs/DeclaredVariable"}]});
    let kept = ["path", "description", "interpolated"];
    let parts = defs["DeclaredVariable"]["properties"].as_object().unwrap();
    let parts = parts.iter().filter(|(key, _)| kept.contains(&key.as_str()) || from_here.contains_key(*key));
    let parts: Map<String, Value> = parts.map(|(key, value)| (key.clone(), value.clone())).collect();
    let secret = json!({"type": ["object", "null"], "additionalProperties": false, "properties": parts});
    defs.insert("Secret".into(), secret);
    let secrets = json!({
        "type": ["object", "null"], "additionalProperties": {"$ref": "#/$defs/Secret"},
        "description": "Secrets, whose values are read elsewhere. One without a source keeps the value that is stored.",
    });
    for of in [&mut root, &mut defs["DeclaredJob"]] {
        let properties = of["properties"].as_object_mut().unwrap();
        properties["variables"]["type"] = json!(["object", "null"]);
        properties["variables"]["additionalProperties"] = variable.clone();
        properties.insert("secrets".into(), secrets.clone());
    }
    let properties = root["properties"].as_object_mut().unwrap();
    for (key, form) in [("project_variables", &variable), ("project_secrets", &json!({"$ref": "#/$defs/Secret"}))] {
        properties[key]["type"] = json!(["object", "null"]);
        properties[key]["additionalProperties"] = form.clone();
    }
    let job = defs["DeclaredJob"]["properties"].as_object_mut().unwrap();
    let list = json!({"type": "array", "items": {"type": "string"}});
    job["command"] = json!({
        "anyOf": [{"type": "string"}, list],
        "description": "What a job with a schedule runs: a text for a shell, or a list of arguments.",
    });
    for event in ["on_start", "on_stop", "on_delete"] {
        job[event] = json!({"anyOf": [{"type": "string"}, list, {"$ref": "#/$defs/DeclaredCommand"}]});
    }
    settings(&mut root);
    workspaces(&mut root);
    let fields = root.as_object_mut().unwrap();
    fields.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
    fields.insert("title".into(), json!("Windlass environment"));
    fields.insert("$defs".into(), Value::Object(defs));
    root
}

#[test]
fn the_published_schema_is_that_of_the_contract() {
    let schema = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    let published = Path::new(env!("CARGO_MANIFEST_DIR")).join("api-spec/windlass.schema.json");
    let wanted = Path::new(env!("CARGO_TARGET_TMPDIR")).join("windlass.schema.json");
    std::fs::write(&wanted, &schema).unwrap();
    let stored = std::fs::read_to_string(&published).unwrap();
    assert!(stored == schema, "{} is not {}", published.display(), wanted.display());
}

#[test]
fn the_examples_of_the_page_fit_the_schema() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/declarative.md");
    let page = std::fs::read_to_string(page).unwrap();
    let examples: Vec<&str> = page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(examples.len() >= 2);
    for example in examples {
        let documents: Vec<Value> = serde_saphyr::from_multiple(example).unwrap();
        for document in documents {
            let faults: Vec<String> =
                validator.iter_errors(&document).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
            assert!(faults.is_empty(), "{faults:?} in {example}");
        }
    }
    let wrong = |document: Value| validator.iter_errors(&document).next().is_some();
    assert!(wrong(json!({"project": "a"})));
    assert!(wrong(json!({"project": "a", "environment": "b", "jobs": {"x": {"shedule": "@daily"}}})));
    assert!(wrong(json!({"project": "a", "environment": "b", "secrets": {"A": "written down"}})));
    assert!(wrong(json!({"project": "a", "environment": "b", "project_secrets": {"A": "written down"}})));
    assert!(wrong(json!({"project": "a", "environment": "b", "checks": {"x": {"period": 60}}})));
    assert!(wrong(json!({"workspaces": {"a": {"variables": {"b": {"hcl": 1}}}}})));
}
