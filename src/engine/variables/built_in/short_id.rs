//! Pure: ids in names.

use uuid::Uuid;

/// The first eight digits of an id, which is how names refer to it.
#[must_use]
pub fn short_id(id: Uuid) -> String {
    id.simple().to_string().chars().take(8).collect()
}
