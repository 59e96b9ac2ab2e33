//! The lease by which a server owns the runs it looks after.

use chrono::{DateTime, TimeDelta, Utc};

use crate::app::App;
use crate::error::Result;
use crate::store;
use crate::store::run::Lease;

/// How long a server's runs are its own after it was last heard of.
const LEASE: TimeDelta = TimeDelta::seconds(15);

pub(in crate::engine) fn lease(app: &App, now: DateTime<Utc>) -> Lease {
    Lease { owner: app.instance, until: now + LEASE }
}

/// Keeps this server's runs its own, also while a pass waits for a runner.
///
/// # Errors
/// The database's.
pub(in crate::engine) async fn renew(app: &App, now: DateTime<Utc>) -> Result<()> {
    let lease = lease(app, now);
    store::run::renew(&app.db, lease).await?;
    app.fence.renewed(now, lease.until);
    Ok(())
}
