//! Pure: two versions of a state as a readable difference: which resources were created, changed and deleted, and which of their values.
//!
//! States do not know all that a provider calls sensitive. What they mark is hidden, with all that repeats it, and texts under names such as
//! `password` as well.

use serde_json::{Map, Value, json};

use crate::engine::masking::Masker;
use crate::engine::plan_view::{self, PlanView};

/// Parts of the names of attributes whose texts are hidden, whatever the state says.
const SECRET_NAMES: [&str; 9] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "private_key",
    "access_key",
    "api_key",
    "connection_string",
];

/// One side of an instance that differs.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Side {
    Absent,
    Instance(Value),
    /// Its values are not compared.
    TooLarge,
}

/// An instance that differs in some way.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct InstancePair {
    pub(super) address: String,
    pub(super) before: Side,
    pub(super) after: Side,
}

/// An output of either version.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct OutputPair {
    pub(super) name: String,
    /// The value, and whether it is sensitive.
    pub(super) before: Option<(Value, bool)>,
    pub(super) after: Option<(Value, bool)>,
}

/// The difference. What `masker` masks is hidden.
///
/// # Errors
/// If it cannot be read as a plan.
pub(super) fn difference(
    instances: &[InstancePair],
    outputs: &[OutputPair],
    masker: Option<&Masker>,
) -> Result<PlanView, &'static str> {
    let resources: Vec<Value> = instances.iter().filter_map(resource).collect();
    let outputs: Map<String, Value> = outputs.iter().map(|pair| (pair.name.clone(), output(pair))).collect();
    let plan = json!({"format_version": "1.2", "resource_changes": resources, "output_changes": outputs});
    plan_view::read(&plan, masker)
}

fn resource(pair: &InstancePair) -> Option<Value> {
    let action = match (&pair.before, &pair.after) {
        (Side::Absent, Side::Absent) => return None,
        (Side::Absent, _) => "create",
        (_, Side::Absent) => "delete",
        _ => "update",
    };
    let attributes = |side: &Side| match side {
        Side::Instance(value) => value.get("attributes").cloned().unwrap_or_default(),
        Side::Absent | Side::TooLarge => Value::Null,
    };
    let status = |side: &Side| match side {
        Side::Instance(value) => value.get("status").and_then(Value::as_str).unwrap_or_default().to_owned(),
        Side::Absent | Side::TooLarge => String::new(),
    };
    let is_large = [&pair.before, &pair.after].contains(&&Side::TooLarge);
    let (before, after) =
        if is_large { Default::default() } else { (attributes(&pair.before), attributes(&pair.after)) };
    let note = match (status(&pair.before).as_str(), status(&pair.after).as_str()) {
        _ if is_large => Some("the resource is too large for its values to be compared"),
        (was, "tainted") if was != "tainted" => Some("the resource is tainted now"),
        ("tainted", _) if action == "update" => Some("the resource is not tainted any more"),
        _ => None,
    };
    // Private data of providers, and what it depends on, are no changes that anybody could read.
    if action == "update" && before == after && note.is_none() {
        return None;
    }
    Some(json!({
        "address": pair.address,
        "action_reason": note,
        "change": {
            "actions": [action],
            "before_sensitive": marks(&pair.before),
            "after_sensitive": marks(&pair.after),
            "before": before,
            "after": after,
        },
    }))
}

fn output(pair: &OutputPair) -> Value {
    let action = match (&pair.before, &pair.after) {
        (None, _) => "create",
        (_, None) => "delete",
        // A sensitive value that stays is still to be hidden elsewhere.
        (before, after) if before == after => "no-op",
        _ => "update",
    };
    let value = |side: &Option<(Value, bool)>| side.as_ref().map(|(value, _)| value.clone());
    let is_sensitive = |side: &Option<(Value, bool)>| side.as_ref().is_some_and(|(_, is)| *is);
    json!({
        "actions": [action],
        "before": value(&pair.before),
        "after": value(&pair.after),
        "before_sensitive": is_sensitive(&pair.before),
        "after_sensitive": is_sensitive(&pair.after),
    })
}

/// What of an instance is sensitive, in the form of plans: `true` in the place of a value.
fn marks(side: &Side) -> Value {
    let Side::Instance(instance) = side else { return Value::Bool(false) };
    let mut marks = named(instance.get("attributes").unwrap_or(&Value::Null));
    let paths = instance.get("sensitive_attributes").and_then(Value::as_array);
    for path in paths.into_iter().flatten() {
        mark(&mut marks, path.as_array().map(Vec::as_slice).unwrap_or_default());
    }
    marks
}

/// The texts under names that say what they are.
fn named(value: &Value) -> Value {
    let is_secret = |name: &str| {
        let name = name.to_lowercase();
        SECRET_NAMES.iter().any(|secret| name.contains(secret))
    };
    match value {
        Value::Object(values) => Value::Object(
            values
                .iter()
                .map(|(name, value)| {
                    let is_hidden = value.is_string() && is_secret(name);
                    (name.clone(), if is_hidden { Value::Bool(true) } else { named(value) })
                })
                .collect(),
        ),
        Value::Array(values) => Value::Array(values.iter().map(named).collect()),
        _ => Value::Bool(false),
    }
}

/// Marks what a path leads to, such as `[{"type": "get_attr", "value": "tags"}, {"type": "index", "value": {"value": "a"}}]`. What cannot be
/// followed is marked as a whole.
fn mark(marks: &mut Value, path: &[Value]) {
    let Some((step, rest)) = path.split_first() else {
        *marks = Value::Bool(true);
        return;
    };
    let value = step.get("value");
    let key =
        value.and_then(Value::as_str).or_else(|| value.and_then(|value| value.get("value")).and_then(Value::as_str));
    let place = value.and_then(|value| value.get("value")).and_then(|value| match value {
        Value::Number(number) => number.as_u64(),
        // Numbers of any size are written as texts by some versions.
        Value::String(text) => text.parse().ok(),
        _ => None,
    });
    let place = place.and_then(|place| usize::try_from(place).ok());
    let next = match marks {
        Value::Object(marks) => key.and_then(|key| marks.get_mut(key)),
        Value::Array(marks) => place.and_then(|place| marks.get_mut(place)),
        _ => None,
    };
    match next {
        Some(next) => mark(next, rest),
        None => *marks = Value::Bool(true),
    }
}

#[cfg(test)]
#[path = "state_difference_tests.rs"]
mod tests;
