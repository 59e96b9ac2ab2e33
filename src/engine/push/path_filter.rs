//! Pure: lists of patterns for branches and paths. A pattern matches whole names.

use regex::{Regex, RegexBuilder};

/// The most patterns of one list, and the memory of one of them, in bytes.
const PATTERNS: usize = 50;
const MEMORY: usize = 256 * 1024;

/// The language of patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Regular expressions.
    Regex,
    /// Globs: `*` and `?` within one folder, `**` across folders.
    Glob,
}

impl Language {
    /// By its name in the API.
    #[must_use]
    pub fn named(name: &str) -> Self {
        if name == "PATTERN" { Self::Glob } else { Self::Regex }
    }
}

/// A list of patterns.
#[derive(Clone, Debug)]
pub struct Patterns(Vec<Regex>);

impl Patterns {
    /// Reads a list, which is separated by commas. An empty list has no patterns.
    ///
    /// # Errors
    /// What is allowed, to follow the name of a field.
    pub fn read(list: &str, language: Language) -> Result<Self, String> {
        let words: Vec<&str> = list.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
        if words.len() > PATTERNS {
            return Err(format!("must have at most {PATTERNS} patterns"));
        }
        let compiled = words.into_iter().map(|word| {
            let inner = match language {
                Language::Regex => word.to_owned(),
                Language::Glob => of_glob(word),
            };
            // A pattern that is complete only within the anchors is not valid.
            let alone = RegexBuilder::new(&inner).size_limit(MEMORY).build();
            let whole = alone.and_then(|_| RegexBuilder::new(&format!("^(?:{inner})$")).size_limit(MEMORY).build());
            whole.map_err(|error| match error {
                regex::Error::CompiledTooBig(_) => format!("has the pattern {word:?}, which is too large"),
                _ => format!("has the pattern {word:?}, which is not a regular expression"),
            })
        });
        compiled.collect::<Result<_, _>>().map(Self)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a name matches one of the patterns.
    #[must_use]
    pub fn fit(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| pattern.is_match(name))
    }
}

/// A glob as a regular expression.
fn of_glob(glob: &str) -> String {
    let mut made = String::new();
    let mut rest = glob.trim_start_matches('/');
    while let Some(letter) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("**/") {
            made.push_str("(?:.*/)?");
            rest = after;
        } else if let Some(after) = rest.strip_prefix("**") {
            made.push_str(".*");
            rest = after;
        } else {
            match letter {
                '*' => made.push_str("[^/]*"),
                '?' => made.push_str("[^/]"),
                other => made.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
            }
            rest = rest.get(letter.len_utf8()..).unwrap_or_default();
        }
    }
    made
}

#[cfg(test)]
mod tests {
    use super::{Language, Patterns};

    fn fit(list: &str, language: Language, name: &str) -> bool {
        Patterns::read(list, language).unwrap().fit(name)
    }

    #[test]
    fn regular_expressions_match_whole_names() {
        for (list, name, fits) in [
            ("main", "main", true),
            ("main", "main2", false),
            ("main", "domain", false),
            ("main, release/.*", "release/1.2", true),
            ("a|b", "bc", false),
            (".*\\.tf", "modules/net/main.tf", true),
            (".*\\.tf", "modules/net/main.tfvars", false),
            ("", "main", false),
        ] {
            assert_eq!(fit(list, Language::Regex, name), fits, "{list} {name}");
        }
    }

    #[test]
    fn globs_stay_in_their_folder() {
        for (list, name, fits) in [
            ("infra/*.tf", "infra/main.tf", true),
            ("infra/*.tf", "infra/net/main.tf", false),
            ("infra/**", "infra/net/main.tf", true),
            ("infra/**/main.tf", "infra/main.tf", true),
            ("infra/**/main.tf", "infra/a/b/main.tf", true),
            ("/infra/?.tf", "infra/a.tf", true),
            ("a+(b)", "a+(b)", true),
            ("docs/**,infra/**", "infra/x", true),
            ("*", "a/b", false),
        ] {
            assert_eq!(fit(list, Language::Glob, name), fits, "{list} {name}");
        }
    }

    #[test]
    fn what_is_not_a_pattern() {
        for wrong in ["(", "a{", "*", "a)(b", "(?=a)"] {
            assert!(Patterns::read(wrong, Language::Regex).is_err(), "{wrong}");
        }
        assert!(Patterns::read("(((a{100}){100}){100}){100}", Language::Regex).unwrap_err().contains("too large"));
        assert!(Patterns::read(&"a,".repeat(51), Language::Regex).unwrap_err().contains("at most 50"));
        assert!(Patterns::read(" , ", Language::Regex).unwrap().is_empty());
    }
}
