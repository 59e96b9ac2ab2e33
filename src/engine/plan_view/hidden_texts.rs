//! Pure: the sensitive texts of a plan. The tools mark values, but not the copies that a provider makes of them in other attributes, and
//! they do not know which variables of a workspace are sensitive if the module does not say so.

use std::collections::BTreeSet;

use aho_corasick::AhoCorasick;
use serde_json::Value;

use crate::engine::masking::{MASK, Masker};

/// Shorter texts would hide what has nothing to do with them.
const SHORTEST: usize = 4;
/// The most texts that are looked for.
const MOST: usize = 5000;

/// Finds the sensitive texts of a plan in other values.
pub(super) struct HiddenTexts<'a> {
    marked: Option<AhoCorasick>,
    /// What is masked in the log of the step.
    masker: Option<&'a Masker>,
}

impl<'a> HiddenTexts<'a> {
    /// Of the changes and the variables of a plan, and those of a masker.
    pub(super) fn of(plan: &Value, masker: Option<&'a Masker>) -> Self {
        let mut found = BTreeSet::new();
        let lists = ["resource_changes", "resource_drift"].map(|key| plan.get(key).and_then(Value::as_array));
        let resources = lists.into_iter().flatten().flatten().filter_map(|resource| resource.get("change"));
        let outputs =
            plan.get("output_changes").and_then(Value::as_object).into_iter().flat_map(|outputs| outputs.values());
        for change in resources.chain(outputs) {
            for (value, marks) in [("before", "before_sensitive"), ("after", "after_sensitive")] {
                if let (Some(value), Some(marks)) = (change.get(value), change.get(marks)) {
                    collect(value, marks, &mut found);
                }
            }
        }
        let declared = plan.pointer("/configuration/root_module/variables").and_then(Value::as_object);
        for (name, declaration) in declared.into_iter().flatten() {
            let value = plan.get("variables").and_then(|all| all.get(name)).and_then(|variable| variable.get("value"));
            if let (Some(value), Some(marks)) = (value, declaration.get("sensitive")) {
                collect(value, marks, &mut found);
            }
        }
        let texts: Vec<&str> = found.into_iter().take(MOST).collect();
        let marked = (!texts.is_empty()).then(|| AhoCorasick::new(&texts).ok()).flatten();
        Self { marked, masker }
    }

    /// Whether any of them is in a text.
    pub(super) fn are_in(&self, text: &str) -> bool {
        self.marked.as_ref().is_some_and(|texts| texts.is_match(text)) || self.masker.is_some_and(|own| own.is_in(text))
    }

    /// Whether any of them is in a value, or in a key of it.
    pub(super) fn are_within(&self, value: &Value) -> bool {
        match value {
            Value::Null => false,
            Value::String(text) => self.are_in(text),
            Value::Bool(_) | Value::Number(_) => self.are_in(&value.to_string()),
            Value::Array(values) => values.iter().any(|value| self.are_within(value)),
            Value::Object(values) => values.iter().any(|(key, value)| self.are_in(key) || self.are_within(value)),
        }
    }

    /// A name, such as an address with a key, without them.
    pub(super) fn covered(&self, name: String) -> String {
        if self.are_in(&name) { MASK.to_owned() } else { name }
    }
}

/// The texts inside a value that are marked: `true` marks everything below.
fn collect<'a>(value: &'a Value, marks: &Value, found: &mut BTreeSet<&'a str>) {
    let everything = Value::Bool(true);
    let inner = |mark: Option<&Value>| {
        if marks == &everything { everything.clone() } else { mark.cloned().unwrap_or_default() }
    };
    match value {
        Value::String(text) if marks == &everything && text.len() >= SHORTEST => {
            found.insert(text.as_str());
        }
        Value::Array(values) => {
            for (place, value) in values.iter().enumerate() {
                collect(value, &inner(marks.get(place)), found);
            }
        }
        Value::Object(values) => {
            for (key, value) in values {
                collect(value, &inner(marks.get(key.as_str())), found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn marked_texts_are_found_elsewhere() {
        let plan = json!({
            "resource_changes": [{"change": {
                "before": {"a": ["open-text", {"b": "hidden-1"}], "c": "abc"}, "before_sensitive": {"a": [false, true], "c": true},
                "after": null, "after_sensitive": false,
            }}],
            "variables": {"password": {"value": "hidden-2"}, "name": {"value": "open-name"}},
            "configuration": {"root_module": {"variables": {"password": {"sensitive": true}, "name": {}}}},
        });
        let hidden = HiddenTexts::of(&plan, None);
        assert!(hidden.are_in("user:hidden-1@host") && hidden.are_in("hidden-2"));
        assert!(!hidden.are_in("open-text") && !hidden.are_in("open-name") && !hidden.are_in("abc"));
        assert!(!HiddenTexts::of(&json!({}), None).are_in(""));
        assert!(
            hidden.are_within(&json!([{"x": 1}, {"hidden-1": 2}])) && !hidden.are_within(&json!([1, "open", null]))
        );
    }

    #[test]
    fn what_the_log_masks_is_hidden_too() {
        let masker = Masker::new(&["from-the-workspace".to_owned()]);
        let hidden = HiddenTexts::of(&json!({}), Some(&masker));
        assert!(hidden.are_within(&json!({"a": ["is from-the-workspace."]})) && !hidden.are_in("open-text"));
        assert_eq!(hidden.covered("a.b[\"from-the-workspace\"]".into()), MASK);
        assert_eq!(hidden.covered("a.b".into()), "a.b");
    }
}
