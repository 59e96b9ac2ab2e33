//! Pure: finds patterns in a text by their first bytes, of which almost no place of a text has any.

use std::ops::Range;

/// How many bytes of each pattern are looked for.
const PREFIX: usize = 4;

/// The fewest and the most bits of the table, as powers of two.
const FEWEST_BITS: u32 = 15;
const MOST_BITS: u32 = 22;

/// How many bytes may be compared for each byte of a text before an automaton is faster.
const COMPARED: usize = 4;

/// What is needed to compare a pattern besides its bytes.
const LOOK: usize = 8;

/// The first bytes of patterns, as bits of a table.
pub(super) struct Prefixes {
    table: Vec<u64>,
    bits: u32,
}

impl Prefixes {
    /// None if a pattern has too few bytes.
    pub(super) fn of(patterns: &[String]) -> Option<Self> {
        let wanted = u32::try_from(patterns.len()).unwrap_or(u32::MAX).saturating_mul(64);
        let bits = wanted.checked_ilog2().unwrap_or(0).clamp(FEWEST_BITS, MOST_BITS);
        let mut prefixes = Self { table: vec![0; 1 << (bits - 6)], bits };
        for pattern in patterns {
            let (word, bit) = prefixes.place(*pattern.as_bytes().first_chunk()?);
            *prefixes.table.get_mut(word)? |= 1 << bit;
        }
        Some(prefixes)
    }

    /// The place of a bit: its word, and its number in the word.
    fn place(&self, prefix: [u8; PREFIX]) -> (usize, u32) {
        let hash = u32::from_le_bytes(prefix).wrapping_mul(0x9e37_79b1) >> (u32::BITS - self.bits);
        (usize::try_from(hash >> 6).unwrap_or(0), hash & 63)
    }

    /// Whether a pattern may begin with these bytes.
    fn may_begin(&self, prefix: &[u8]) -> bool {
        let Ok(prefix) = prefix.try_into() else { return false };
        let (word, bit) = self.place(prefix);
        self.table.get(word).is_some_and(|word| word >> bit & 1 == 1)
    }

    /// Where the sorted patterns are in a text, in order; what several of them cover together is one place. None if too much would
    /// have to be compared.
    pub(super) fn find(&self, patterns: &[String], text: &[u8]) -> Option<Vec<Range<usize>>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        let mut budget = text.len().saturating_mul(COMPARED).saturating_add(4096);
        for (at, prefix) in text.windows(PREFIX).enumerate().filter(|(_, prefix)| self.may_begin(prefix)) {
            let rest = text.get(at..).unwrap_or_default();
            let first = patterns.partition_point(|pattern| pattern.as_bytes() < prefix);
            let same = patterns.iter().skip(first).map(String::as_bytes).take_while(|known| known.starts_with(prefix));
            let mut longest = 0;
            budget = budget.checked_sub(LOOK)?;
            for pattern in same {
                let equal = pattern.iter().zip(rest).take_while(|(one, other)| one == other).count();
                budget = budget.checked_sub(equal + LOOK)?;
                if equal == pattern.len() {
                    longest = longest.max(equal);
                }
            }
            match found.last_mut().filter(|last| last.end > at) {
                Some(last) => last.end = last.end.max(at + longest),
                None if longest > 0 => found.push(at..at + longest),
                None => {}
            }
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::Prefixes;

    #[test]
    fn patterns_are_found_by_their_first_bytes() {
        let mut patterns = ["hunter22", "hunter", "ter22x", "abcd"].map(str::to_owned);
        patterns.sort();
        let prefixes = Prefixes::of(&patterns).unwrap();
        let find = |text: &str| prefixes.find(&patterns, text.as_bytes()).unwrap();
        assert_eq!(find("a hunter22 b hunter2"), [2..10, 13..19]);
        assert_eq!(find("hunter22xabcdabcd"), [0..9, 9..13, 13..17]);
        assert!(find("hunt abc").is_empty());
        assert!(Prefixes::of(&["abc".to_owned()]).is_none());
    }

    /// Texts that resemble a secret everywhere are left to the automaton.
    #[test]
    fn comparing_is_bounded() {
        let patterns = [format!("{}b", "a".repeat(1000))];
        let prefixes = Prefixes::of(&patterns).unwrap();
        assert_eq!(prefixes.find(&patterns, "a".repeat(100_000).as_bytes()), None);
        assert_eq!(prefixes.find(&patterns, "ab".repeat(100_000).as_bytes()), Some(Vec::new()));
    }
}
