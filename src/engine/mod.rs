//! Deployments, schedules and runs.
//!
//! `run` repeats the passes: on a wake-up, when a schedule is due, and at least every few seconds. They depend only on the
//! database and the time, so a lost wake-up or a killed server only causes a delay.

pub mod advanced_settings;
mod announce;
pub mod approval_team;
pub mod assigned_role;
pub mod audit;
pub mod backfill;
pub mod clone_job;
pub mod cluster;
pub mod command;
pub mod copy_environment;
pub mod copy_job;
pub mod cron;
pub mod default_rule;
pub mod definition;
pub mod deploy_version;
pub mod deployment;
pub mod deployment_rule;
pub mod exit_code;
pub mod explanation;
pub mod export;
pub mod faults;
pub mod flow;
pub mod forecast;
pub mod limits;
pub mod lock_wait;
pub mod manual;
pub mod masking;
pub mod member;
pub mod new_environment;
pub mod new_project;
pub mod organization_token;
pub mod outlook_of_jobs;
pub mod outputs;
pub mod overrides;
pub mod pause;
pub mod requester;
pub mod run;
pub mod run_lengths;
pub mod schedule_times;
pub mod shown;
pub mod state;
pub mod template;
pub mod terraform_state;
pub mod tick;
pub mod tool_version;
pub mod variable;
pub mod variables;
pub mod wildcard;
mod wind_down;
pub mod workspace;
pub mod workspace_setting;

use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use self::tick::workspace::files as workspace_files;
use crate::app::App;
use crate::liveness::key_check;
use crate::liveness::passes::Pass;
use crate::liveness::pulse::Loop;
use crate::liveness::visits::Scope;
use crate::store;

/// The pause between ticks while nothing is due and nothing runs.
const IDLE: Duration = Duration::from_secs(5);
/// The pause between ticks while runs are open.
const BUSY: Duration = Duration::from_millis(500);
/// The shortest pause: a pass that keeps failing must not keep a core busy.
const SHORTEST: Duration = Duration::from_millis(20);
/// How often the runners are searched for steps of ended runs.
const SWEEP: TimeDelta = TimeDelta::minutes(10);
/// How often the lease of this server is renewed: several times before it expires.
const HEARTBEAT: Duration = Duration::from_secs(4);
/// How often the key file is compared with the database.
const KEY_CHECK: Duration = Duration::from_secs(30);
/// How often expired rows are deleted.
const PRUNE: Duration = Duration::from_secs(60);
/// How often clusters are checked for manual changes.
const DRIFT: Duration = Duration::from_secs(10);

/// Runs the loops of the engine until `shutdown`. Planning and working are loops of their own, so that neither waits for the
/// other; ARCHITECTURE.md lists them all. The loops that observe runs go on until the steps that end with this server have ended.
pub async fn run(app: &App, shutdown: CancellationToken) {
    let drained = CancellationToken::new();
    tokio::join!(
        plan(app, &shutdown),
        work(app, &drained),
        async {
            shutdown.cancelled().await;
            wind_down::run(app).await;
            drained.cancel();
        },
        every(&drained, HEARTBEAT, async || {
            let renewed = tick::renew(app).await.map(|()| false);
            tick::pass::check(app, Pass::Leases, renewed, app.clock.now());
            HEARTBEAT
        }),
        connect(app, &drained),
        every(&shutdown, DRIFT, async || {
            cluster::drift::run_once(app, app.clock.now()).await;
            DRIFT
        }),
        every(&shutdown, Duration::ZERO, async || {
            if let Err(error) = key_check::run_once(app).await {
                tracing::warn!(?error, "the key file could not be checked; will retry");
            }
            KEY_CHECK
        }),
        every(&shutdown, PRUNE, async || {
            if tick::prune(app, app.clock.now()).await.more { SHORTEST } else { PRUNE }
        }),
    );
}

/// Settles schedules, and advances deployments and workspace jobs.
async fn plan(app: &App, shutdown: &CancellationToken) {
    on_wake(app, shutdown, async || {
        let now = app.clock.now();
        app.pulse.beat(Loop::Plan, now);
        let more = tick::plan(app, now).await.more;
        if more { Duration::ZERO } else { until_due(app).await }
    })
    .await;
}

/// Starts, observes and ends runs: on a wake-up those that something happened to, and regularly all others.
async fn work(app: &App, shutdown: &CancellationToken) {
    let mut swept_at = None;
    let mut looked_at: Option<Instant> = None;
    on_wake(app, shutdown, async || {
        let now = app.clock.now();
        app.pulse.beat(Loop::Work, now);
        if swept_at.is_none_or(|at| now - at >= SWEEP) {
            tick::sweep(app, now).await;
            swept_at = Some(now);
        }
        let scope = if looked_at.is_none_or(|at| at.elapsed() >= BUSY) { Scope::Look } else { Scope::News };
        if scope == Scope::Look {
            looked_at = Some(Instant::now());
        }
        let more = tick::work_on(app, scope, now).await.more;
        if more {
            Duration::ZERO
        } else if !app.visits.is_empty() || store::run::has_open(&app.db).await.unwrap_or(true) {
            BUSY.saturating_sub(looked_at.map(|at| at.elapsed()).unwrap_or_default()).max(SHORTEST)
        } else {
            IDLE
        }
    })
    .await;
}

/// Connects to the Kubernetes clusters, and logs when one comes up or goes down.
async fn connect(app: &App, shutdown: &CancellationToken) {
    let mut known = cluster::connect::Known::default();
    on_wake(app, shutdown, async || {
        let connected = cluster::connect::run_once(app, &mut known).await.map(|()| false);
        tick::pass::check(app, Pass::Connect, connected, app.clock.now());
        // Every end of a run causes a wake-up; there is no need to connect that often.
        tokio::time::sleep(BUSY).await;
        IDLE
    })
    .await;
}

/// Repeats a step whenever the engine is woken, and after the pause that the step returns.
async fn on_wake(app: &App, shutdown: &CancellationToken, mut step: impl AsyncFnMut() -> Duration) {
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

/// Repeats a step after a first pause, and then after the pause that the step returns.
async fn every(shutdown: &CancellationToken, first: Duration, mut step: impl AsyncFnMut() -> Duration) {
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

/// The time until the next schedule is due.
async fn until_due(app: &App) -> Duration {
    let now = app.clock.now();
    let paused = |pass| app.setbacks.paused(pass, now);
    let jobs = store::job_schedule::next_due(&app.db, paused(Pass::Schedules)).await;
    let workspaces = store::workspace::next_due(&app.db, paused(Pass::WorkspaceSchedules)).await;
    match jobs.ok().flatten().into_iter().chain(workspaces.ok().flatten()).min() {
        Some(due) => (due - app.clock.now()).to_std().unwrap_or(Duration::ZERO).clamp(SHORTEST, IDLE),
        None => IDLE,
    }
}
