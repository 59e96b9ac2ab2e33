//! Writes rows of variables.

use chrono::{DateTime, Utc};
use entity::variable::Model;
use sea_orm::DatabaseTransaction;

use super::parent::Parent;
use crate::app::App;
use crate::error::{Error, Result};
use crate::secret;
use crate::store;

/// Stores a new row, unless its scope is full.
pub(super) async fn insert(tx: &DatabaseTransaction, parent: &Parent, row: Model) -> Result<Model> {
    let (environment, job) = (parent.environment.as_ref().map(|row| row.id), parent.job.as_ref().map(|row| row.id));
    if store::variable::count_given(tx, parent.project.id, environment, job).await? >= store::variable::MOST {
        return Err(Error::invalid(
            "key",
            format!("cannot be added: a scope can have at most {} variables", store::variable::MOST),
        ));
    }
    let taken = key_taken(&row.key);
    store::row::create(tx, row).await.map_err(|e| Error::or_taken(e, taken))
}

pub(super) fn key_taken(key: &str) -> String {
    format!("this scope already has a variable {key}")
}

/// Marks the jobs that see the variables of a scope as changed.
pub(super) async fn touch(tx: &DatabaseTransaction, parent: &Parent, now: DateTime<Utc>) -> Result<()> {
    let (environment, job) = (parent.environment.as_ref().map(|row| row.id), parent.job.as_ref().map(|row| row.id));
    store::variable::touch(tx, parent.project.id, environment, job, now).await?;
    Ok(())
}

/// Sets the value of a row. The value of a secret is sealed.
pub(super) fn set_value(app: &App, row: &mut Model, value: String) -> Result<()> {
    if row.is_secret {
        row.sealed = Some(app.keys.seal(&secret::place("variable", row.id.0), value.as_bytes())?);
    } else {
        row.value = Some(value);
    }
    Ok(())
}
