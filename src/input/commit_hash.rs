//! Pure: what the hash of a commit looks like.

/// Whether a text is the hash of a commit, full or abbreviated to no less than 7 digits. `git` reads other texts as names or options.
#[must_use]
pub fn is_hash(text: &str) -> bool {
    (7..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::is_hash;

    #[test]
    fn only_hexadecimal_digits_are_a_hash() {
        for hash in ["0123abc", "0123456789ABCDEF0123456789abcdef01234567", &"a".repeat(64)] {
            assert!(is_hash(hash), "{hash}");
        }
        for other in ["", "0123ab", "main", "HEAD~1", "--quiet", "--no-decorate", "0123abc ", &"a".repeat(65)] {
            assert!(!is_hash(other), "{other}");
        }
    }
}
