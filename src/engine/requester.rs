//! Who made a request, for events and the history.

use entity::deployment::Origin;

/// Who made a request.
#[derive(Clone, Debug)]
pub struct Requester {
    pub name: String,
    /// The verified email address of a person.
    pub email: Option<String>,
    pub origin: Origin,
    pub user_agent: Option<String>,
}

impl Requester {
    /// Whom the rows of workspaces name: the email address of a person, the name of a token or a group.
    #[must_use]
    pub fn author(&self) -> &str {
        self.email.as_deref().unwrap_or(&self.name)
    }
}
