//! Who asked for something, for events and histories.

use entity::deployment::Origin;

/// Who asks, for the history.
#[derive(Clone, Debug)]
pub struct Requester {
    pub name: String,
    pub origin: Origin,
    pub user_agent: Option<String>,
}
