//! What the server says about a declaration.

use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::change::Change;
use super::document::Document;
use crate::api::shown as read;
use crate::failure::Result;
use crate::names::Place;

/// What the server says about a declaration.
#[derive(Deserialize)]
pub(super) struct Outcome {
    pub(super) environment_id: Option<Uuid>,
    pub(super) changes: Vec<Change>,
}

/// A declaration with what the server said about it.
pub(super) struct Told {
    pub(super) name: String,
    pub(super) answer: Value,
    pub(super) outcome: Outcome,
}

impl Told {
    /// The project of the environment.
    pub(super) fn project(&self) -> &str {
        self.name.split('/').next().unwrap_or_default()
    }
}

/// Sends a declaration.
pub(super) async fn tell(place: &Place, document: &Document, prune: Option<&str>, dry_run: bool) -> Result<Told> {
    let path = format!("/organization/{}/declaration", place.organization);
    let mut query = vec![("dryRun", dry_run.to_string())];
    query.extend(prune.map(|label| ("prune", label.to_owned())));
    let answer = place.api.post_with(&path, &query, &document.body).await;
    let answer = answer.map_err(|failure| failure.about(&document.origin))?;
    let outcome = read(&answer)?;
    Ok(Told { name: document.name(), answer, outcome })
}
