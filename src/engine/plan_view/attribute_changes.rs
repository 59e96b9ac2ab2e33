//! Pure: which attributes of a resource change, and from what to what. Sensitive values never leave this folder.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::hidden_texts::HiddenTexts;

/// The most characters of a value that are shown.
const LONGEST_VALUE: usize = 2000;

/// One side of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlanValue {
    Absent,
    /// As JSON, except that a text has no quotes; a long one is cut and ends in "…".
    Known(String),
    /// Known after apply.
    Unknown,
    Sensitive,
}

/// A value inside a resource that changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributeChange {
    /// Such as `tags.owner` or `ingress[0].port`; empty for the value as a whole.
    pub path: String,
    pub old: PlanValue,
    pub new: PlanValue,
    /// Whether this change is why the resource is replaced.
    pub forces_replacement: bool,
}

/// A `change` of the JSON form of a plan.
pub(super) struct Change<'a> {
    pub(super) before: &'a Value,
    pub(super) after: &'a Value,
    pub(super) after_unknown: &'a Value,
    pub(super) before_sensitive: &'a Value,
    pub(super) after_sensitive: &'a Value,
    pub(super) replace_paths: &'a [Value],
    pub(super) hidden: &'a HiddenTexts<'a>,
}

#[derive(Clone)]
enum Step<'a> {
    Key(&'a str),
    Place(usize),
}

/// The changed values, at most `limit`; whether there are more is the second part of the answer.
pub(super) fn changes(change: &Change<'_>, limit: usize) -> (Vec<AttributeChange>, bool) {
    let mut walk =
        Walk { replace_paths: change.replace_paths, hidden: change.hidden, limit, found: Vec::new(), more: false };
    let sides = Sides {
        old: Some(change.before).filter(|value| !value.is_null()),
        new: Some(change.after).filter(|value| !value.is_null()),
        unknown: change.after_unknown,
        old_sensitive: change.before_sensitive,
        new_sensitive: change.after_sensitive,
    };
    walk.visit(&mut Vec::new(), &sides);
    (walk.found, walk.more)
}

struct Sides<'a> {
    old: Option<&'a Value>,
    new: Option<&'a Value>,
    unknown: &'a Value,
    old_sensitive: &'a Value,
    new_sensitive: &'a Value,
}

struct Walk<'a> {
    hidden: &'a HiddenTexts<'a>,
    replace_paths: &'a [Value],
    limit: usize,
    found: Vec<AttributeChange>,
    more: bool,
}

impl<'a> Walk<'a> {
    fn visit(&mut self, path: &mut Vec<Step<'a>>, sides: &Sides<'a>) {
        let whole = |value: &Value| value.as_bool() == Some(true);
        let is_leaf = whole(sides.unknown) || whole(sides.old_sensitive) || whole(sides.new_sensitive);
        let steps = if is_leaf { BTreeSet::new() } else { steps(sides) };
        if steps.is_empty() {
            self.leaf(path, sides);
            return;
        }
        for key in steps {
            let step = |value: &'a Value| match &key {
                Place::Key(key) => value.get(*key),
                Place::At(place) => value.get(*place),
            };
            let mark = |value: &'a Value| step(value).unwrap_or(&Value::Null);
            let inner = Sides {
                old: sides.old.and_then(step),
                new: sides.new.and_then(step),
                unknown: mark(sides.unknown),
                old_sensitive: mark(sides.old_sensitive),
                new_sensitive: mark(sides.new_sensitive),
            };
            path.push(match key {
                Place::Key(key) => Step::Key(key),
                Place::At(place) => Step::Place(place),
            });
            self.visit(path, &inner);
            path.pop();
        }
    }

    fn leaf(&mut self, path: &[Step<'a>], sides: &Sides<'a>) {
        let is_unknown = sides.unknown.as_bool() == Some(true);
        let absent = |value: Option<&Value>| value.is_none_or(Value::is_null);
        let is_same = sides.old == sides.new || absent(sides.old) && absent(sides.new);
        if is_same && !is_unknown {
            return;
        }
        if self.found.len() >= self.limit {
            self.more = true;
            return;
        }
        let shown = |value: Option<&Value>, sensitive: &Value| match value.filter(|value| !value.is_null()) {
            None => PlanValue::Absent,
            Some(_) if is_marked(sensitive) => PlanValue::Sensitive,
            Some(value) if self.hidden.are_within(value) => PlanValue::Sensitive,
            Some(value) => PlanValue::Known(cut(text(value))),
        };
        let new = match (is_unknown, is_marked(sides.new_sensitive)) {
            (true, true) => PlanValue::Sensitive,
            (true, false) => PlanValue::Unknown,
            (false, _) => shown(sides.new, sides.new_sensitive),
        };
        self.found.push(AttributeChange {
            path: self.hidden.covered(written(path)),
            old: shown(sides.old, sides.old_sensitive),
            new,
            forces_replacement: self.replace_paths.iter().any(|forcing| meets(forcing, path)),
        });
    }
}

/// Whether any part of a value is sensitive. Leaves are hidden as a whole.
fn is_marked(sensitive: &Value) -> bool {
    match sensitive {
        Value::Bool(is_sensitive) => *is_sensitive,
        Value::Array(parts) => parts.iter().any(is_marked),
        Value::Object(parts) => parts.values().any(is_marked),
        _ => false,
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place<'a> {
    Key(&'a str),
    At(usize),
}

/// What the values have inside. Unknown values have no place on the new side, and are named only by `unknown`. Nothing, if one side is
/// of another kind than the other, so that they are compared as a whole.
fn steps<'a>(sides: &Sides<'a>) -> BTreeSet<Place<'a>> {
    let unknown = Some(sides.unknown).filter(|value| value.is_object() || value.is_array());
    let values: Vec<&'a Value> =
        [sides.old, sides.new, unknown].into_iter().flatten().filter(|value| !value.is_null()).collect();
    let mut found = BTreeSet::new();
    if values.iter().all(|value| value.is_object()) {
        found.extend(
            values.iter().filter_map(|value| value.as_object()).flat_map(|map| map.keys()).map(|key| Place::Key(key)),
        );
    } else if values.iter().all(|value| value.is_array()) {
        let longest = values.iter().filter_map(|value| value.as_array()).map(Vec::len).max();
        found.extend((0..longest.unwrap_or(0)).map(Place::At));
    }
    found
}

/// Whether a path that forces a replacement leads to this value, or through it.
fn meets(forcing: &Value, path: &[Step<'_>]) -> bool {
    let Some(forcing) = forcing.as_array() else { return false };
    forcing.iter().zip(path).all(|(part, step)| match step {
        Step::Key(key) => part.as_str() == Some(key),
        // The elements of a set are named by their values.
        Step::Place(place) => part.as_u64().is_none_or(|number| usize::try_from(number) == Ok(*place)),
    })
}

fn written(path: &[Step<'_>]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Place(place) => text.push_str(&format!("[{place}]")),
            Step::Key(key) => {
                let is_plain = key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
                match (is_plain && !key.is_empty(), text.is_empty()) {
                    (true, true) => text.push_str(key),
                    (true, false) => text.push_str(&format!(".{key}")),
                    (false, _) => text.push_str(&format!("[{key:?}]")),
                }
            }
        }
    }
    text
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn cut(text: String) -> String {
    match text.char_indices().nth(LONGEST_VALUE) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
