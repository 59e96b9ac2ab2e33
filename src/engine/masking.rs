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

    /// The pieces of one line with its secrets masked, including those that lie across two pieces.
    #[must_use]
    pub fn apply_to_pieces(&self, pieces: &[&str]) -> Vec<String> {
        let Some(search) = &self.0 else { return pieces.iter().map(|piece| (*piece).to_owned()).collect() };
        let line = pieces.concat();
        let mut secrets = search.find_iter(&line).map(|found| found.range()).peekable();
        let (mut masked, mut begin) = (Vec::with_capacity(pieces.len()), 0);
        let mut position = 0;
        for piece in pieces {
            let end = begin + piece.len();
            let mut out = String::with_capacity(piece.len());
            while let Some(secret) = secrets.next_if(|secret| secret.start < end) {
                out.push_str(line.get(position..secret.start).unwrap_or_default());
                out.push_str(MASK);
                position = secret.end;
            }
            out.push_str(line.get(position..end).unwrap_or_default());
            position = position.max(end);
            masked.push(out);
            begin = end;
        }
        masked
    }
}

/// Whether a secret may begin at the end of a text and go on behind it.
#[must_use]
pub fn may_go_on(patterns: &[String], text: &str) -> bool {
    patterns.iter().any(|pattern| overlaps(text.as_bytes(), pattern.as_bytes()))
}

/// Whether a text ends with a beginning of a pattern, but not with the whole of it (Knuth, Morris and Pratt).
fn overlaps(text: &[u8], pattern: &[u8]) -> bool {
    // For each length of a beginning, the length of the longest shorter beginning that it ends with.
    let mut shorter = vec![0_usize; pattern.len() + 1];
    let next = |shorter: &[usize], matched: usize, byte: u8| {
        let mut length = matched;
        loop {
            match pattern.get(length) {
                Some(expected) if *expected == byte => return length + 1,
                _ if length == 0 => return 0,
                _ => length = shorter.get(length).copied().unwrap_or(0),
            }
        }
    };
    for (place, byte) in pattern.iter().enumerate().skip(1) {
        let length = next(&shorter, shorter.get(place).copied().unwrap_or(0), *byte);
        if let Some(entry) = shorter.get_mut(place + 1) {
            *entry = length;
        }
    }
    let tail = text.get(text.len().saturating_sub(pattern.len())..).unwrap_or_default();
    let matched = tail.iter().fold(0, |matched, byte| next(&shorter, matched, *byte));
    matched > 0 && matched < pattern.len()
}

/// Matches every byte.
#[expect(clippy::expect_used, reason = "256 patterns of one byte fit")]
fn everything() -> AhoCorasick {
    let bytes: Vec<[u8; 1]> = (0..=u8::MAX).map(|byte| [byte]).collect();
    AhoCorasick::new(bytes).expect("256 patterns of one byte")
}

#[cfg(test)]
mod tests {
    use super::{Masking, may_go_on, patterns};

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

    #[test]
    fn secrets_are_masked_across_the_pieces_of_a_line() {
        let masking = Masking::new(&patterns(["hunter22", "abcd"]));
        let pieces = |given: &[&str]| masking.apply_to_pieces(given);
        assert_eq!(pieces(&["a hun", "ter22 b"]), ["a ********", " b"]);
        assert_eq!(pieces(&["abcdhunt", "e", "r22", "", "abcd"]), ["****************", "", "", "", "********"]);
        assert_eq!(pieces(&["hun", "ger"]), ["hun", "ger"]);
        assert_eq!(pieces(&["hunter22"]), ["********"]);
        assert_eq!(Masking::new(&[]).apply_to_pieces(&["a", "b"]), ["a", "b"]);
    }

    #[test]
    fn a_text_may_end_with_the_beginning_of_a_secret() {
        let secrets = patterns(["aabaaab", "hunter22"]);
        for (text, expected) in [
            ("say hun", true),
            ("h", true),
            ("hunter22", false),
            ("hunter2", true),
            ("hunger", false),
            ("aabaa", true),
            ("xaabaabaaa", true),
            ("aabaaac", false),
            ("", false),
        ] {
            assert_eq!(may_go_on(&secrets, text), expected, "{text}");
        }
        let long = patterns([format!("{}b", "a".repeat(100_000)).as_str()]);
        assert!(may_go_on(&long, &"a".repeat(200_000)) && !may_go_on(&long, &"c".repeat(200_000)));
    }
}
