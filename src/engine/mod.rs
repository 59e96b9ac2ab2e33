//! Deployments, schedules and runs.
//!
//! `run` repeats the passes: on a wake-up, when a schedule is due, and at least every few seconds. They depend only on the
//! database and the time, so a lost wake-up or a killed server only causes a delay.

pub mod advanced_settings;
pub mod alert;
mod announce;
pub mod approval_team;
pub mod approval_wait;
pub mod assigned_role;
pub mod audit;
pub mod backfill;
pub mod calendar;
pub mod calendar_reads;
pub mod calendars_of_jobs;
pub mod clone_job;
pub mod cluster;
pub mod command;
pub mod copy_environment;
pub mod copy_job;
pub mod cron;
pub mod declaration;
pub mod default_rule;
pub mod definition;
pub mod deploy_version;
pub mod deployment;
pub mod deployment_rule;
pub mod destroy_protection;
mod ended_run;
pub mod environment_rows;
pub mod event_kind;
pub mod exit_code;
pub mod explanation;
pub mod export;
pub mod faults;
pub mod flow;
pub mod forecast;
pub mod given_variables;
pub mod job_check;
mod job_creation;
mod job_withdrawal;
pub mod limits;
pub mod lock_wait;
pub mod manual;
pub mod masking;
pub mod member;
pub mod new_environment;
pub mod new_project;
pub mod news;
pub mod opened_plan;
pub mod organization_token;
pub mod outlook_of_jobs;
pub mod outputs;
pub mod overrides;
pub mod own_token;
pub mod pause;
pub mod plan_again;
mod plan_inputs;
pub mod plan_view;
pub mod private_registry;
pub mod program_login;
pub mod push;
pub mod requester;
pub mod run;
pub mod run_lengths;
pub mod saved_plan_output;
pub mod schedule_times;
pub mod settings;
pub mod shown;
pub mod skip_words;
pub mod state;
pub mod template;
pub mod terraform_state;
pub mod tick;
pub mod tool_version;
pub mod uploaded_configuration;
pub mod variable;
pub mod variables;
pub mod visible_name;
pub mod wildcard;
mod wind_down;
pub mod workload_identity;
pub mod workspace;
pub mod workspace_cluster;
pub mod workspace_definition;
pub mod workspace_drift;
pub mod workspace_event;
pub mod workspace_lock;
pub mod workspace_removal;
pub mod workspace_setting;
pub mod workspace_tags;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::tick::Ahead;
pub use self::tick::workspace::files as workspace_files;
use crate::app::App;
use crate::liveness::key_check;
use crate::liveness::passes::Pass;
use crate::liveness::pulse::Loop;
use crate::liveness::visits::Scope;
use crate::liveness::wake::WakeReceiver;
use crate::store;

/// The pause between ticks while nothing is due and nothing runs.
const IDLE: Duration = Duration::from_secs(5);
/// The pause between ticks while runs are open.
const BUSY: Duration = Duration::from_millis(500);
/// How long after a pass over runs the next one begins at the earliest. What happens in between is processed together, so that many
/// short runs cost few passes and few transactions.
const APART: Duration = Duration::from_millis(5);
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
pub async fn run(app: &Arc<App>, shutdown: CancellationToken) {
    let drained = CancellationToken::new();
    tokio::join!(
        plan(app, &shutdown),
        work(app, &drained),
        async {
            shutdown.cancelled().await;
            wind_down::run(app).await;
            drained.cancel();
        },
        every(&drained, HEARTBEAT, || renew(app)),
        connect(app, &drained),
        every(&shutdown, DRIFT, || async {
            cluster::drift::run_once(app, app.clock.now()).await;
            DRIFT
        }),
        every(&shutdown, Duration::ZERO, || async {
            if let Err(error) = key_check::run_once(app).await {
                tracing::warn!(?error, "the key file could not be checked; will retry");
            }
            KEY_CHECK
        }),
        every(&shutdown, PRUNE, || async {
            if tick::prune(app, app.clock.now()).await.more { SHORTEST } else { PRUNE }
        }),
    );
}

async fn renew(app: &App) -> Duration {
    let renewed = tick::renew(app).await.map(|()| false);
    tick::pass::check(app, Pass::Leases, renewed, app.clock.now());
    HEARTBEAT
}

/// Settles schedules, and advances deployments and workspace jobs.
async fn plan(app: &App, shutdown: &CancellationToken) {
    let mut woken = app.wake.listen_for_plans();
    let mut why = Some(Woken::ByRequest);
    while let Some(reason) = why {
        let pause = plan_once(app, reason).await;
        why = wait(&mut woken, shutdown, pause).await;
    }
}

async fn plan_once(app: &App, woken: Woken) -> Duration {
    let now = app.clock.now();
    app.pulse.beat(Loop::Plan, now);
    if woken == Woken::ByTime
        && let Ok(Ahead { now: false, next }) = tick::ahead(app, now).await
    {
        return until(next, now);
    }
    if tick::plan(app, now).await.more {
        return Duration::ZERO;
    }
    match tick::ahead(app, now).await {
        Ok(ahead) => until(ahead.next, app.clock.now()),
        Err(_) => IDLE,
    }
}

/// Starts, observes and ends runs: on a wake-up those that something happened to, and regularly all others.
async fn work(app: &Arc<App>, shutdown: &CancellationToken) {
    let mut woken = app.wake.listen();
    let mut work = Work::default();
    let mut why = Some(Woken::ByRequest);
    while why.is_some() {
        let pause = work.once(app).await;
        why = wait(&mut woken, shutdown, pause).await;
    }
    work.visitors.finish().await;
}

/// What the loop over runs remembers.
#[derive(Default)]
struct Work {
    visitors: tick::Visitors,
    swept_at: Option<DateTime<Utc>>,
    looked_at: Option<Instant>,
    begun: Option<Instant>,
}

impl Work {
    /// A pass, and the pause after it.
    async fn once(&mut self, app: &Arc<App>) -> Duration {
        if let Some(last) = self.begun {
            tokio::time::sleep_until(last + APART).await;
        }
        self.begun = Some(Instant::now());
        let now = app.clock.now();
        app.pulse.beat(Loop::Work, now);
        if self.swept_at.is_none_or(|at| now - at >= SWEEP) {
            self.visitors.sweep(app, now);
            self.swept_at = Some(now);
        }
        let scope = if self.looked_at.is_none_or(|at| at.elapsed() >= BUSY) { Scope::Look } else { Scope::News };
        if scope == Scope::Look {
            self.looked_at = Some(Instant::now());
        }
        let outcome = tick::work_with(app, &mut self.visitors, scope, now).await;
        if outcome.more {
            Duration::ZERO
        } else if outcome.rests {
            IDLE
        } else if !app.visits.is_empty() || store::run::has_open(&app.db).await.unwrap_or(true) {
            BUSY.saturating_sub(self.looked_at.map(|at| at.elapsed()).unwrap_or_default()).max(SHORTEST)
        } else {
            IDLE
        }
    }
}

/// Connects to the Kubernetes clusters, and logs when one comes up or goes down.
async fn connect(app: &App, shutdown: &CancellationToken) {
    let mut woken = app.wake.listen_for_plans();
    let mut known = cluster::connect::Known::default();
    let mut why = Some(Woken::ByRequest);
    while why.is_some() {
        let connected = cluster::connect::run_once(app, &mut known).await.map(|()| false);
        tick::pass::check(app, Pass::Connect, connected, app.clock.now());
        // Every request causes a wake-up; there is no need to connect that often.
        tokio::time::sleep(BUSY).await;
        why = wait(&mut woken, shutdown, IDLE).await;
    }
}

/// Why a loop goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Woken {
    ByRequest,
    /// Its pause is over.
    ByTime,
}

/// Waits until the engine is woken, or a pause is over; `None` at a shutdown.
async fn wait(woken: &mut WakeReceiver, shutdown: &CancellationToken, pause: Duration) -> Option<Woken> {
    tokio::select! {
        biased;
        () = shutdown.cancelled() => None,
        () = woken.wait() => Some(Woken::ByRequest),
        () = tokio::time::sleep(pause) => Some(Woken::ByTime),
    }
}

/// Repeats a step after a first pause, and then after the pause that the step returns.
async fn every<F: Future<Output = Duration>>(
    shutdown: &CancellationToken,
    first: Duration,
    mut step: impl FnMut() -> F,
) {
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

/// The pause until a schedule is due.
fn until(due: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Duration {
    let pause = due.map(|due| (due - now).to_std().unwrap_or(Duration::ZERO));
    pause.map_or(IDLE, |pause| pause.clamp(SHORTEST, IDLE))
}
