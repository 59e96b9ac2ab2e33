//! That the crates about schedules are pure.

use super::imports::code_of;
use super::{files, name, text};

/// What schedules mean and how others are read is pure; only the zones are read from files.
#[test]
fn schedules_and_imports_are_pure() {
    for path in files("schedule/src").into_iter().chain(files("import/src")) {
        let (file, source) = (name(&path), text(&path));
        let reads_files = file.contains("/time_zone/mod.rs") || file.contains("/time_zone/zone_data");
        if reads_files || file.ends_with("/lib.rs") || file.ends_with("tests.rs") || file.ends_with("/fixtures.rs") {
            continue;
        }
        assert!(source.starts_with("//! Pure:"), "{file} does not say that it is pure");
        for impure in ["async ", "Utc::now", "std::fs", "std::env", "tokio", "sea_orm"] {
            assert!(!code_of(&source).contains(impure), "{file} has {impure}");
        }
    }
}
