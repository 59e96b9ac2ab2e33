//! Pure: which keys variables may have, and how much an environment can carry.

/// The longest entry of an environment, in bytes: the key, `=`, the value and a NUL (`MAX_ARG_STRLEN` of Linux).
pub const MAX_ENTRY: usize = 128 * 1024;

/// The largest environment, in bytes. Linux gives the environment and the arguments 2 MiB together with the usual limits.
const MAX_ENVIRONMENT: usize = 1536 * 1024;

/// A key that shells and the official API accept.
///
/// # Errors
/// What is allowed.
pub fn check_key(key: &str, most: usize) -> Result<(), String> {
    let is_valid = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if key.is_empty() || !is_valid || key.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("must consist of letters, digits and underscores, and must not begin with a digit".into());
    }
    if key.len() > most {
        return Err(format!("must have at most {most} characters"));
    }
    if key.to_ascii_uppercase().starts_with("QOVERY") || key.starts_with("__") {
        return Err("must not begin with QOVERY or __, which are reserved for built-in variables".into());
    }
    Ok(())
}

/// Checks that a program can be started with these variables.
///
/// # Errors
/// Which variable is too large, or that all of them together are.
pub fn check_environment<'a>(variables: impl Iterator<Item = (&'a str, &'a str)>) -> Result<(), String> {
    let mut total = 0;
    for (key, value) in variables {
        let size = key.len() + value.len() + 2;
        if size > MAX_ENTRY {
            return Err(format!(
                "the variable {key} has {} bytes; an environment variable may have at most {}, so mount it as a file",
                value.len(),
                MAX_ENTRY - key.len() - 2
            ));
        }
        total += size;
    }
    if total > MAX_ENVIRONMENT {
        return Err(format!(
            "the variables have {total} bytes together; an environment may have at most {MAX_ENVIRONMENT}, so mount the largest as files"
        ));
    }
    Ok(())
}

/// Folders that a container engine mounts when a container starts, over what was there before.
const MOUNTED: [&str; 3] = ["/dev/", "/proc/", "/sys/"];

/// Why a container cannot have a file at a path, if it cannot.
#[must_use]
pub fn hides_file(path: &str) -> Option<&'static str> {
    let is_hidden = MOUNTED.iter().any(|folder| path.starts_with(folder));
    is_hidden.then_some("must not be below /dev, /proc or /sys, which are mounted when a container starts")
}

#[cfg(test)]
mod tests {
    use super::{MAX_ENTRY, check_environment, check_key};

    #[test]
    fn keys() {
        for key in ["a", "_A1", &"x".repeat(20)] {
            assert_eq!(check_key(key, 20), Ok(()), "{key}");
        }
        for key in ["", "1a", "a-b", "ä", "QOVERY_X", "qovery", "__x", &"x".repeat(21)] {
            assert!(check_key(key, 20).unwrap_err().starts_with("must "), "{key}");
        }
    }

    #[test]
    fn environments() {
        let most = "x".repeat(MAX_ENTRY - 3);
        assert_eq!(check_environment([("A", most.as_str())].into_iter()), Ok(()));
        let more = format!("{most}x");
        let refused = check_environment([("B", "1"), ("A", more.as_str())].into_iter()).unwrap_err();
        assert!(
            refused.contains("the variable A has 131070 bytes; an environment variable may have at most 131069"),
            "{refused}"
        );
        assert!(check_environment([("A", most.as_str()); 12].into_iter()).is_ok());
        assert!(check_environment([("A", most.as_str()); 13].into_iter()).unwrap_err().contains("together"));
    }
}
