//! Pure: releases of the IANA time zone database, which are named by year and letter, such as 2026f.

use std::fmt;

/// A release; a later one is greater.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release {
    year: u16,
    letters: String,
}

impl Release {
    /// Parses the name of a release. Anything after the letters is ignored, such as the suffix of a distribution.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let year = text.get(..4)?.parse().ok()?;
        let letters: String = text.get(4..)?.chars().take_while(char::is_ascii_lowercase).collect();
        (!letters.is_empty()).then_some(Self { year, letters })
    }

    /// The release named in the first line of the file `tzdata.zi`.
    pub(super) fn of_source(text: &str) -> Option<Self> {
        Self::parse(text.lines().next()?.strip_prefix("# version ")?)
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.year, self.letters)
    }
}

#[cfg(test)]
mod tests {
    use super::Release;

    #[test]
    fn releases_are_ordered() {
        let release = |text: &str| Release::parse(text).unwrap();
        assert!(release("2025b") < release("2026a") && release("2026a") < release("2026f"));
        assert!(release("2026z") < release("2026za"));
        assert_eq!(release("2025b-0+deb12u1\n"), release("2025b"));
        assert_eq!(release("2026f").to_string(), "2026f");
        for text in ["", "2026", "unknown", "20é6a"] {
            assert_eq!(Release::parse(text), None, "{text}");
        }
        assert_eq!(Release::of_source("# version 2025b\nR d 1916"), Release::parse("2025b"));
        assert_eq!(Release::of_source("R d 1916"), None);
    }
}
