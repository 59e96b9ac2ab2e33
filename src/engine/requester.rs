//! Who made a request, for events and the history.

use entity::deployment::Origin;

/// Who made a request.
#[derive(Clone, Debug)]
pub struct Requester {
    pub name: String,
    pub origin: Origin,
    pub user_agent: Option<String>,
}
