//! Pure: matches names against wildcards.

/// Whether a wildcard matches a name, ignoring case: `?` matches one character, `*` any number of characters.
#[must_use]
pub fn matches(wildcard: &str, name: &str) -> bool {
    let pattern: Vec<char> = wildcard.to_lowercase().chars().collect();
    let name: Vec<char> = name.to_lowercase().chars().collect();
    // By length, whether a prefix of the name matches the pattern so far.
    let mut reached: Vec<bool> = (0..=name.len()).map(|length| length == 0).collect();
    for mark in pattern {
        let before = reached.clone();
        let mut some = false;
        for (place, matches) in reached.iter_mut().enumerate() {
            let previous = place.checked_sub(1);
            some |= before.get(place).copied().unwrap_or(false);
            *matches = match mark {
                '*' => some,
                mark => previous.is_some_and(|previous| {
                    let same = mark == '?' || name.get(previous) == Some(&mark);
                    same && before.get(previous).copied().unwrap_or(false)
                }),
            };
        }
    }
    reached.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn wildcards() {
        for (wildcard, name, fit) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "anything", true),
            ("feat-*", "FEAT-1", true),
            ("feat-*", "fix-1", false),
            ("?", "ab", false),
            ("a?c", "abc", true),
            ("*-pr-*", "shop-pr-7", true),
            ("*a*a*a*a*b", &"a".repeat(200), false),
        ] {
            assert_eq!(matches(wildcard, name), fit, "{wildcard} {name}");
        }
    }
}
