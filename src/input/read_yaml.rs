//! Pure: reads YAML of bounded depth and size. Aliases count as what they expand to.
//!
//! The parser counts while it reads, so a document over a bound costs no more than one at the bound.

use serde::de::DeserializeOwned;
use serde_saphyr::options::DuplicateKeyPolicy;
use serde_saphyr::{Options, alias_limits, budget, options};

use super::bounds::{YAML_ALIASES, YAML_BYTES, YAML_DEPTH, YAML_EXPANDED_BYTES, YAML_VALUES};
use super::refusal::Refusal;

fn bounded() -> Options {
    options! {
        budget: budget! {
            max_depth: YAML_DEPTH,
            flow_nesting_limit: YAML_DEPTH,
            max_nodes: YAML_VALUES,
            max_events: 3 * YAML_VALUES,
            max_total_scalar_bytes: YAML_EXPANDED_BYTES,
            max_aliases: YAML_ALIASES,
            max_anchors: YAML_ALIASES,
            max_recorded_anchor_events: 3 * YAML_VALUES,
            max_recorded_anchor_bytes: YAML_EXPANDED_BYTES,
            max_documents: 1,
            enforce_alias_anchor_ratio: false,
        },
        alias_limits: alias_limits! { max_total_replayed_events: YAML_VALUES },
        emit_comments: false,
        duplicate_keys: DuplicateKeyPolicy::Error,
        strict_booleans: true,
        null_as_string: true,
        with_snippet: false,
    }
}

/// Reads a YAML document.
///
/// # Errors
/// When it is not YAML, does not have this form, or is too deep or too large.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Refusal> {
    if text.len() > YAML_BYTES {
        return Err(Refusal::new("", format!("a YAML document must have at most {YAML_BYTES} bytes")));
    }
    serde_saphyr::from_str_with_options(text, bounded()).map_err(|error| Refusal::new("", error.to_string()))
}

/// Checks the depth and the expanded size of a document that another reader parses.
///
/// # Errors
/// When it is not YAML, or is too deep or too large.
pub fn check(text: &str) -> Result<(), Refusal> {
    parse::<serde::de::IgnoredAny>(text).map(|_| ())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::bounds::{YAML_BYTES, YAML_DEPTH, YAML_EXPANDED_BYTES, YAML_VALUES};
    use super::{check, parse};

    fn read(text: &str) -> Result<Value, super::Refusal> {
        let both = (parse::<Value>(text), check(text));
        assert_eq!(both.0.is_ok(), both.1.is_ok(), "{both:?}");
        both.0
    }

    #[test]
    fn depth_is_refused_just_above_its_bound() {
        let flow = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(&flow(YAML_DEPTH)).is_ok());
        assert!(read(&flow(YAML_DEPTH + 1)).is_err());
        let block = |depth: usize| format!("{}1", "- ".repeat(depth));
        assert!(read(&block(YAML_DEPTH)).is_ok());
        assert!(read(&block(YAML_DEPTH + 1)).is_err());
        assert!(read(&format!("flow: {}", "[".repeat(20_000))).is_err());
        assert!(read(&format!("flow: {}", "{a: ".repeat(20_000))).is_err());
    }

    #[test]
    fn the_expanded_size_is_refused_just_above_its_bound() {
        let expanded = |bytes: usize| {
            let (count, length) = (64, bytes / 64);
            format!("- &a {}\n{}", "x".repeat(length), "- *a\n".repeat(count - 1))
        };
        assert!(read(&expanded(YAML_EXPANDED_BYTES)).is_ok());
        assert!(read(&expanded(YAML_EXPANDED_BYTES + 64)).is_err());
        // Nine times nine times nine and so on.
        let mut bomb = "- &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
            bomb.push_str(&format!("- &a{level} [{aliases}]\n"));
        }
        assert!(read(&bomb).is_err());
    }

    #[test]
    fn values_and_bytes_are_refused_just_above_their_bounds() {
        let list = |values: usize| "- 1\n".repeat(values - 1);
        assert!(read(&list(YAML_VALUES)).is_ok());
        assert!(read(&list(YAML_VALUES + 1)).is_err());
        let long = |bytes: usize| format!("a{}", " ".repeat(bytes - 1));
        assert!(read(&long(YAML_BYTES)).is_ok());
        assert!(read(&long(YAML_BYTES + 1)).is_err());
    }
}
