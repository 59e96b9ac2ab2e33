//! The pass that takes over the runs of servers that are gone.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::RunId;

use super::lease::renew_if_late;
use crate::app::App;
use crate::engine::tick::pass::{Wish, report, succeeded};
use crate::error::{Error, Result};
use crate::liveness::passes::Pass;
use crate::runner::Target;
use crate::runner::agent::agent_place;
use crate::runner::kubernetes::cluster_place;
use crate::runner::time_limit::with_time_limit;
use crate::store;
use crate::store::run::Orphans;

const PASS: Pass = Pass::Orphans;

/// How many runs of other servers one pass takes over at most.
const MOST: u64 = 1000;

/// The places that this server reaches.
pub(super) type Places = HashMap<Target, String>;

/// Takes over the runs of servers whose leases have expired.
pub(in crate::engine::tick) async fn run_once(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let orphans = Orphans {
        expired: store::server_lease::list_expired(&app.db, app.instance, now).await?,
        places: places_of(app).await.into_values().collect(),
        unreachable_before: now - TimeDelta::seconds(app.config.lost_timeout_seconds.into()),
    };
    let ids = store::run::list_orphans(&app.db, &orphans, now, MOST).await?;
    if ids.is_empty() {
        return Ok(false);
    }
    match take_some(app, &orphans, &ids, now).await {
        Ok(()) => return Ok(false),
        Err(error @ Error::Unavailable { .. }) => return Err(error),
        Err(_) => {}
    }
    // One of them cannot be taken over; the others can.
    for id in ids {
        if app.setbacks.is_paused(PASS, &id.to_string(), now) {
            continue;
        }
        match take_some(app, &orphans, &[id], now).await {
            Ok(()) => succeeded(app, PASS, id),
            Err(error) => {
                report(app, (PASS, "run"), id, &error, Wish::Process, now);
            }
        }
    }
    Ok(false)
}

pub(super) async fn places_of(app: &App) -> Places {
    let mut places = Places::new();
    for kind in [Target::Docker, Target::Process] {
        // While an engine does not answer, none of its runs are taken over.
        if let Ok(place) = with_time_limit(app.runners.get(kind).place()).await {
            places.insert(kind, place);
        }
    }
    // Every server reaches the same clusters.
    places.extend(
        app.runners.clusters.all().into_iter().map(|(id, _)| (Target::Kubernetes(id), cluster_place::place(id))),
    );
    places.extend(app.runners.agents.all().into_iter().map(|id| (Target::Agent(id), agent_place::place(id))));
    places
}

async fn take_some(app: &App, orphans: &Orphans, ids: &[RunId], now: DateTime<Utc>) -> Result<()> {
    // Nobody takes over the runs of a server that has no lease.
    renew_if_late(app).await?;
    let expired: Vec<_> = orphans.expired.iter().map(|lease| lease.id).collect();
    let taken = store::write(&app.db, async |tx| {
        let expired = store::server_lease::lock_expired(tx, expired.clone(), now).await?;
        let since = expired.iter().map(|lease| lease.until).max();
        let orphans = Orphans { expired, ..orphans.clone() };
        let taken = store::run::take_over(tx, app.instance, &orphans, now, ids).await?;
        Ok::<_, Error>(taken.into_iter().map(|id| (id, since)).collect::<Vec<_>>())
    });
    let taken = taken.await.inspect_err(|_| app.visits.list_soon())?;
    let any = !taken.is_empty();
    for (id, since) in taken {
        tracing::info!(run = %id, "run taken over from a server whose lease has expired");
        app.visits.visit([id]);
        // Until then the other server looked at it.
        if let Some(since) = since {
            app.visits.seen(id, since.min(now));
        }
    }
    if any {
        app.wake.again();
    }
    Ok(())
}
