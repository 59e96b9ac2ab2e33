//! Pure: the list of checksums of a version of a provider, SHA256SUMS.

/// The most files that a list names.
const MOST: usize = 500;

/// Reads a list: a line for each file, with its SHA-256 checksum in hexadecimal digits and its name.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse(text: &str) -> Result<Vec<(&str, &str)>, String> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let parts = line.split_once(' ').map(|(sum, name)| (sum, name.trim_start_matches([' ', '*']).trim_end()));
        let is_sum = |sum: &str| {
            sum.len() == 64 && sum.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        };
        match parts {
            Some((sum, name)) if is_sum(sum) && !name.is_empty() => found.push((name, sum)),
            _ => {
                let line = number + 1;
                return Err(format!(
                    "line {line} must have a SHA-256 checksum of 64 lowercase hexadecimal digits, two spaces and the name of a file"
                ));
            }
        }
        if found.len() > MOST {
            return Err(format!("must not have more than {MOST} lines"));
        }
    }
    if found.is_empty() { Err("must name at least one file".to_owned()) } else { Ok(found) }
}

/// The checksum of a file in a list.
pub(super) fn sum_of<'a>(text: &'a str, filename: &str) -> Option<&'a str> {
    let list = parse(text).ok()?;
    list.into_iter().find(|(name, _)| *name == filename).map(|(_, sum)| sum)
}

#[cfg(test)]
mod tests {
    use super::{parse, sum_of};

    #[test]
    fn a_list_is_what_sha256sum_writes() {
        let (a, b) = ("a".repeat(64), "0".repeat(64));
        let text = format!("{a}  one.zip\n{b} *two.zip\n\n");
        assert_eq!(parse(&text).unwrap(), [("one.zip", a.as_str()), ("two.zip", b.as_str())]);
        assert_eq!(sum_of(&text, "two.zip"), Some(b.as_str()));
        assert_eq!(sum_of(&text, "three.zip"), None);
        assert!(parse(&format!("{a}  one.zip\nshort  two.zip")).unwrap_err().starts_with("line 2"));
        assert!(parse("").unwrap_err().contains("at least one"));
        assert!(parse(&format!("{a}  x\n").repeat(501)).unwrap_err().contains("500"));
    }
}
