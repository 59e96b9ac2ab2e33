//! The pass that claims queued runs for free slots: the server has slots, and each cluster has slots of its own, so that none of
//! them waits for another. Organizations that wait take turns.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use entity::id::{ClusterId, OrganizationId, RunId};
use entity::run;
use entity::run::RunState;
use uuid::Uuid;

use super::lease::renew_if_late;
use crate::app::App;
use crate::engine::run::{Waiting, take_turns};
use crate::engine::tick::give_up;
use crate::engine::tick::pass::{BATCH, Verdict, Wish, reason, report, succeeded};
use crate::error::{Error, Result};
use crate::liveness::passes::Pass;
use crate::runner::agent::Presence;
use crate::store;
use crate::store::run::slots::{Queue, WaitingRun};

const PASS: Pass = Pass::Claim;

/// Claims as many runs as there are free slots, and adds them to `claimed`. `observe` starts them, as it does the runs taken over from a
/// killed server.
pub(in crate::engine::tick) async fn run_once(
    app: &App,
    claimed: &mut Vec<run::Model>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let mut queues: BTreeMap<Uuid, Vec<Queue>> = BTreeMap::new();
    for queue in store::run::slots::list_queues(&app.db).await? {
        queues.entry(queue.0).or_default().push(queue);
    }
    if queues.is_empty() {
        return Ok(false);
    }
    let mut held: HashMap<Uuid, HashMap<OrganizationId, u64>> = HashMap::new();
    for (slots, organization, runs) in store::run::slots::count_held(&app.db, app.instance).await? {
        held.entry(slots).or_default().insert(organization, u64::try_from(runs).unwrap_or(0));
    }
    let mut more = false;
    for (slots, queues) in queues {
        let held = held.remove(&slots).unwrap_or_default();
        let free = most(app, slots).saturating_sub(held.values().sum()).min(BATCH);
        if free > 0 {
            let chosen = choose(app, &queues, &held, free, now).await?;
            more |= claim(app, chosen, claimed, now).await? == Claimed::Fewer;
        }
    }
    Ok(more)
}

/// How many runs may use these slots at the same time. Agents that are connected say how many steps they run; while none is, runs are
/// started as usual, and wait for one.
fn most(app: &App, slots: Uuid) -> u64 {
    let most = app.config.max_runs;
    match app.runners.agents.presence(ClusterId(slots)) {
        Presence::Here(capacity) => most.min(capacity).into(),
        Presence::Unknown | Presence::Never | Presence::Gone(_) => most.into(),
    }
}

/// The runs of these queues whose turn it is.
async fn choose(
    app: &App,
    queues: &[Queue],
    held: &HashMap<OrganizationId, u64>,
    free: u64,
    now: DateTime<Utc>,
) -> Result<Vec<RunId>> {
    let paused: Vec<Uuid> = app.setbacks.paused(PASS, now);
    let limit = free + u64::try_from(paused.len()).unwrap_or(0);
    let waiting = store::run::slots::list_waiting(&app.db, queues, now, limit).await?;
    let waiting = waiting.into_iter().filter(|run| !paused.contains(&run.id.0));
    let waiting =
        waiting.map(|WaitingRun { id, organization, since, number }| Waiting { run: id, organization, since, number });
    Ok(take_turns(waiting.collect(), held, usize::try_from(free).unwrap_or(usize::MAX)))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Claimed {
    All,
    /// Another server claimed some of them first.
    Fewer,
}

async fn claim(app: &App, chosen: Vec<RunId>, claimed: &mut Vec<run::Model>, now: DateTime<Utc>) -> Result<Claimed> {
    if chosen.is_empty() {
        return Ok(Claimed::All);
    }
    match claim_some(app, &chosen, now).await {
        Ok(rows) => {
            let all = rows.len() == chosen.len();
            claimed.extend(rows);
            Ok(if all { Claimed::All } else { Claimed::Fewer })
        }
        Err(error @ Error::Unavailable { .. }) => Err(error),
        Err(_) => {
            // One of them cannot be claimed; the others can.
            for id in chosen {
                if let Err(error) = claim_some(app, &[id], now).await
                    && report(app, (PASS, "run"), id, &error, Wish::Process, now) == Verdict::GiveUp
                {
                    give_up::run(app, id, (RunState::Failed, reason("the run", &error)), now).await;
                }
            }
            Ok(Claimed::All)
        }
    }
}

async fn claim_some(app: &App, chosen: &[RunId], now: DateTime<Utc>) -> Result<Vec<run::Model>> {
    renew_if_late(app).await?;
    let claimed: Result<Vec<run::Model>> =
        store::write_one(&app.db, async |db| store::run::claim(&db, app.instance, now, chosen).await)
            .await
            .map_err(Error::from);
    // If the connection breaks, some may have been claimed.
    let claimed = claimed.inspect_err(|_| app.visits.list_soon())?;
    app.visits.visit(claimed.iter().map(|run| run.id));
    for id in chosen {
        succeeded(app, PASS, id);
    }
    for run in &claimed {
        let job = run.job_id.map(tracing::field::display);
        tracing::info!(run = %run.id, job, event = run.event.name(), attempt = run.attempt, "run claimed");
    }
    Ok(claimed)
}
