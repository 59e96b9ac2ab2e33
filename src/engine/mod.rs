//! Deployments, schedules and runs.
//!
//! `run` repeats the passes: on a wake-up, when a schedule is due, and at least every few seconds. All they know comes
//! from the database and the time, so that a lost wake-up or a killed server costs time only.

pub mod advanced_settings;
mod announce;
pub mod cluster;
pub mod command;
pub mod cron;
pub mod deployment;
pub mod flow;
pub mod manual;
pub mod masking;
pub mod outputs;
pub mod requester;
pub mod rule;
pub mod run;
pub mod shown;
pub mod template;
pub mod tick;
pub mod variables;
pub mod workspace;

use std::time::Duration;

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;

pub use self::tick::workspace::files as workspace_files;
use crate::app::App;
use crate::liveness::pulse::Loop;
use crate::store;

/// The longest sleep when nothing runs.
const CALM: Duration = Duration::from_secs(5);
/// The sleep while something runs.
const BUSY: Duration = Duration::from_millis(500);
/// The shortest sleep: where something stays due because its pass fails, the machine is not kept busy with it.
const BREATH: Duration = Duration::from_millis(20);
/// How often what ended runs left behind is looked for.
const SWEEP: TimeDelta = TimeDelta::minutes(10);

/// How often leases are renewed: a few times before they run out.
const HEARTBEAT: Duration = Duration::from_secs(4);
/// How often what need not be kept is looked for.
const PRUNE: Duration = Duration::from_secs(30);

/// How often it is looked whether clusters are as they were left.
const LOOK: Duration = Duration::from_secs(10);

/// Runs the passes until `shutdown`: those that plan and those that work side by side, so that neither waits for the
/// other, and beside them what keeps leases and deletes what is old.
pub async fn run(app: &App, shutdown: CancellationToken) {
    tokio::join!(
        again(app, &shutdown, async || {
            let now = app.clock.now();
            app.pulse.beat(Loop::Plan, now);
            let more = tick::plan(app, now).await.more;
            if more { Duration::ZERO } else { until_due(app).await }
        }),
        work(app, &shutdown),
        again_after(&shutdown, HEARTBEAT, async || {
            if let Err(error) = tick::renew(app, app.clock.now()).await {
                tracing::warn!(?error, "leases could not be renewed");
            }
            HEARTBEAT
        }),
        again(app, &shutdown, async || {
            if let Err(error) = cluster::connect::connect(app).await {
                tracing::warn!(?error, "the clusters could not be read");
            }
            // Not as often as runs end.
            tokio::time::sleep(BUSY).await;
            CALM
        }),
        again_after(&shutdown, LOOK, async || {
            if let Err(error) = cluster::drift::look(app, app.clock.now()).await {
                tracing::warn!(?error, "clusters could not be looked at");
            }
            LOOK
        }),
        again_after(&shutdown, PRUNE, async || {
            if tick::prune(app, app.clock.now()).await.more { BREATH } else { PRUNE }
        }),
    );
}

async fn work(app: &App, shutdown: &CancellationToken) {
    let mut swept_at = None;
    again(app, shutdown, async || {
        let now = app.clock.now();
        app.pulse.beat(Loop::Work, now);
        if swept_at.is_none_or(|at| now - at >= SWEEP) {
            tick::sweep(app).await;
            swept_at = Some(now);
        }
        let more = tick::work(app, now).await.more;
        let busy = store::run::count_open(&app.db).await.map_or(true, |open| open > 0);
        match (more, busy) {
            (true, _) => Duration::ZERO,
            (false, true) => BUSY,
            (false, false) => CALM,
        }
    })
    .await;
}

/// Does something whenever the engine is woken, and after the time that it names.
async fn again(app: &App, shutdown: &CancellationToken, mut step: impl AsyncFnMut() -> Duration) {
    let mut woken = app.wake.listen();
    loop {
        let pause = step().await;
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            () = woken.wait() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Does something after a first pause, and then again after the time that it names.
async fn again_after(shutdown: &CancellationToken, first: Duration, mut step: impl AsyncFnMut() -> Duration) {
    let mut pause = first;
    loop {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        pause = step().await;
    }
}

/// How long no schedule will be due.
async fn until_due(app: &App) -> Duration {
    let (jobs, workspaces) = (store::job_schedule::next_due(&app.db).await, store::workspace::next_due(&app.db).await);
    match jobs.ok().flatten().into_iter().chain(workspaces.ok().flatten()).min() {
        Some(due) => (due - app.clock.now()).to_std().unwrap_or(Duration::ZERO).clamp(BREATH, CALM),
        None => CALM,
    }
}
