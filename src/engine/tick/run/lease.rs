//! The lease of a server on its runs.

use chrono::TimeDelta;

use crate::app::App;
use crate::error::{Error, Result};
use crate::store;
use crate::store::server_lease::Lease;

/// How long a server owns its runs after it last renewed its lease.
pub(in crate::engine::tick) const LEASE: TimeDelta = TimeDelta::seconds(15);

/// A lease that ends so soon should have been renewed before.
const LATE: TimeDelta = TimeDelta::seconds(9);

/// Renews the lease of this server, from now on: it is counted from the clock, not from the beginning of the tick, which may be long ago.
/// A separate loop calls this, so that the lease does not expire while a pass waits for a runner; it has a connection of its own, so
/// that it does not expire while requests use all others.
///
/// # Errors
/// Database errors.
pub async fn renew(app: &App) -> Result<()> {
    let lease = Lease { owner: app.instance, until: app.clock.now() + LEASE };
    store::write(&app.lease_db, async |tx| store::server_lease::renew(tx, lease).await.map_err(Error::from)).await?;
    app.fence.renewed(app.clock.now(), lease.until);
    Ok(())
}

/// Renews the lease if the loop that renews it is late.
pub(in crate::engine) async fn renew_if_late(app: &App) -> Result<()> {
    if app.fence.lasts_until(app.clock.now() + LATE) { Ok(()) } else { renew(app).await }
}
