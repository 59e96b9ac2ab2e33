//! Which files read JSON and YAML themselves.

use std::path::PathBuf;

use super::imports::code_of;
use super::{files, name, text};

/// Files of the APIs that read JSON or YAML themselves, without the bounds of `input`, and why.
const OWN_READERS: &[(&str, &str)] = &[
    ("src/api/contract.rs", "the contract"),
    ("src/api/wire/body_faults.rs", "a body that request_body.rs has checked"),
    ("src/api/wire/operation_schema.rs", "the contract"),
    ("src/api/wire/request_body.rs", "after `read_json::check`, for an error that names the field"),
    ("src/terrakube/state_lock.rs", "an id that is compared, and not stored"),
    ("src/terrakube/state_routes.rs", "values of a state that is stored, which were bounded when it arrived"),
];

/// What comes in is bounded and checked in one place.
#[test]
fn the_apis_read_within_bounds() {
    let reads = |path: &PathBuf| {
        let code = code_of(&text(path));
        ["serde_json::from_slice", "serde_json::from_str", "serde_saphyr::"].iter().any(|reader| code.contains(reader))
    };
    let apis = ["src/api", "src/terrakube", "src/access"].into_iter().flat_map(files);
    let found: Vec<PathBuf> = apis.filter(reads).collect();
    let found: Vec<&str> = found.iter().map(|path| name(path)).collect();
    let expected: Vec<&str> = OWN_READERS.iter().map(|(file, _)| *file).collect();
    assert_eq!(found, expected, "read with input::read_json or input::read_yaml, or give a reason in OWN_READERS");
}
