//! Pure: the bounds of texts in a structured format.
//!
//! Sizes of whole bodies are bounded where they are read; these bound what reading them may cost.

/// How deep lists and objects of a JSON document may be nested.
pub const JSON_DEPTH: usize = 64;
/// The most values in a JSON document, each list and object included.
pub const JSON_VALUES: usize = 100_000;

/// The longest YAML document, in bytes.
pub const YAML_BYTES: usize = 1024 * 1024;
/// How deep lists and maps of a YAML document may be nested.
pub const YAML_DEPTH: usize = 32;
/// The most values in a YAML document with its aliases expanded.
pub const YAML_VALUES: usize = 20_000;
/// The most bytes of text in a YAML document with its aliases expanded.
pub const YAML_EXPANDED_BYTES: usize = 2 * 1024 * 1024;
/// The most aliases in a YAML document.
pub const YAML_ALIASES: usize = 1000;

/// The longest template, in bytes of YAML.
pub const TEMPLATE_BYTES: usize = 256 * 1024;
/// The most steps of a template.
pub const TEMPLATE_STEPS: usize = 100;

/// The longest filter in RSQL, in bytes.
pub const FILTER_BYTES: usize = 8192;
/// How deep groups of a filter may be nested.
pub const FILTER_DEPTH: usize = 32;
/// The most comparisons in a filter, and values in a comparison.
pub const FILTER_TERMS: usize = 256;

/// The longest subject of a JWT in OIDC, in characters (section 2 of its specification).
pub const SUBJECT: usize = 255;
/// The longest other claim of a JWT that is stored or compared, in characters.
pub const CLAIM: usize = 1024;
/// The most groups in a JWT.
pub const GROUPS: usize = 1000;
/// The longest id of a state lock, and the longest lineage of a state, in characters.
pub const STATE_TEXT: usize = 1024;
