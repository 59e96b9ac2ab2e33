//! Pure: the short form of ids.

use uuid::Uuid;

/// The first eight digits of an id, as used in names.
#[must_use]
pub fn short_id(id: Uuid) -> String {
    id.simple().to_string().chars().take(8).collect()
}
