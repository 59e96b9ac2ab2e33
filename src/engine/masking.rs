//! Pure: masks secret values in log lines before they are stored.
//!
//! Each line of every secret that a run gets is searched for. Lines shorter than four characters are not masked: they
//! would match everywhere and protect nothing.

use std::borrow::Cow;

use aho_corasick::{AhoCorasick, MatchKind};

/// The text that replaces a secret.
pub const MASK: &str = "********";
/// The shortest text that is masked, in characters.
const SHORTEST: usize = 4;

/// The texts to mask: the lines of the secrets that are long enough, without duplicates.
#[must_use]
pub fn patterns<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let lines = secrets.into_iter().flat_map(str::lines).map(str::trim);
    let mut found: Vec<String> = lines.filter(|line| line.chars().count() >= SHORTEST).map(str::to_owned).collect();
    found.sort();
    found.dedup();
    found
}

/// Masks secrets in lines.
pub struct Masking(Option<AhoCorasick>);

impl Masking {
    /// Masks the texts that `patterns` returned; without patterns, lines stay unchanged.
    #[must_use]
    pub fn new(patterns: &[String]) -> Self {
        if patterns.is_empty() {
            return Self(None);
        }
        // If there are too many patterns, or they are too long to search for at once, everything is masked.
        let built = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(patterns);
        Self(Some(built.unwrap_or_else(|_| everything())))
    }

    /// The line with its secrets masked.
    #[must_use]
    pub fn apply<'a>(&self, line: &'a str) -> Cow<'a, str> {
        match &self.0 {
            Some(search) if search.is_match(line) => {
                let mut masked = String::with_capacity(line.len());
                search.replace_all_with(line, &mut masked, |_, _, out| {
                    out.push_str(MASK);
                    true
                });
                Cow::Owned(masked)
            }
            _ => Cow::Borrowed(line),
        }
    }
}

/// Matches every byte.
#[expect(clippy::expect_used, reason = "256 patterns of one byte fit")]
fn everything() -> AhoCorasick {
    let bytes: Vec<[u8; 1]> = (0..=u8::MAX).map(|byte| [byte]).collect();
    AhoCorasick::new(bytes).expect("256 patterns of one byte")
}

#[cfg(test)]
mod tests {
    use super::{Masking, patterns};

    fn masked(secrets: &[&str], line: &str) -> String {
        Masking::new(&patterns(secrets.iter().copied())).apply(line).into_owned()
    }

    #[test]
    fn secrets_are_masked_wherever_they_occur() {
        assert_eq!(masked(&["hunter22"], "a hunter22, hunter22!"), "a ********, ********!");
        assert_eq!(masked(&["abcd", "abcdef"], "xabcdefx abcdx"), "x********x ********x");
        assert_eq!(masked(&["-----BEGIN\nline one\nyes\n"], "line one yes -----BEGIN"), "******** yes ********");
        assert_eq!(masked(&["abc", "", "   "], "abc stays"), "abc stays");
        assert_eq!(masked(&[], "nothing to hide"), "nothing to hide");
        assert_eq!(masked(&["päss"], "päss passt"), "******** passt");
    }
}
