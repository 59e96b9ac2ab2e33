//! Pure: labels of resources and names of variables, made of names that may contain anything.

use std::collections::HashSet;

/// Gives each name a label of its own.
#[derive(Debug, Default)]
pub(super) struct Labels(HashSet<String>);

impl Labels {
    /// A label that was not given before. A name is shown in small letters, with `_` for everything else.
    pub(super) fn give(&mut self, name: &str) -> String {
        let base = plain(name);
        let mut label = base.clone();
        let mut number = 2;
        while !self.0.insert(label.clone()) {
            label = format!("{base}_{number}");
            number += 1;
        }
        label
    }
}

fn plain(name: &str) -> String {
    let mut label = String::new();
    for letter in name.chars().take(64) {
        if letter.is_ascii_alphanumeric() {
            label.push(letter.to_ascii_lowercase());
        } else if !label.is_empty() && !label.ends_with('_') {
            label.push('_');
        }
    }
    let label = label.trim_end_matches('_');
    if label.starts_with(|first: char| first.is_ascii_alphabetic()) { label.to_owned() } else { format!("_{label}") }
}

#[cfg(test)]
mod tests {
    use super::Labels;

    #[test]
    fn labels_are_valid_and_different() {
        let mut labels = Labels::default();
        let names = ["Nightly import", "nightly-import", "1st", "\u{fc}ber", "--", "\u{4e2d}"];
        let given: Vec<String> = names.iter().map(|name| labels.give(name)).collect();
        assert_eq!(given, ["nightly_import", "nightly_import_2", "_1st", "ber", "_", "__2"]);
    }
}
