//! Pure: keys that are no advanced setting: most are misspelt. The official API ignores them; who reads what a person wrote refuses them.

use serde_json::{Map, Value};

use super::catalog::SETTINGS;
use crate::input::Refusal;

/// A refusal for each key that is no setting, with the setting that is spelt almost like it.
#[must_use]
pub fn unknown_settings(given: &Map<String, Value>) -> Vec<Refusal> {
    let unknown = given.keys().filter(|key| !SETTINGS.iter().any(|setting| setting.key == **key));
    unknown
        .map(|key| {
            let message = match nearest(key) {
                Some(nearest) => format!("is no advanced setting; did you mean {nearest}?"),
                None => "is no advanced setting".to_owned(),
            };
            Refusal { field: key.clone(), message }
        })
        .collect()
}

fn nearest(key: &str) -> Option<&'static str> {
    let most = key.chars().count() / 4;
    let candidates = SETTINGS.iter().map(|setting| (strsim::damerau_levenshtein(key, setting.key), setting.key));
    candidates.filter(|(distance, _)| *distance <= most).min().map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::unknown_settings;

    #[test]
    fn misspelt_settings() {
        let given = json!({"cronjob.concurency_policy": "Queue", "cronjob.jitter_seconds": 1, "nonsense": 1});
        let found: Vec<String> = unknown_settings(given.as_object().unwrap()).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].ends_with("is no advanced setting; did you mean cronjob.concurrency_policy?"), "{found:?}");
        assert!(found[1].ends_with("is no advanced setting"), "{found:?}");
    }
}
