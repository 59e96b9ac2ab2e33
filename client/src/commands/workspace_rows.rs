//! Resources of the Terrakube-compatible API, and how a workspace is found by its name.

use serde::Deserialize;
use serde_json::Value;

use crate::api::shown;
use crate::failure::{Failure, Result};
use crate::names::Place;

/// A resource of the API.
#[derive(Deserialize)]
pub(super) struct Row {
    id: Value,
    pub(super) attributes: Value,
}

#[derive(Deserialize)]
pub(super) struct Data<T> {
    pub(super) data: T,
}

impl Row {
    pub(super) fn id(&self) -> String {
        match &self.id {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }

    pub(super) fn text(&self, name: &str) -> &str {
        self.attributes.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

/// The path of what is below the organization.
pub(super) fn below(place: &Place, rest: &str) -> String {
    format!("/api/v1/organization/{}/{rest}", place.organization)
}

pub(super) async fn rows(place: &Place, rest: &str, query: &[(&str, String)]) -> Result<Vec<Row>> {
    let answer: Data<Vec<Row>> = shown(&place.api.get(&below(place, rest), query).await?)?;
    Ok(answer.data)
}

pub(super) async fn find(place: &Place, name: &str) -> Result<Row> {
    let all = rows(place, "workspace", &[]).await?;
    let names = all.iter().map(|row| row.text("name")).collect::<Vec<_>>().join(", ");
    let missing = Failure::NotFound(format!("there is no workspace {name}; there are: {names}"));
    let mut fits = all.into_iter().filter(|row| row.id() == name || row.text("name") == name);
    fits.next().ok_or(missing)
}

/// The path of what belongs to the state of a workspace.
pub(super) fn of_state(place: &Place, workspace: &Row, rest: &str) -> String {
    format!("/tfstate/v1/organization/{}/workspace/{}/{rest}", place.organization, workspace.id())
}
