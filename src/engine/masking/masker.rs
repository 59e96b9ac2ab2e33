//! Pure: finds secrets in texts, in one pass over each.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;

use aho_corasick::automaton::Automaton;
use aho_corasick::nfa::contiguous::NFA;
use aho_corasick::{Anchored, MatchKind};
use zeroize::Zeroizing;

use super::forms::forms;
use super::leaves::SHORTEST;
use super::overlap::overlap;
use super::prefixes::Prefixes;

/// The text that replaces a secret.
pub const MASK: &str = "********";

/// The most bytes of forms that are searched for.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// Masks the secrets of a run.
pub struct Masker {
    search: Search,
    patterns: Zeroizing<Vec<String>>,
    spans_lines: bool,
}

enum Search {
    Nothing,
    Forms {
        /// None if a form is too short.
        prefixes: Option<Prefixes>,
        /// Made when it is needed; none if there are too many forms.
        automaton: OnceLock<Option<Box<NFA>>>,
    },
    /// There are too many forms to search for, so everything is masked.
    Everything,
}

/// The end of a text that may be the beginning of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Beginning {
    /// Where it begins, in bytes.
    pub(super) at: usize,
    /// Whether it is short enough to be shown.
    pub(super) is_harmless: bool,
}

impl Masker {
    /// Masks the texts that `texts` returned, in all of their forms.
    #[must_use]
    pub fn new(texts: &[String]) -> Self {
        let mut patterns = Zeroizing::new(Vec::new());
        for text in texts.iter().filter(|text| !text.is_empty()) {
            patterns.append(&mut forms(text));
        }
        patterns.sort();
        patterns.dedup();
        let bytes: usize = patterns.iter().map(String::len).sum();
        let search = match patterns.is_empty() {
            true => Search::Nothing,
            false if bytes > MOST_BYTES => Search::Everything,
            false => Search::Forms { prefixes: Prefixes::of(&patterns), automaton: OnceLock::new() },
        };
        let spans_lines = patterns.iter().any(|pattern| pattern.contains('\n'));
        Self { search, patterns, spans_lines }
    }

    /// Whether there is anything to mask.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.search, Search::Nothing)
    }

    /// Whether a secret may go on behind the end of a line.
    pub(super) fn spans_lines(&self) -> bool {
        self.spans_lines
    }

    /// A text of any length with its secrets masked.
    #[must_use]
    pub fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let found = self.find(text);
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        let (mut masked, mut position) = (String::with_capacity(text.len()), 0);
        for secret in found {
            masked.push_str(text.get(position..secret.start).unwrap_or_default());
            masked.push_str(MASK);
            position = secret.end;
        }
        masked.push_str(text.get(position..).unwrap_or_default());
        Cow::Owned(masked)
    }

    /// Whether a text contains a secret.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        !self.find(text).is_empty()
    }

    /// Where the secrets are in a text, in order. What several of them cover together is one place.
    pub(super) fn find(&self, text: &str) -> Vec<Range<usize>> {
        match &self.search {
            Search::Nothing => Vec::new(),
            Search::Everything if text.is_empty() => Vec::new(),
            Search::Everything => std::iter::once(0..text.len()).collect(),
            Search::Forms { prefixes, automaton } => {
                let found = prefixes.as_ref().and_then(|prefixes| prefixes.find(&self.patterns, text.as_bytes()));
                found.unwrap_or_else(|| match automaton.get_or_init(|| automaton_of(&self.patterns)) {
                    Some(automaton) => find(automaton, text.as_bytes()),
                    None => std::iter::once(0..text.len()).collect(),
                })
            }
        }
    }

    /// The longest end of a text that may be the beginning of a secret.
    pub(super) fn beginning(&self, text: &str) -> Option<Beginning> {
        if text.is_empty() || (text.ends_with('\n') && !self.spans_lines) {
            return None;
        }
        let mut longest: Option<Beginning> = None;
        for pattern in self.patterns.iter() {
            let length = overlap(text.as_bytes(), pattern.as_bytes());
            let at = text.len() - length;
            if length == 0 || !text.is_char_boundary(at) {
                continue;
            }
            // A few characters of a long secret reveal nothing.
            let is_harmless = length < SHORTEST && length * 4 <= pattern.len();
            longest = Some(match longest {
                None => Beginning { at, is_harmless },
                Some(other) => Beginning { at: other.at.min(at), is_harmless: other.is_harmless && is_harmless },
            });
        }
        longest
    }
}

fn automaton_of(patterns: &[String]) -> Option<Box<NFA>> {
    NFA::builder().match_kind(MatchKind::Standard).build(patterns).ok().map(Box::new)
}

/// Where the patterns are in a text.
fn find(search: &NFA, text: &[u8]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let Ok(mut state) = search.start_state(Anchored::No) else { return found };
    for (end, byte) in (1..).zip(text) {
        state = search.next_state(Anchored::No, state, *byte);
        if !search.is_special(state) || !search.is_match(state) {
            continue;
        }
        // The first match of a state is its longest one.
        let length = search.pattern_len(search.match_pattern(state, 0));
        let mut begin = end - length;
        while let Some(last) = found.pop_if(|last| last.end > begin) {
            begin = begin.min(last.start);
        }
        found.push(begin..end);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::texts::texts;
    use super::{Beginning, Masker, Search, automaton_of, find};

    fn masked(secrets: &[&str], line: &str) -> String {
        Masker::new(&texts(secrets.iter().copied())).mask(line).into_owned()
    }

    #[test]
    fn secrets_are_masked_wherever_they_occur() {
        assert_eq!(masked(&["hunter22"], "a hunter22, hunter22!"), "a ********, ********!");
        assert_eq!(masked(&["abcd", "abcdef"], "xabcdefx abcdx"), "x********x ********x");
        assert_eq!(masked(&["abcdef", "defghi"], "abcdefghi abcdefdef"), "******** ********def");
        assert_eq!(masked(&["bcde", "abcdefgh"], "abcdefgx"), "a********fgx");
        assert_eq!(masked(&["-----BEGIN\nline one\nyes\n"], "line one yes -----BEGIN"), "******** yes ********");
        assert_eq!(masked(&["true\n1234\nnull"], "true 1234 null"), "true 1234 null");
        assert_eq!(masked(&["true\n1234\nnull"], "[true\n1234\nnull]"), "[********]");
        assert_eq!(masked(&["abc", "", "   "], "abc stays"), "abc stays");
        assert_eq!(masked(&[], "nothing to hide"), "nothing to hide");
        assert_eq!(masked(&["päss"], "päss passt"), "******** passt");
    }

    #[test]
    fn secrets_are_masked_in_the_forms_that_tools_print() {
        let secret = "p<w>&\"x\\'7 ä";
        for form in [
            r#"{"a":"p\u003cw\u003e\u0026\"x\\'7 ä"}"#,
            r#"PASSWORD='p<w>&"x\'\''7 ä'"#,
            "https://user:p%3Cw%3E%26%22x%5C%277%20%C3%A4@host",
            "Authorization: Basic dXNlcjpwPHc+JiJ4XCc3IMOk",
        ] {
            let shown = masked(&[secret], form);
            assert!(shown.contains("********") && !shown.contains("w\\u003e") && !shown.contains("%3E"), "{shown}");
        }
        assert_eq!(masked(&["user22"], "Basic dXNlcjIyOnB3"), "Basic ********OnB3");
    }

    /// Both ways to search find the same, in texts of few letters, of which many are beginnings of forms.
    #[test]
    fn both_searches_agree() {
        let letters = |number: usize, length: u32| -> String {
            (0..length).map(|place| if number >> place & 1 == 0 { 'a' } else { 'b' }).collect()
        };
        let mut compared = 0;
        for seed in 0..2000 {
            let patterns: Vec<String> = (0..3).map(|place| letters((seed * 7919) >> place, 4 + place * 3)).collect();
            let mut sorted = patterns.clone();
            sorted.sort();
            sorted.dedup();
            let prefixes = super::Prefixes::of(&sorted).unwrap();
            let text = format!("{}x{}", letters(seed * 104_729, 20), letters(seed * 1_299_709, 30));
            let Some(found) = prefixes.find(&sorted, text.as_bytes()) else { continue };
            assert_eq!(found, find(&automaton_of(&sorted).unwrap(), text.as_bytes()), "{sorted:?} in {text}");
            compared += usize::from(found.len() > 1);
        }
        assert!(compared > 500, "{compared}");
        let short = Masker::new(&["ab".to_owned()]);
        assert!(matches!(&short.search, Search::Forms { prefixes: None, .. }));
        assert_eq!(short.mask("xabx"), "x********x");
    }

    #[test]
    fn what_is_too_large_masks_everything() {
        let many: Vec<String> = (0..40).map(|number| format!("{number}{}", "x\"".repeat(60_000))).collect();
        let masker = Masker::new(&many);
        assert_eq!((masker.mask("anything").as_ref(), masker.mask("").as_ref()), ("********", ""));
    }

    #[test]
    fn the_end_of_a_text_may_be_a_beginning() {
        let masker = Masker::new(&texts(["hunter22", "erebus is long"]));
        assert_eq!(masker.beginning("say hun"), Some(Beginning { at: 4, is_harmless: false }));
        assert_eq!(masker.beginning("say hunte"), Some(Beginning { at: 4, is_harmless: false }));
        assert_eq!(masker.beginning("say hunter"), Some(Beginning { at: 4, is_harmless: false }));
        assert_eq!(masker.beginning("say h"), Some(Beginning { at: 4, is_harmless: true }));
        assert_eq!(masker.beginning("say ere"), Some(Beginning { at: 4, is_harmless: true }));
        assert_eq!(masker.beginning("hunter22!"), None);
    }
}
