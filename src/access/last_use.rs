//! Records when a token was last used, to within a minute. The record is a convenience, so that no request fails or waits for it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::{AccessTokenId, SessionId, TokenId};
use sea_orm::DatabaseConnection;

use crate::error::{Error, Result};
use crate::store;

const PRECISION: TimeDelta = TimeDelta::minutes(1);

/// The longest that a request waits for the record, while the database is busy.
const PATIENCE: Duration = Duration::from_millis(250);

/// A token or a session.
#[derive(Clone, Copy, Debug)]
pub(super) enum LastUse {
    Api(TokenId),
    Access(AccessTokenId),
    Session(SessionId),
}

impl LastUse {
    /// Records a use now, unless one was recorded in the last minute.
    pub(super) async fn note(self, db: &DatabaseConnection, last: Option<DateTime<Utc>>, now: DateTime<Utc>) {
        if last.is_some_and(|at| (now - at).abs() < PRECISION) {
            return;
        }
        match tokio::time::timeout(PATIENCE, self.record(db, now)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(?error, token = ?self, "the last use of a token was not recorded"),
            Err(_) => tracing::debug!(token = ?self, "the last use of a token was not recorded: the database is busy"),
        }
    }

    async fn record(self, db: &DatabaseConnection, now: DateTime<Utc>) -> Result<()> {
        store::write(db, async |tx| {
            match self {
                Self::Api(id) => store::token::set_last_use(tx, id, now).await?,
                Self::Access(id) => store::team::set_last_use(tx, id, now).await?,
                Self::Session(id) => store::console_session::set_last_use(tx, id, now).await?,
            }
            Ok::<_, Error>(())
        })
        .await
    }
}
