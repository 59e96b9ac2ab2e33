//! The leases of a server on its runs.

use chrono::TimeDelta;

use crate::app::App;
use crate::engine::tick::pass::{Wish, report, succeeded};
use crate::error::{Error, Result};
use crate::liveness::passes::Pass;
use crate::store;
use crate::store::run::Lease;

/// How long a server owns its runs after it last renewed their leases.
const LEASE: TimeDelta = TimeDelta::seconds(15);

/// Leases that end so soon should have been renewed before.
const LATE: TimeDelta = TimeDelta::seconds(9);

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
    let all = store::write(&app.lease_db, async |tx| store::run::renew(tx, lease).await.map_err(Error::from));
    match all.await {
        Ok(()) => {}
        Err(error @ Error::Unavailable { .. }) => return Err(error),
        Err(_) => renew_one_by_one(app, lease).await?,
    }
    app.fence.renewed(app.clock.now(), lease.until);
    Ok(())
}

/// Renews the leases if the loop that renews them is late.
pub(super) async fn renew_if_late(app: &App) -> Result<()> {
    if app.fence.lasts_until(app.clock.now() + LATE) { Ok(()) } else { renew(app).await }
}

/// Renews the leases of runs of which one cannot be renewed. It expires; the others do not.
async fn renew_one_by_one(app: &App, lease: Lease) -> Result<()> {
    let now = app.clock.now();
    for id in store::run::list_by_owner(&app.lease_db, app.instance).await? {
        if app.setbacks.is_paused(Pass::Leases, &id.to_string(), now) {
            continue;
        }
        match store::run::renew_one(&app.lease_db, lease, id).await {
            Ok(()) => succeeded(app, Pass::Leases, id),
            Err(error) => {
                report(app, (Pass::Leases, "run"), id, &error.into(), Wish::Process, now);
            }
        }
    }
    Ok(())
}
