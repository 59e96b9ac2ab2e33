//! Keys of a request body that its schema in the contract does not know: most are misspelt.

use serde_json::Value;

use super::shape::Shape;
use super::warnings::Warnings;

/// How many unknown keys of a body are named.
const MOST: usize = 20;
/// How deep a body is compared with its schema.
const DEPTH: usize = 12;
/// The longest key that is shown as it was sent, in characters.
const SHOWN: usize = 64;

/// An unknown key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::api) struct UnknownKey {
    /// Its path in the body.
    pub(in crate::api) path: String,
    /// The known key that is spelt almost like it.
    pub(in crate::api) nearest: Option<String>,
}

impl UnknownKey {
    /// Why a strict operation refuses it.
    pub(in crate::api) fn refusal(&self) -> String {
        match &self.nearest {
            Some(nearest) => format!("is not a known key; did you mean {nearest}?"),
            None => "is not a known key".to_owned(),
        }
    }
}

/// Names the unknown keys of a body in the `Warning` header of its response.
pub(super) fn warn(warnings: &Warnings, keys: &[UnknownKey]) {
    if keys.is_empty() {
        return;
    }
    let named = keys.iter().map(|key| match &key.nearest {
        Some(nearest) => format!("{} (did you mean {nearest}?)", key.path),
        None => key.path.clone(),
    });
    warnings.add(format!("unknown keys were ignored: {}", named.collect::<Vec<_>>().join(", ")));
}

/// The keys of a body that its schema does not know.
pub(super) fn unknown_keys(schema: &'static Value, body: &Value) -> Vec<UnknownKey> {
    let mut found = Vec::new();
    compare(schema, body, "", DEPTH, &mut found);
    found.truncate(MOST);
    found
}

fn compare(schema: &'static Value, body: &Value, path: &str, depth: usize, found: &mut Vec<UnknownKey>) {
    if depth == 0 || found.len() >= MOST {
        return;
    }
    match body {
        Value::Array(items) => {
            let Some(schema) = Shape::of(schema, body).items else { return };
            for (place, item) in items.iter().enumerate() {
                compare(schema, item, &format!("{path}[{place}]"), depth - 1, found);
            }
        }
        Value::Object(fields) => {
            let shape = Shape::of(schema, body);
            for (key, value) in fields {
                let below = if path.is_empty() { plain(key) } else { format!("{path}.{}", plain(key)) };
                match shape.property(key) {
                    Some(schema) => compare(schema, value, &below, depth - 1, found),
                    None if shape.open => {}
                    None => found.push(UnknownKey { path: below, nearest: nearest(key, shape.properties.keys()) }),
                }
            }
        }
        _ => {}
    }
}

/// A key that a header and an error can show.
fn plain(key: &str) -> String {
    let shown = |letter: char| if letter.is_ascii_alphanumeric() || "_.-".contains(letter) { letter } else { '?' };
    key.chars().take(SHOWN).map(shown).collect()
}

/// The known key that is spelt almost like this one.
fn nearest<'a>(key: &str, known: impl Iterator<Item = &'a &'a str>) -> Option<String> {
    let key: String = key.chars().take(SHOWN).collect();
    let most = (key.chars().count() / 3).max(1);
    // Two letters in the wrong order count as one mistake.
    let candidates = known.map(|known| (strsim::damerau_levenshtein(&key, known), *known));
    candidates.filter(|(distance, _)| *distance <= most).min().map(|(_, known)| known.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::operation_schema::{bodies, body_schema};
    use super::super::warnings::Warnings;
    use super::{Shape, UnknownKey, unknown_keys, warn};
    use poem::http::Method;
    use serde_json::json;

    const NEW_JOB: &str = "/environment/:environmentId/job";
    const RUN: &str = "/job/:jobId/run";

    fn found(pattern: &str, body: &serde_json::Value) -> Vec<(String, Option<String>)> {
        let schema = body_schema(&Method::POST, pattern).unwrap();
        let keys = unknown_keys(schema, body);
        keys.into_iter().map(|UnknownKey { path, nearest }| (path, nearest)).collect()
    }

    fn key(path: &str, nearest: Option<&str>) -> (String, Option<String>) {
        (path.to_owned(), nearest.map(str::to_owned))
    }

    #[test]
    fn misspelt_keys_are_found_at_every_depth() {
        let body = json!({
            "name": "a", "max_restarts": 3, "healthchecks": {},
            "source": {"image": {"image_name": "a", "tga": "1"}},
            "schedule": {"cronjob": {"scheduled_at": "* * * * *", "argumets": []}},
        });
        let expected = vec![
            key("max_restarts", Some("max_nb_restart")),
            key("schedule.cronjob.argumets", Some("arguments")),
            key("source.image.tga", Some("tag")),
        ];
        let mut keys = found(NEW_JOB, &body);
        keys.sort();
        assert_eq!(keys, expected);
        assert_eq!(found(RUN, &json!({"environment": {"ANY": "1"}, "arguments": []})), []);
        assert_eq!(found(RUN, &json!({"argumets": []})), [key("argumets", Some("arguments"))]);
        assert_eq!(body_schema(&Method::POST, "/no/such/path"), None);
    }

    #[test]
    fn every_operation_knows_its_keys() {
        let unknown = json!({"not_a_key": 1});
        let mut all = 0;
        for (path, method, schema) in bodies() {
            let shape = Shape::of(schema, &unknown);
            let is_open = shape.open || shape.others.is_some();
            assert_eq!(unknown_keys(schema, &unknown).is_empty(), is_open, "{method} {path}");
            all += usize::from(!is_open);
        }
        assert!(all > 80, "{all} operations have bodies with known keys");
        assert_eq!(
            found("/environment/:environmentId/cancelDeployment", &json!({"force_cancle": true})),
            [key("force_cancle", Some("force_cancel"))],
            "a schema without a name"
        );
    }

    #[test]
    fn the_header_is_plain_text() {
        let warnings = Warnings::default();
        warn(&warnings, &[]);
        assert_eq!(warnings.header(), None);
        let schema = body_schema(&Method::POST, RUN).unwrap();
        warn(&warnings, &unknown_keys(schema, &json!({"a\r\nb\u{fc}\"": 1, "argumets": []})));
        let text = warnings.header().unwrap();
        let text = text.to_str().unwrap();
        assert_eq!(text, "299 - \"unknown keys were ignored: a??b??, argumets (did you mean arguments?)\"");
    }
}
