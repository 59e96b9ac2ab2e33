//! Pure: the JSON form of a plan without its sensitive values, as the programs render it. Marked values are replaced by others of their
//! kind, which differ if the real ones do, so that a change is still shown as one.

use serde_json::{Map, Value, json};

use super::hidden_texts::HiddenTexts;
use crate::engine::masking::{MASK, Masker};

/// What stands for a text: before and after, and after if it is another one.
const TEXTS: [&str; 2] = ["(sensitive value)", "(another sensitive value)"];

/// Words of the program, which stay what they are even if a secret is the same word.
const WORDS: [&str; 6] = ["mode", "type", "name", "provider_name", "action_reason", "actions"];

/// Which of the two values of a change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

/// A plan without sensitive values: those that are marked, and those that `masker` masks.
///
/// # Errors
/// If it is not the JSON form of a plan.
pub fn redacted(plan: &Value, masker: Option<&Masker>) -> Result<Value, &'static str> {
    let version = plan.get("format_version").and_then(Value::as_str);
    let version = version.ok_or("format_version is missing; the document must be the output of `show -json`")?;
    let hidden = HiddenTexts::of(plan, masker);
    let resources = |key: &str| -> Vec<Value> {
        let list = plan.get(key).and_then(Value::as_array).into_iter().flatten();
        list.map(|resource| of_resource(resource, &hidden)).collect()
    };
    let outputs = plan.get("output_changes").and_then(Value::as_object).into_iter().flatten();
    let outputs: Map<String, Value> =
        outputs.map(|(name, change)| (hidden.covered(name.clone()), of_change(change, &hidden))).collect();
    Ok(json!({
        "plan_format_version": version,
        "resource_changes": resources("resource_changes"),
        "resource_drift": resources("resource_drift"),
        "output_changes": outputs,
        "relevant_attributes": covered(plan.get("relevant_attributes").unwrap_or(&json!([])), &hidden),
    }))
}

fn of_resource(resource: &Value, hidden: &HiddenTexts<'_>) -> Value {
    let fields = resource.as_object().into_iter().flatten();
    let one = |(key, value): (&String, &Value)| {
        let value = if key == "change" { of_change(value, hidden) } else { field(key, value, hidden) };
        (key.clone(), value)
    };
    fields.map(one).collect::<Map<String, Value>>().into()
}

fn of_change(change: &Value, hidden: &HiddenTexts<'_>) -> Value {
    let part = |key: &str| change.get(key).unwrap_or(&Value::Null);
    let (before, after) = (part("before"), part("after"));
    let marks = [part("before_sensitive"), part("after_sensitive")];
    let mut all = Map::new();
    all.insert("before".into(), concealed(Side::Before, before, after, marks, hidden));
    all.insert("after".into(), concealed(Side::After, after, before, marks, hidden));
    for key in [
        "actions",
        "after_unknown",
        "before_sensitive",
        "after_sensitive",
        "replace_paths",
        "importing",
        "generated_config",
    ] {
        all.extend(change.get(key).map(|value| (key.to_owned(), field(key, value, hidden))));
    }
    all.into()
}

/// A value of a change without what is marked in it or in the value on the other side.
fn concealed(side: Side, value: &Value, other: &Value, marks: [&Value; 2], hidden: &HiddenTexts<'_>) -> Value {
    if marks.contains(&&Value::Bool(true)) {
        return stand_in(value, side == Side::After && value != other);
    }
    match value {
        Value::Array(values) => {
            let one = |(place, value): (usize, &Value)| {
                let marks = marks.map(|marks| marks.get(place).unwrap_or(&Value::Null));
                concealed(side, value, other.get(place).unwrap_or(&Value::Null), marks, hidden)
            };
            values.iter().enumerate().map(one).collect()
        }
        Value::Object(values) => {
            let one = |(key, value): (&String, &Value)| {
                let marks = marks.map(|marks| marks.get(key.as_str()).unwrap_or(&Value::Null));
                let other = other.get(key.as_str()).unwrap_or(&Value::Null);
                (hidden.covered(key.clone()), concealed(side, value, other, marks, hidden))
            };
            values.iter().map(one).collect::<Map<String, Value>>().into()
        }
        value => covered(value, hidden),
    }
}

/// What stands for a sensitive value. Of lists and objects, neither lengths nor keys are told.
fn stand_in(value: &Value, is_other: bool) -> Value {
    let [text, another] = TEXTS;
    match value {
        Value::Null => Value::Null,
        Value::Bool(_) => is_other.into(),
        Value::Number(_) => u8::from(is_other).into(),
        Value::String(_) => if is_other { another } else { text }.into(),
        Value::Array(_) => {
            if is_other {
                json!([text])
            } else {
                json!([])
            }
        }
        Value::Object(_) => {
            if is_other {
                json!({ text: text })
            } else {
                json!({})
            }
        }
    }
}

/// A field of a resource or a change that is no value.
fn field(key: &str, value: &Value, hidden: &HiddenTexts<'_>) -> Value {
    if WORDS.contains(&key) { value.clone() } else { covered(value, hidden) }
}

/// A value without the copies of sensitive texts that are in it.
fn covered(value: &Value, hidden: &HiddenTexts<'_>) -> Value {
    match value {
        Value::Array(values) => values.iter().map(|value| covered(value, hidden)).collect(),
        Value::Object(values) => {
            let one = |(key, value): (&String, &Value)| (hidden.covered(key.clone()), covered(value, hidden));
            values.iter().map(one).collect::<Map<String, Value>>().into()
        }
        Value::String(text) if hidden.are_in(text) => MASK.into(),
        Value::Number(number) if hidden.are_in(&number.to_string()) => 0.into(),
        value => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(change: &Value) -> Value {
        let plan = json!({
            "format_version": "1.2", "prior_state": {"secret": "left-out"}, "variables": {"a": {"value": "left-out"}},
            "resource_changes": [{"address": "a.b", "mode": "managed", "type": "a", "provider_name": "p", "change": change}],
        });
        let plan = redacted(&plan, None).unwrap();
        assert!(!plan.to_string().contains("left-out"));
        plan["resource_changes"][0]["change"].clone()
    }

    #[test]
    fn marked_values_are_replaced() {
        let change = of(&json!({
            "actions": ["update"],
            "before": {"word": "open", "password": "secret-1", "pin": 7, "flag": true, "list": ["secret-2"], "same": "secret-3"},
            "after": {"word": "new", "password": "secret-4", "pin": 8, "flag": false, "list": ["secret-5"], "same": "secret-3"},
            "before_sensitive": {"password": true, "pin": true, "flag": true, "list": true, "same": true},
            "after_sensitive": {"password": true, "pin": true, "flag": true, "list": true, "same": true},
            "after_unknown": {},
        }));
        let [text, another] = TEXTS;
        let before = json!({"word": "open", "password": text, "pin": 0, "flag": false, "list": [], "same": text});
        let after = json!({"word": "new", "password": another, "pin": 1, "flag": true, "list": [text], "same": text});
        assert_eq!((&change["before"], &change["after"]), (&before, &after));
        assert_eq!(change["actions"], json!(["update"]));
    }

    #[test]
    fn a_mark_on_one_side_hides_both() {
        let change = of(&json!({
            "actions": ["update"], "before": {"a": {"b": "secret-1", "c": "x"}}, "after": {"a": {"b": "opened", "c": "x"}},
            "before_sensitive": {"a": {"b": true}}, "after_sensitive": {},
        }));
        assert_eq!(change["after"], json!({"a": {"b": TEXTS[1], "c": "x"}}));
    }

    #[test]
    fn copies_are_masked() {
        let change = of(&json!({
            "actions": ["create"], "before": null, "before_sensitive": false,
            "after": {"word": "create", "password": "secret-1", "url": "https://me:secret-1@host", "tags": {"secret-1": 1}},
            "after_sensitive": {"password": true, "word": true},
        }));
        assert_eq!((&change["before"], &change["actions"]), (&Value::Null, &json!(["create"])));
        assert_eq!(change["after"], json!({"word": TEXTS[1], "password": TEXTS[1], "url": MASK, "tags": {MASK: 1}}));
    }

    #[test]
    fn generated_configuration_is_kept() {
        let text = "resource \"a\" \"b\" {\n  password = null # sensitive\n}";
        let change = of(&json!({
            "actions": ["no-op"], "before": {"password": "secret-1"}, "after": {"password": "secret-1"}, "generated_config": text,
            "before_sensitive": {"password": true}, "after_sensitive": {"password": true}, "importing": {"id": "x"},
        }));
        assert_eq!((&change["generated_config"], &change["importing"]["id"]), (&json!(text), &json!("x")));
    }

    #[test]
    fn other_documents_are_refused() {
        assert!(redacted(&json!({"resource_changes": []}), None).is_err());
    }
}
