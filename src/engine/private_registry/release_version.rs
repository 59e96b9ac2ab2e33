//! Pure: versions of modules and providers, as semantic versioning writes and orders them.

use std::cmp::Ordering;
use std::fmt;

/// The longest version, in characters.
const LONGEST: usize = 128;

/// A semantic version. Build metadata is kept, and does not count for the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseVersion {
    numbers: [u64; 3],
    pre_release: Vec<Identifier>,
    build: String,
}

/// A part of a pre-release. Numbers come before words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identifier {
    Number(u64),
    Word(String),
}

impl ReleaseVersion {
    /// Reads a version such as `1.2.3`, `1.2.3-beta.1` or `1.2.3+build`: three numbers, without a `v` before them.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let (text, build) = match text.split_once('+') {
            Some((text, build)) => (text, Some(build)),
            None => (text, None),
        };
        let (numbers, pre_release) = match text.split_once('-') {
            Some((numbers, pre_release)) => (numbers, Some(pre_release)),
            None => (text, None),
        };
        let mut parts = numbers.split('.');
        let numbers = [number(parts.next()?)?, number(parts.next()?)?, number(parts.next()?)?];
        let is_word =
            |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if parts.next().is_some() || build.is_some_and(|build| !build.split('.').all(is_word)) {
            return None;
        }
        let pre_release = match pre_release {
            None => Vec::new(),
            Some(text) if text.split('.').all(is_word) => text.split('.').map(identifier).collect(),
            Some(_) => return None,
        };
        Some(Self { numbers, pre_release, build: build.unwrap_or_default().to_owned() })
    }

    /// Whether it is a version that constraints choose by themselves.
    #[must_use]
    pub fn is_release(&self) -> bool {
        self.pre_release.is_empty()
    }
}

/// A number without leading zeros.
fn number(text: &str) -> Option<u64> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let leads = text.len() > 1 && text.starts_with('0');
    if is_plain && !leads { text.parse().ok() } else { None }
}

fn identifier(text: &str) -> Identifier {
    number(text).map_or_else(|| Identifier::Word(text.to_owned()), Identifier::Number)
}

impl fmt::Display for ReleaseVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(f, "{major}.{minor}.{patch}")?;
        for (place, part) in self.pre_release.iter().enumerate() {
            f.write_str(if place == 0 { "-" } else { "." })?;
            match part {
                Identifier::Number(number) => write!(f, "{number}")?,
                Identifier::Word(word) => f.write_str(word)?,
            }
        }
        if self.build.is_empty() { Ok(()) } else { write!(f, "+{}", self.build) }
    }
}

impl Ord for ReleaseVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |version: &Self| (version.numbers, version.is_release());
        let by_numbers = key(self).cmp(&key(other));
        by_numbers.then_with(|| self.pre_release.cmp(&other.pre_release)).then_with(|| self.build.cmp(&other.build))
    }
}

impl PartialOrd for ReleaseVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::ReleaseVersion;

    #[test]
    fn versions_are_ordered_as_semantic_versioning_says() {
        let ordered = [
            "0.9.9",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "1.2.0",
            "1.10.0",
            "2.0.0",
        ];
        let mut read: Vec<_> = ordered.iter().rev().map(|text| ReleaseVersion::parse(text).unwrap()).collect();
        read.sort();
        assert_eq!(read.iter().map(ToString::to_string).collect::<Vec<_>>(), ordered);
        assert_eq!(ReleaseVersion::parse("1.0.0-x-y.7+b.1").unwrap().to_string(), "1.0.0-x-y.7+b.1");
    }

    #[test]
    fn what_is_no_version_is_refused() {
        let long = format!("1.0.0-{}", "a".repeat(200));
        for text in
            ["", "1", "1.2", "v1.2.3", "1.2.3.4", "01.2.3", "1.2.x", "1.2.3-", "1.2.3-a..b", "1.2.3+", "1.2.3 ", &long]
        {
            assert_eq!(ReleaseVersion::parse(text), None, "{text}");
        }
    }
}
