//! The environments that a caller may see.

use entity::environment;

use crate::access::{self, Action};
use crate::api::caller::Auth;
use crate::app::App;
use crate::error::Result;
use crate::store;

/// The environments of a project that the caller may see.
pub(super) async fn visible(
    app: &App,
    auth: &Auth,
    project: &entity::project::Model,
) -> Result<Vec<environment::Model>> {
    let rows = store::environment::list_by_project(&app.db, project.id).await?;
    let seen = |row: &environment::Model| auth.0.may(row.organization_id, Action::View, &access::location(row));
    Ok(rows.into_iter().filter(seen).collect())
}
