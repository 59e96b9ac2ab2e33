//! Pure: which texts of the secrets of a run are masked.
//!
//! A secret is masked as a whole. A line of a secret with several lines is also masked alone, unless it is short or a common word,
//! which would be masked everywhere and protect nothing. So are the texts and numbers inside a structured value.

use zeroize::Zeroizing;

use super::leaves::{SHORTEST, is_structured, leaves};

/// The shortest line that is masked alone, in characters.
const SHORTEST_LINE: usize = 8;

/// Words that are no secret when they are alone in a line: all words of configuration files that are long enough.
const COMMON: [&str; 52] = [
    "127.0.0.1",
    "administrator",
    "annotations",
    "apiversion",
    "application",
    "certificate",
    "clusters",
    "configuration",
    "container",
    "containers",
    "contexts",
    "continue",
    "credentials",
    "database",
    "default_value",
    "description",
    "development",
    "disabled",
    "endpoint",
    "environment",
    "external",
    "firewall",
    "function",
    "hostname",
    "identity",
    "internal",
    "localhost",
    "metadata",
    "namespace",
    "optional",
    "parameters",
    "password",
    "permissions",
    "postgres",
    "postgresql",
    "preferences",
    "production",
    "properties",
    "protocol",
    "provider",
    "readonly",
    "required",
    "resource",
    "resources",
    "security",
    "selector",
    "services",
    "settings",
    "template",
    "undefined",
    "username",
    "variables",
];

/// The texts to mask, without duplicates. Each may have several lines.
#[must_use]
pub fn texts<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Zeroizing<Vec<String>> {
    let mut found = Zeroizing::new(Vec::new());
    for secret in secrets {
        add(&mut found, secret);
        if is_structured(secret) {
            let leaves = leaves(secret);
            leaves.iter().for_each(|leaf| add(&mut found, leaf));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// Adds a text, and its lines.
fn add(found: &mut Vec<String>, text: &str) {
    let whole = text.trim();
    if whole.chars().count() < SHORTEST {
        return;
    }
    if whole.contains(['\n', '\r']) {
        let lines = whole.split(['\n', '\r']).map(str::trim).filter(|line| is_masked_alone(line));
        found.extend(lines.map(str::to_owned));
    }
    found.push(whole.to_owned());
}

/// Whether a line of a secret is masked where it stands alone.
fn is_masked_alone(line: &str) -> bool {
    let word = line.trim_matches(|letter: char| !letter.is_alphanumeric());
    line.chars().count() >= SHORTEST_LINE && !word.is_empty() && !COMMON.contains(&word.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::{COMMON, texts};

    #[test]
    fn lines_that_protect_nothing_are_not_masked_alone() {
        let secret = "  null\ntrue\r\n1234\npassword:\nPRODUCTION\n----------\nlong enough\n";
        let whole = secret.trim();
        assert_eq!(*texts([secret]), ["long enough", whole]);
        assert_eq!(*texts(["true", "abc", " abcd ", "", "abcd"]), ["abcd", "true"]);
    }

    #[test]
    fn leaves_of_structured_values_are_masked() {
        let found = texts([r#"{"password": "hunter22", "port": 54321, "on": true, "short": "abc"}"#]);
        assert!(["hunter22", "54321"].iter().all(|leaf| found.iter().any(|text| text == leaf)), "{found:?}");
        assert_eq!(found.len(), 3);
        assert_eq!(*texts(["a \"quoted\" word"]), ["a \"quoted\" word"]);
    }

    #[test]
    fn common_words_are_sorted_and_long_enough() {
        assert!(COMMON.is_sorted() && COMMON.iter().all(|word| word.len() >= 8 && *word == word.to_lowercase()));
    }
}
