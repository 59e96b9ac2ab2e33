//! A run that is open in a cluster, which therefore cannot be deleted.

use entity::id::ClusterId;
use entity::run;
use sea_orm::ConnectionTrait;

use crate::error::Result;
use crate::runner::agent::agent_place;
use crate::runner::kubernetes::cluster_place::place;
use crate::store;

/// An open run that was handed to a cluster, or waits for one of its slots.
///
/// # Errors
/// Database errors.
pub async fn open_run(db: &impl ConnectionTrait, id: ClusterId) -> Result<Option<run::Model>> {
    match store::run::open_at(db, &place(id)).await? {
        Some(run) => Ok(Some(run)),
        None => match store::run::open_at(db, &agent_place::place(id)).await? {
            Some(run) => Ok(Some(run)),
            None => Ok(store::run::waiting_for(db, id.0).await?),
        },
    }
}
