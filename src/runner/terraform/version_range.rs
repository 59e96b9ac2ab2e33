//! Pure: which versions of a tool a workspace accepts, written like the constraints of Terraform.

use std::cmp::Ordering;
use std::fmt;

/// A version of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    numbers: [u64; 3],
    pre_release: Option<String>,
}

impl Version {
    /// Reads a version such as `1.12.6` or `1.13.0-beta1`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let part = Part::parse(text)?;
        (part.given == 3).then_some(Self { numbers: part.numbers, pre_release: part.pre_release })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(f, "{major}.{minor}.{patch}")?;
        self.pre_release.iter().try_for_each(|text| write!(f, "-{text}"))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let pre_release = |version: &Self| (version.pre_release.is_none(), version.pre_release.clone());
        (self.numbers, pre_release(self)).cmp(&(other.numbers, pre_release(other)))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    /// Only the last number that is given may be greater.
    Pessimistic,
}

/// The longest come first.
const OPERATORS: [(&str, Operator); 7] = [
    (">=", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    ("!=", Operator::NotEqual),
    ("~>", Operator::Pessimistic),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("=", Operator::Equal),
];

/// Up to three numbers, the rest of which is open.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    numbers: [u64; 3],
    given: usize,
    pre_release: Option<String>,
}

impl Part {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix('v').unwrap_or(text);
        let (text, pre_release) = match text.split_once('-') {
            Some((numbers, pre)) => (numbers, Some(pre)),
            None => (text, None),
        };
        let is_pre_release = |text: &str| {
            !text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphanumeric() || ".-".contains(letter))
        };
        if pre_release.is_some_and(|text| !is_pre_release(text)) {
            return None;
        }
        let mut words: Vec<&str> = text.split('.').collect();
        if words.len() > 3 {
            return None;
        }
        while words.len() > 1 && words.last().is_some_and(|word| ["x", "X", "*"].contains(word)) {
            words.pop();
        }
        let mut numbers = [0; 3];
        for (number, word) in numbers.iter_mut().zip(&words) {
            *number = word.parse().ok().filter(|_| word.bytes().all(|byte| byte.is_ascii_digit()))?;
        }
        let given = words.len();
        (pre_release.is_none() || given == 3).then(|| Self {
            numbers,
            given,
            pre_release: pre_release.map(str::to_owned),
        })
    }

    /// Whether the first `count` numbers are those of a version.
    fn begins(&self, version: &Version, count: usize) -> bool {
        self.numbers.iter().zip(&version.numbers).take(count).all(|(own, of)| own == of)
    }

    fn least(&self) -> Version {
        Version { numbers: self.numbers, pre_release: self.pre_release.clone() }
    }
}

/// The versions that satisfy every constraint; without any, all do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VersionRange {
    constraints: Vec<(Operator, Part)>,
}

/// What a range may look like.
pub const FORMS: &str =
    "must be a version such as 1.12.6 or 1.12, or constraints separated by commas, such as >= 1.10, < 2 or ~> 1.12.0";

impl VersionRange {
    /// Reads a range; none if it is malformed. Empty and `latest` accept any version.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() || text == "latest" {
            return Some(Self::default());
        }
        let constraint = |text: &str| {
            let text = text.trim();
            let known = OPERATORS.iter().find_map(|(sign, operator)| Some((*operator, text.strip_prefix(sign)?)));
            let (operator, rest) = known.unwrap_or((Operator::Equal, text));
            Some((operator, Part::parse(rest)?))
        };
        Some(Self { constraints: text.split(',').map(constraint).collect::<Option<_>>()? })
    }

    /// Whether it accepts any version.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.constraints.is_empty()
    }

    /// Whether a version satisfies it. A pre-release does only if it is named.
    #[must_use]
    pub fn has(&self, version: &Version) -> bool {
        let is_named = self.constraints.iter().any(|(_, part)| part.given == 3 && part.least() == *version);
        (version.pre_release.is_none() || self.is_any() || is_named)
            && self.constraints.iter().all(|(operator, part)| {
                let order = version.cmp(&part.least());
                let equal = part.begins(version, part.given) && part.pre_release == version.pre_release;
                match operator {
                    Operator::Equal => equal,
                    Operator::NotEqual => !equal,
                    Operator::Greater => order.is_gt(),
                    Operator::GreaterOrEqual => order.is_ge(),
                    Operator::Less => order.is_lt(),
                    Operator::LessOrEqual => order.is_le(),
                    Operator::Pessimistic => order.is_ge() && part.begins(version, part.given.saturating_sub(1)),
                }
            })
    }

    /// The tag of the image with such a version: that version, the newest one with these first numbers, or the tag that is set.
    #[must_use]
    pub fn image_tag(&self, set: &str) -> Option<String> {
        if self.is_any() {
            return Some(set.to_owned());
        }
        if let [(operator, part)] = self.constraints.as_slice() {
            let [major, minor, _] = part.numbers;
            match (operator, part.given) {
                (Operator::Equal, 3) => return Some(part.least().to_string()),
                (Operator::Equal, 2) | (Operator::Pessimistic, 3) => return Some(format!("{major}.{minor}")),
                _ => {}
            }
        }
        // The newest version of all satisfies what has no upper limit.
        let is_upward = |operator: &Operator| matches!(operator, Operator::Greater | Operator::GreaterOrEqual);
        if set == "latest" && self.constraints.iter().all(|(operator, _)| is_upward(operator)) {
            return Some(set.to_owned());
        }
        Version::parse(set).filter(|version| self.has(version)).map(|_| set.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::{Version, VersionRange};

    #[test]
    fn constraints() {
        let installed = ["1.5.7", "1.11.0", "1.11.4", "1.12.0", "1.13.0-beta1", "2.0.0"];
        for (range, newest) in [
            ("", "2.0.0"),
            ("latest", "2.0.0"),
            ("1.11.0", "1.11.0"),
            (" v1.11.0 ", "1.11.0"),
            ("=1.11.0", "1.11.0"),
            ("~>1.11.0", "1.11.4"),
            ("~> 1.11", "1.12.0"),
            ("~> 1", "2.0.0"),
            ("1.11", "1.11.4"),
            ("1.11.x", "1.11.4"),
            ("1.x", "1.12.0"),
            ("1.x.x", "1.12.0"),
            ("1", "1.12.0"),
            (">= 1.5, < 1.11.1", "1.11.0"),
            (">=1.11,!=1.12.0,<2", "1.11.4"),
            ("< 1.6", "1.5.7"),
            ("<= 1.11.0", "1.11.0"),
            ("> 1.12", "2.0.0"),
            ("1.13.0-beta1", "1.13.0-beta1"),
            ("1.11.3", "-"),
            ("~> 1.12.1", "-"),
            ("1.13", "-"),
            (">= 3", "-"),
        ] {
            let parsed = VersionRange::parse(range).unwrap_or_else(|| panic!("{range}"));
            let fits = installed.iter().filter_map(|text| Version::parse(text)).filter(|version| parsed.has(version));
            let found = fits.max().map_or("-".into(), |version| version.to_string());
            assert_eq!(found, newest, "{range}");
        }
        for malformed in
            ["one", "1.2.3.4", "~> x", ">=", "1..2", "1.2,", "^1.2", ">= 1.5 < 2", "1.2.3-", "-1", "1.+2", "x"]
        {
            assert_eq!(VersionRange::parse(malformed), None, "{malformed}");
        }
    }

    #[test]
    fn tags_of_images() {
        for (range, set, tag) in [
            ("", "1.12.6", Some("1.12.6")),
            ("1.11.4", "1.12.6", Some("1.11.4")),
            ("v1.11.4", "1.12.6", Some("1.11.4")),
            ("1.11.x", "1.12.6", Some("1.11")),
            ("~> 1.11.2", "1.12.6", Some("1.11")),
            (">= 1.5, < 2", "1.12.6", Some("1.12.6")),
            (">= 1.5, < 1.6", "1.12.6", None),
            (">= 1.5", "latest", Some("latest")),
            ("~> 1.5", "latest", None),
            ("1", "1.12.6", Some("1.12.6")),
        ] {
            assert_eq!(VersionRange::parse(range).unwrap().image_tag(set).as_deref(), tag, "{range}");
        }
    }
}
