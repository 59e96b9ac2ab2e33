//! The leases of a server on its runs.

use chrono::{DateTime, TimeDelta, Utc};

use crate::app::App;
use crate::engine::tick::pass::{Wish, report, succeeded};
use crate::error::{Error, Result};
use crate::liveness::passes::Pass;
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
pub(in crate::engine) async fn renew(app: &App, now: DateTime<Utc>) -> Result<()> {
    let lease = lease(app, now);
    match store::run::renew(&app.db, lease).await.map_err(Error::from) {
        Ok(()) => {}
        Err(error @ Error::Unavailable(_)) => return Err(error),
        Err(_) => renew_one_by_one(app, lease, now).await?,
    }
    app.fence.renewed(now, lease.until);
    Ok(())
}

/// Renews the leases of runs of which one cannot be renewed. It expires; the others do not.
async fn renew_one_by_one(app: &App, lease: Lease, now: DateTime<Utc>) -> Result<()> {
    for id in store::run::list_by_owner(&app.db, app.instance).await? {
        if app.setbacks.is_paused(Pass::Leases, &id.to_string(), now) {
            continue;
        }
        match store::run::renew_one(&app.db, lease, id).await {
            Ok(()) => succeeded(app, Pass::Leases, id),
            Err(error) => {
                report(app, (Pass::Leases, "run"), id, &error.into(), Wish::Process, now);
            }
        }
    }
    Ok(())
}
