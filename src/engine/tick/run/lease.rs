//! The leases of a server on its runs.

use chrono::{DateTime, TimeDelta, Utc};

use crate::app::App;
use crate::error::Result;
use crate::store;
use crate::store::run::Lease;

/// How long a server owns its runs after it last renewed their leases.
const LEASE: TimeDelta = TimeDelta::seconds(15);

/// The lease of this server, from now on.
pub(in crate::engine) fn lease(app: &App, now: DateTime<Utc>) -> Lease {
    Lease { owner: app.instance, until: now + LEASE }
}

/// Renews the leases of this server's runs. A separate loop calls this, so that no lease expires while a pass waits for a runner.
///
/// # Errors
/// Database errors.
pub async fn renew(app: &App, now: DateTime<Utc>) -> Result<()> {
    let lease = lease(app, now);
    store::run::renew(&app.db, lease).await?;
    app.fence.renewed(now, lease.until);
    Ok(())
}
