//! Pure: how far the end of a text is the beginning of a pattern (Knuth, Morris and Pratt).

/// The length of the longest end of a text that is a beginning of a pattern, but not the whole of it.
pub(super) fn overlap(text: &[u8], pattern: &[u8]) -> usize {
    let shorter = shorter_beginnings(pattern);
    let tail = text.get(text.len().saturating_sub(pattern.len())..).unwrap_or_default();
    let matched = tail.iter().fold(0, |matched, byte| {
        // Behind a whole pattern, a second one may have begun inside the first.
        let matched = if matched == pattern.len() { at(&shorter, matched) } else { matched };
        next(&shorter, pattern, matched, *byte)
    });
    if matched == pattern.len() { at(&shorter, matched) } else { matched }
}

/// For each length of a beginning, the length of the longest shorter beginning that it ends with.
fn shorter_beginnings(pattern: &[u8]) -> Vec<usize> {
    let mut shorter = vec![0_usize; pattern.len() + 1];
    for (place, byte) in pattern.iter().enumerate().skip(1) {
        let length = next(&shorter, pattern, at(&shorter, place), *byte);
        if let Some(entry) = shorter.get_mut(place + 1) {
            *entry = length;
        }
    }
    shorter
}

fn at(shorter: &[usize], length: usize) -> usize {
    shorter.get(length).copied().unwrap_or(0)
}

fn next(shorter: &[usize], pattern: &[u8], matched: usize, byte: u8) -> usize {
    let mut length = matched;
    loop {
        match pattern.get(length) {
            Some(expected) if *expected == byte => return length + 1,
            _ if length == 0 => return 0,
            _ => length = at(shorter, length),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::overlap;

    #[test]
    fn a_text_may_end_with_the_beginning_of_a_pattern() {
        for (text, pattern, expected) in [
            ("say hun", "hunter22", 3),
            ("h", "hunter22", 1),
            ("hunter22", "hunter22", 0),
            ("hunter2", "hunter22", 7),
            ("hunger", "hunter22", 0),
            ("aabaa", "aabaaab", 5),
            ("xaabaabaaa", "aabaaab", 6),
            ("aabaaac", "aabaaab", 0),
            ("abcab", "abcab", 2),
            ("xabcabcab", "abcab", 2),
            ("", "a", 0),
        ] {
            assert_eq!(overlap(text.as_bytes(), pattern.as_bytes()), expected, "{text} {pattern}");
        }
        let long = format!("{}b", "a".repeat(100_000));
        assert_eq!(overlap("a".repeat(200_000).as_bytes(), long.as_bytes()), 100_000);
        assert_eq!(overlap("c".repeat(200_000).as_bytes(), long.as_bytes()), 0);
    }
}
