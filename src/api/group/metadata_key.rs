//! Pure: the keys and values of labels and annotations that Kubernetes accepts.

/// The maximum length of a name, and of the value of a label.
const MOST_NAME: usize = 63;
/// The maximum length of the prefix of a key.
const MOST_PREFIX: usize = 253;

const KEY: &str = "must be a Kubernetes key: up to 63 letters, digits, - _ and ., the first and the last of them a letter or a digit, \
                   after an optional lower-case domain and a /, such as example.com/team";
const VALUE: &str =
    "must be empty, or up to 63 letters, digits, - _ and ., the first and the last of them a letter or a digit";

/// Why Kubernetes refuses the key of a label.
pub(super) fn refused_label_key(key: &str) -> Option<&'static str> {
    (!is_key(key)).then_some(KEY)
}

/// Why Kubernetes refuses the key of an annotation, whose prefix may be of either case.
pub(super) fn refused_annotation_key(key: &str) -> Option<&'static str> {
    (!is_key(&key.to_ascii_lowercase())).then_some(KEY)
}

/// Why Kubernetes refuses the value of a label.
pub(super) fn refused_label_value(value: &str) -> Option<&'static str> {
    (!value.is_empty() && !is_name(value)).then_some(VALUE)
}

fn is_key(key: &str) -> bool {
    match key.split_once('/') {
        Some((prefix, name)) => is_domain(prefix) && is_name(name),
        None => is_name(key),
    }
}

fn is_name(name: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let ends = [name.bytes().next(), name.bytes().next_back()];
    name.len() <= MOST_NAME
        && name.bytes().all(inside)
        && ends.into_iter().all(|end| end.is_some_and(|byte| byte.is_ascii_alphanumeric()))
}

fn is_domain(prefix: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_label = |label: &str| {
        !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && label.bytes().all(inside)
    };
    prefix.len() <= MOST_PREFIX && prefix.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::{refused_annotation_key, refused_label_key, refused_label_value};

    #[test]
    fn what_kubernetes_takes_and_refuses() {
        let long = "a".repeat(64);
        for key in ["a", "key1", "example.com/team", "a-b_c.D", "x/y", &long[..63], "1-2.example/A"] {
            assert_eq!(refused_label_key(key), None, "{key}");
        }
        let prefix = format!("{}/a", "a.".repeat(127));
        let refused = ["", "-a", "a-", "a b", "/a", "a/", "a/b/c", ".x/a", "x..y/a", "x_y/a", "\u{fc}", &long, &prefix];
        for key in refused {
            assert!(refused_label_key(key).is_some() && refused_annotation_key(key).is_some(), "{key}");
        }
        assert!(refused_label_key("UPPER.dev/x").is_some());
        assert_eq!(refused_annotation_key("UPPER.dev/x"), None);
        for (value, taken) in [("", true), ("a b", false), ("-a", false), ("a.b-c_D", true), (&long, false)] {
            assert_eq!(refused_label_value(value).is_none(), taken, "{value}");
        }
    }
}
