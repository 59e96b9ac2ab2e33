//! The leases of a server on its runs.

use chrono::TimeDelta;

use crate::app::App;
use crate::error::{Error, Result};
use crate::store;
use crate::store::run::Lease;

/// How long a server owns its runs after it last renewed their leases.
const LEASE: TimeDelta = TimeDelta::seconds(15);

/// The lease of this server, from now on. It is counted from the clock, not from the beginning of the tick, which may be long ago.
pub(in crate::engine) fn lease(app: &App) -> Lease {
    Lease { owner: app.instance, until: app.clock.now() + LEASE }
}

/// Renews the leases of this server's runs. A separate loop calls this, so that no lease expires while a pass waits for a runner;
/// it has a connection of its own, so that none expires while requests use all others.
///
/// # Errors
/// Database errors.
pub async fn renew(app: &App) -> Result<()> {
    let lease = lease(app);
    store::write(&app.lease_db, async |tx| store::run::renew(tx, lease).await.map_err(Error::from)).await?;
    app.fence.renewed(app.clock.now(), lease.until);
    Ok(())
}
