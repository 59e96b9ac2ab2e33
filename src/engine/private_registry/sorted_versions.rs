//! Pure: stored versions in the order of semantic versioning, the newest first.

use entity::{module_version, provider_version};

use super::release_version::ReleaseVersion;

/// Sorts versions of a module.
#[must_use]
pub fn module_versions(mut rows: Vec<module_version::Model>) -> Vec<module_version::Model> {
    rows.sort_by_cached_key(|row| std::cmp::Reverse(ReleaseVersion::parse(&row.version)));
    rows
}

/// Sorts versions of a provider.
#[must_use]
pub fn provider_versions(mut rows: Vec<provider_version::Model>) -> Vec<provider_version::Model> {
    rows.sort_by_cached_key(|row| std::cmp::Reverse(ReleaseVersion::parse(&row.version)));
    rows
}
