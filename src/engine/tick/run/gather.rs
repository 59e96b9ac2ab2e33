//! Collects the runs that a pass visits: takes over those of servers that are gone, and reads the rows.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::RunId;
use entity::run;
use entity::run::{RunState, RunnerKind};
use futures_util::StreamExt as _;

use crate::app::App;
use crate::engine::tick::give_up;
use crate::engine::tick::pass::{Verdict, Wish, reason, report, succeeded};
use crate::error::{Error, Result};
use crate::liveness::passes::Pass;
use crate::liveness::visits::{QuietStep, Scope};
use crate::runner::kubernetes::cluster_place;
use crate::runner::time_limit::with_time_limit;
use crate::runner::{StepState, Target};
use crate::store;
use crate::store::run::Orphans;

pub(super) const PASS: Pass = Pass::Observe;

/// How many runs are observed at the same time.
pub(super) const CONCURRENCY: usize = 16;

/// How many runs of other servers one pass takes over at most.
const ORPHANS: u64 = 1000;

/// The places that this server reaches.
type Places = HashMap<Target, String>;

/// The running runs of this server that a pass has to visit.
pub(super) async fn gather(app: &App, scope: Scope, now: DateTime<Utc>) -> Result<Vec<run::Model>> {
    let news = app.wake.take_news();
    let mut places = Places::new();
    if scope != Scope::News {
        places = places_of(app).await;
        take_over(app, &places, now).await?;
    }
    app.visits.cancelled(store::run::list_owned_to_cancel(&app.db, app.instance).await?);
    if app.visits.lists(scope) {
        let owned = store::run::list_owned(&app.db, app.instance).await;
        app.visits.listed(&owned.inspect_err(|_| app.visits.list_soon())?);
    }
    let mut round = app.visits.next(scope, &news, now);
    let glances = futures_util::stream::iter(round.glances.into_iter().map(|quiet| glance(app, &places, quiet, now)));
    let moved: Vec<Option<RunId>> = glances.buffer_unordered(CONCURRENCY).collect().await;
    let moved: Vec<RunId> = moved.into_iter().flatten().collect();
    if !moved.is_empty() {
        app.visits.visit(moved);
        round.visits.extend(app.visits.next(Scope::News, &Default::default(), now).visits);
    }
    read(app, round.visits, now).await
}

async fn places_of(app: &App) -> Places {
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
    places
}

/// Takes over the runs of servers whose leases have expired.
async fn take_over(app: &App, places: &Places, now: DateTime<Utc>) -> Result<()> {
    let orphans = Orphans {
        expired: store::server_lease::list_expired(&app.db, app.instance, now).await?,
        places: places.values().cloned().collect(),
        unreachable_before: now - TimeDelta::seconds(app.config.lost_timeout_seconds.into()),
    };
    let ids = store::run::list_orphans(&app.db, &orphans, now, ORPHANS).await?;
    if ids.is_empty() {
        return Ok(());
    }
    match take_some(app, &orphans, &ids, now).await {
        Ok(()) => return Ok(()),
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
    Ok(())
}

async fn take_some(app: &App, orphans: &Orphans, ids: &[RunId], now: DateTime<Utc>) -> Result<()> {
    let expired: Vec<_> = orphans.expired.iter().map(|lease| lease.id).collect();
    let taken = store::write(&app.db, async |tx| {
        let expired = store::server_lease::lock_expired(tx, expired.clone(), now).await?;
        let since = expired.iter().map(|lease| lease.until).max();
        let orphans = Orphans { expired, ..orphans.clone() };
        let taken = store::run::take_over(tx, app.instance, &orphans, now, ids).await?;
        Ok::<_, Error>(taken.into_iter().map(|id| (id, since)).collect::<Vec<_>>())
    });
    let taken = taken.await.inspect_err(|_| app.visits.list_soon())?;
    for (id, since) in taken {
        tracing::info!(run = %id, "run taken over from a server whose lease has expired");
        app.visits.visit([id]);
        // Until then the other server looked at it.
        if let Some(since) = since {
            app.visits.seen(id, since.min(now));
        }
    }
    Ok(())
}

/// The run, if there is more to do than to wait.
async fn glance(app: &App, places: &Places, (id, step): (RunId, QuietStep), now: DateTime<Utc>) -> Option<RunId> {
    let target = match step.runner {
        RunnerKind::Docker => Target::Docker,
        RunnerKind::Process => Target::Process,
        RunnerKind::Kubernetes => match cluster_place::cluster_of(&step.place) {
            Some(cluster) => Target::Kubernetes(cluster),
            None => return Some(id),
        },
    };
    if places.get(&target) != Some(&step.place) {
        return Some(id);
    }
    let runner = app.runners.get(target);
    let waits = with_time_limit(async {
        let runs = runner.poll(&step.name).await? == StepState::Running;
        Ok::<_, crate::runner::Unavailable>(runs && runner.logs(&step.name, step.lines, 1).await?.lines.is_empty())
    });
    if !waits.await.unwrap_or(false) {
        return Some(id);
    }
    app.visits.seen(id, now);
    None
}

/// The rows of runs that still belong to this server.
async fn read(app: &App, ids: Vec<RunId>, now: DateTime<Utc>) -> Result<Vec<run::Model>> {
    match store::run::list_owned_of(&app.db, app.instance, &ids).await.map_err(Error::from) {
        Ok(rows) => {
            forget_all_but(app, &rows, &ids);
            return Ok(rows);
        }
        Err(error @ Error::Unavailable { .. }) => return Err(error),
        Err(_) => {}
    }
    // One of them cannot be read; the others can.
    let mut rows = Vec::with_capacity(ids.len());
    for id in ids {
        match store::run::list_owned_of(&app.db, app.instance, &[id]).await.map_err(Error::from) {
            Ok(found) => {
                forget_all_but(app, &found, &[id]);
                rows.extend(found);
            }
            Err(_) if app.setbacks.is_paused(PASS, &id.to_string(), now) => {}
            Err(error) => {
                if report(app, (PASS, "run"), id, &error, Wish::Process, now) == Verdict::GiveUp {
                    give_up::run(app, id, (RunState::Failed, reason("the run", &error)), now).await;
                }
            }
        }
    }
    Ok(rows)
}

/// Forgets the runs that have ended, or that another server has.
fn forget_all_but(app: &App, rows: &[run::Model], ids: &[RunId]) {
    if rows.len() == ids.len() {
        return;
    }
    let there: std::collections::HashSet<RunId> = rows.iter().map(|row| row.id).collect();
    for id in ids.iter().filter(|id| !there.contains(id)) {
        app.visits.gone(*id);
    }
}
