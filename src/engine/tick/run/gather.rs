//! Collects the runs that a pass visits, and reads their rows.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use entity::id::RunId;
use entity::run;
use entity::run::{RunState, RunnerKind};
use futures_util::StreamExt as _;

use super::orphans::{Places, places_of};
use crate::app::App;
use crate::engine::tick::give_up;
use crate::engine::tick::pass::{Verdict, Wish, reason, report};
use crate::error::{Error, Result};
use crate::liveness::passes::Pass;
use crate::liveness::visits::{QuietStep, Scope, Visit};
use crate::liveness::wake::Calls;
use crate::runner::agent::agent_place;
use crate::runner::kubernetes::cluster_place;
use crate::runner::time_limit::with_time_limit;
use crate::runner::{StepState, Target};
use crate::store;

pub(super) const PASS: Pass = Pass::Observe;

/// How many runs are observed at the same time.
pub(super) const CONCURRENCY: usize = 16;

/// The runs that a pass visits, each with its row, and those that it glances at.
pub(super) struct Gathered {
    pub(super) visits: Vec<(run::Model, Visit)>,
    pub(super) glances: Vec<(RunId, QuietStep)>,
}

/// The running runs of this server that a pass has to visit. The rows of those that it has just `claimed` are not read again.
pub(super) async fn gather(
    app: &App,
    (scope, calls): (Scope, Calls),
    mut claimed: Vec<run::Model>,
    now: DateTime<Utc>,
) -> Result<Gathered> {
    let news = if scope == Scope::News { app.wake.take_urgent_news() } else { app.wake.take_news() };
    if calls.requests {
        let cancelled = store::run::list_owned_to_cancel(&app.db, app.instance).await?;
        claimed.retain(|row| !cancelled.contains(&row.id));
        app.visits.cancelled(cancelled);
    }
    if app.visits.lists(scope) {
        let owned = store::run::list_owned(&app.db, app.instance).await;
        app.visits.listed(&owned.inspect_err(|_| app.visits.list_soon())?);
    }
    let round = app.visits.next(scope, &news, now);
    Ok(Gathered { visits: read(app, round.visits, claimed, now).await?, glances: round.glances })
}

/// Glances at quiet runs; those that are not quiet are to be visited. Returns whether there are any.
pub(super) async fn glance_at(app: &App, quiet: Vec<(RunId, QuietStep)>, now: DateTime<Utc>) -> bool {
    if quiet.is_empty() {
        return false;
    }
    let places = places_of(app).await;
    let glances = futures_util::stream::iter(quiet.into_iter().map(|quiet| glance(app, &places, quiet, now)));
    let moved: Vec<Option<RunId>> = glances.buffer_unordered(CONCURRENCY).collect().await;
    let moved: Vec<RunId> = moved.into_iter().flatten().collect();
    let any = !moved.is_empty();
    app.visits.visit(moved);
    any
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
        RunnerKind::Agent => match agent_place::cluster_of(&step.place) {
            Some(cluster) => Target::Agent(cluster),
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

/// The rows of runs that still belong to this server, some of which are known.
async fn read(
    app: &App,
    visits: Vec<Visit>,
    known: Vec<run::Model>,
    now: DateTime<Utc>,
) -> Result<Vec<(run::Model, Visit)>> {
    let mut visits: HashMap<RunId, Visit> = visits.into_iter().map(|visit| (visit.id(), visit)).collect();
    let known_ids: HashSet<RunId> = known.iter().map(|row| row.id).collect();
    let ids: Vec<RunId> = visits.keys().copied().filter(|id| !known_ids.contains(id)).collect();
    let mut rows = read_rows(app, ids, now).await?;
    rows.extend(known);
    rows.sort_unstable_by_key(|row| row.number);
    let visit_of = |row: run::Model| visits.remove(&row.id).map(|visit| (row, visit));
    Ok(rows.into_iter().filter_map(visit_of).collect())
}

async fn read_rows(app: &App, ids: Vec<RunId>, now: DateTime<Utc>) -> Result<Vec<run::Model>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    match store::run::list_owned_of(&app.db, app.instance, &ids).await.map_err(Error::from) {
        Ok(rows) => {
            forget_all_but(app, &rows, &ids);
            Ok(rows)
        }
        Err(error @ Error::Unavailable { .. }) => Err(error),
        // One of them cannot be read; the others can.
        Err(_) => Ok(read_one_by_one(app, ids, now).await),
    }
}

async fn read_one_by_one(app: &App, ids: Vec<RunId>, now: DateTime<Utc>) -> Vec<run::Model> {
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
    rows
}

/// Forgets the runs that have ended, or that another server has.
fn forget_all_but(app: &App, rows: &[run::Model], ids: &[RunId]) {
    if rows.len() == ids.len() {
        return;
    }
    let there: HashSet<RunId> = rows.iter().map(|row| row.id).collect();
    for id in ids.iter().filter(|id| !there.contains(id)) {
        app.visits.gone(*id);
    }
}
