//! Pure: files of jobs of Nomad, in the form in which its API has them.

use hcl::{Attribute, Block, Body, Expression};
use serde_json::{Value, json};

use super::document::{field, written};

/// The jobs of a file.
pub(crate) fn jobs(text: &str) -> Result<Vec<Value>, String> {
    let body = hcl::parse(text).map_err(|error| error.to_string())?;
    let found: Vec<Value> = blocks(&body, "job").map(job).collect::<Result<_, _>>()?;
    if found.is_empty() { Err("it has no job".into()) } else { Ok(found) }
}

fn blocks<'a>(body: &'a Body, name: &'a str) -> impl Iterator<Item = &'a Block> {
    body.blocks().filter(move |block| block.identifier() == name)
}

/// The value of an attribute; null if it is missing. Variables and functions remain as `${...}`.
fn attribute(body: &Body, name: &str) -> Result<Value, String> {
    body.attributes().find(|attribute| attribute.key() == name).map_or(Ok(Value::Null), value)
}

fn value(attribute: &Attribute) -> Result<Value, String> {
    plain(attribute.expr()).map_err(|error| format!("{}: {error}", attribute.key()))
}

fn plain(expression: &Expression) -> Result<Value, serde_json::Error> {
    match expression {
        Expression::TemplateExpr(template) => Ok(template.to_string().into()),
        Expression::Array(all) => all.iter().map(plain).collect(),
        Expression::Object(all) => {
            let fields = all.iter().map(|(key, one)| Ok((key.to_string(), plain(one)?)));
            fields.collect::<Result<serde_json::Map<_, _>, _>>().map(Value::from)
        }
        other => serde_json::to_value(other),
    }
}

/// Everything in a body as one mapping; blocks are values by their names.
fn mapping(body: &Body) -> Result<Value, String> {
    let mut all = serde_json::Map::new();
    for attribute in body.attributes() {
        all.insert(attribute.key().to_owned(), value(attribute)?);
    }
    for block in body.blocks() {
        all.insert(block.identifier().to_owned(), mapping(block.body())?);
    }
    Ok(all.into())
}

/// The blocks of a name as mappings.
fn mappings(body: &Body, name: &str) -> Result<Vec<Value>, String> {
    blocks(body, name).map(|block| mapping(block.body())).collect()
}

fn label(block: &Block) -> String {
    block.labels().first().map(|label| label.as_str().to_owned()).unwrap_or_default()
}

fn job(block: &Block) -> Result<Value, String> {
    let body = block.body();
    let mut groups = blocks(body, "group").map(|group| self::group(group.body())).collect::<Result<Vec<_>, _>>()?;
    // A task outside of a group is a group of its own.
    for task in blocks(body, "task") {
        groups.push(json!({"Tasks": [self::task(task)?]}));
    }
    Ok(json!({
        "ID": label(block),
        "Type": attribute(body, "type")?,
        "Namespace": attribute(body, "namespace")?,
        "Periodic": blocks(body, "periodic").next().map(|periodic| self::periodic(periodic.body())).transpose()?,
        "ParameterizedJob": blocks(body, "parameterized").next().map(|_| json!({"Payload": "optional"})),
        "Constraints": mappings(body, "constraint")?,
        "Affinities": mappings(body, "affinity")?,
        "TaskGroups": groups,
    }))
}

fn periodic(body: &Body) -> Result<Value, String> {
    let given = mapping(body)?;
    for key in ["cron", "crons", "enabled", "prohibit_overlap", "time_zone"] {
        let parts = field(&given, key)
            .map_or(&[][..], |value| value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice));
        if parts.iter().any(|part| written(part).is_none_or(|text| text.contains("${"))) {
            return Err(format!("periodic {key}: its value is elsewhere"));
        }
    }
    Ok(json!({
        "Enabled": field(&given, "enabled").cloned().unwrap_or(Value::Bool(true)),
        "Spec": field(&given, "cron"),
        "Specs": field(&given, "crons"),
        "ProhibitOverlap": field(&given, "prohibit_overlap"),
        "TimeZone": field(&given, "time_zone"),
    }))
}

fn group(body: &Body) -> Result<Value, String> {
    let restart = mappings(body, "restart")?.into_iter().next();
    let reschedule = mappings(body, "reschedule")?.into_iter().next();
    let of = |policy: &Option<Value>, key: &str| policy.as_ref().and_then(|policy| field(policy, key)).cloned();
    Ok(json!({
        "Count": attribute(body, "count")?,
        "Constraints": mappings(body, "constraint")?,
        "Affinities": mappings(body, "affinity")?,
        "Volumes": mappings(body, "volume")?,
        "RestartPolicy": {"Attempts": of(&restart, "attempts"), "Mode": of(&restart, "mode")},
        "ReschedulePolicy": {"Attempts": of(&reschedule, "attempts"), "Unlimited": of(&reschedule, "unlimited")},
        "Tasks": blocks(body, "task").map(task).collect::<Result<Vec<_>, _>>()?,
    }))
}

fn task(block: &Block) -> Result<Value, String> {
    let body = block.body();
    // Both may be blocks or attributes.
    let both = |name: &str| -> Result<Value, String> {
        let block = mappings(body, name)?.into_iter().next();
        block.map_or_else(|| attribute(body, name), Ok)
    };
    Ok(json!({
        "Name": label(block),
        "Driver": attribute(body, "driver")?,
        "User": attribute(body, "user")?,
        "Config": both("config")?,
        "Env": both("env")?,
        "Templates": mappings(body, "template")?,
        "Artifacts": mappings(body, "artifact")?,
        "VolumeMounts": mappings(body, "volume_mount")?,
        "Vault": mappings(body, "vault")?,
        "Services": mappings(body, "service")?,
    }))
}
