//! The lease by which a server owns the runs it looks after.

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

/// Renews the leases of this server's runs. A loop of its own calls it, so that a pass that waits for a runner loses none.
///
/// # Errors
/// The database's.
pub(in crate::engine) async fn renew(app: &App, now: DateTime<Utc>) -> Result<()> {
    let lease = lease(app, now);
    store::run::renew(&app.db, lease).await?;
    app.fence.renewed(now, lease.until);
    Ok(())
}
