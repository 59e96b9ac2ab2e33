//! Pure: tags of workspaces. A tag has a name, here as everywhere; one with a value is called `key=value`.

use serde::Deserialize;
use serde_json::{Value, json};

/// The longest key and the longest value, in characters.
const LONGEST: usize = 127;

/// A tag as a key and a value, which may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct TagBinding {
    pub(super) key: String,
    #[serde(default)]
    pub(super) value: String,
}

/// What separates key and value in a name.
const SEPARATOR: char = '=';

impl TagBinding {
    /// A tag by its stored name.
    pub(super) fn of(name: &str) -> Self {
        let (key, value) = name.split_once(SEPARATOR).unwrap_or((name, ""));
        Self { key: key.to_owned(), value: value.to_owned() }
    }

    /// The name that it is stored under.
    pub(super) fn name(&self) -> String {
        if self.value.is_empty() { self.key.clone() } else { format!("{}{SEPARATOR}{}", self.key, self.value) }
    }

    /// How the names of all tags with this key and a value begin.
    pub(super) fn beginning(key: &str) -> String {
        format!("{key}{SEPARATOR}")
    }

    /// Why it cannot be stored, if it cannot.
    pub(super) fn refusal(&self) -> Option<String> {
        let is_long = |text: &str| text.chars().count() > LONGEST;
        let is_odd = |text: &str| text.chars().any(|letter| letter.is_control() || letter == ',');
        if self.key.trim().is_empty() || self.key.contains(SEPARATOR) || is_long(&self.key) || is_odd(&self.key) {
            let text = format!(
                "{:?} is no key of a tag: a key has 1 to {LONGEST} characters, and no {SEPARATOR} or comma",
                self.key
            );
            return Some(text);
        }
        if is_long(&self.value) || is_odd(&self.value) {
            return Some(format!(
                "the value of the tag {} must have at most {LONGEST} characters, and no comma",
                self.key
            ));
        }
        None
    }

    /// The tag as a resource. Its id is its name.
    pub(super) fn resource(&self) -> Value {
        json!({
            "id": self.name(),
            "type": "tag-bindings",
            "attributes": {"key": self.key, "value": self.value},
        })
    }
}

#[cfg(test)]
mod tests {
    use super::TagBinding;

    #[test]
    fn names_and_bindings() {
        for (name, key, value) in [("app", "app", ""), ("env=prod", "env", "prod"), ("a=b=c", "a", "b=c")] {
            let tag = TagBinding { key: key.into(), value: value.into() };
            assert_eq!(TagBinding::of(name), tag);
            assert_eq!(tag.name(), name);
            assert_eq!(tag.refusal(), None);
        }
        for (key, value) in [("", ""), (" ", "x"), ("a=b", ""), ("a,b", ""), ("a", "b,c"), ("a\n", "")] {
            assert!(TagBinding { key: key.into(), value: value.into() }.refusal().is_some(), "{key:?} {value:?}");
        }
        assert!(TagBinding { key: "x".repeat(128), value: String::new() }.refusal().is_some());
    }
}
