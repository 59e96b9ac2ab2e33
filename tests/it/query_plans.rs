//! The queries that run often, or over tables that grow, use indexes on both databases.

mod agent_plans;
mod alert_plans;
mod push_plans;
mod registry_plans;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use entity::deployment::{Origin, Progress};
use entity::id::{
    ClusterId, DeploymentId, EnvironmentId, EventId, JobId, OrganizationId, ProjectId, RunId, StateVersionId,
    WebhookId, WorkspaceId, WorkspaceStepId,
};
use entity::run::{self, RunState};
use entity::run_spec::RunSpec;
use entity::server_lease;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};
use uuid::Uuid;
use windlass::store;
use windlass::store::event::{EventCursor, EventFilter};
use windlass::store::job_schedule::DueOf;
use windlass::store::outbox::Room;
use windlass::store::overview::{self, JobFilter, Sight};
use windlass::store::run::{Orphans, cancel, retention, scheduled, skipped, slots};

use crate::harness::{database, start};

/// Partial indexes over the few rows that are open, or waiting to be pruned, and indexes of which only the first rows are read. They
/// may be read from the beginning.
const SMALL: [&str; 28] = [
    // What no server has decided about yet, and the messages that wait.
    "alert_cause_pkey",
    "sqlite_autoindex_alert_cause_1",
    "alert_delivery_due",
    // Whether there is any alert.
    "alert_next_pkey",
    "sqlite_autoindex_alert_1",
    // The webhooks that name events of ours.
    "webhook_own_events",
    "run_open",
    "run_waiting",
    "run_state_not_before",
    "run_held",
    "run_lease_until",
    "run_cancelled",
    // The files that nothing refers to any more.
    "registry_file_loose",
    // One row per server.
    "server_lease_pkey",
    "workspace_job_open",
    "workspace_job_waiting",
    "workspace_step_plan",
    // Only the newest deployments of environments and jobs stay behind.
    "deployment_finished_at",
    // The next time of any schedule, and of any check.
    "job_check_due_at_job_id",
    "job_schedule_next_run_at_job_id",
    // The plans that found drift.
    "shown_plan_drift",
    "workspace_schedule_next_run_at",
    // The repositories that are polled, and what waits to be read or reported.
    "workspace_webhook_due",
    "workspace_push_waiting",
    "push_feedback_due",
    "repository_head_next_poll_at",
    "repository_head_asked",
    // The jobs that pushes deploy again.
    "job_auto_deploy",
];

/// Tables with few rows, and lists of values.
const FEW: [&str; 10] =
    ["agent", "alert_rule", "cluster", "server_lease", "v", "moment", "step", "waiting", "first_one", "CONSTANT"];

/// Free places, while a message is under way to a destination.
fn room() -> Room {
    Room { busy: vec![Uuid::now_v7()], places: 10, retries: 5 }
}

/// A database that remembers the statements it was sent.
struct Watched {
    db: DatabaseConnection,
    /// Where the statements are explained.
    other: DatabaseConnection,
    seen: Arc<Mutex<Vec<Statement>>>,
    broken: Mutex<Vec<String>>,
}

impl Watched {
    async fn new(folder: &tempfile::TempDir) -> Self {
        let url = database(folder).await;
        let mut db = store::connect(&url, 1).await.unwrap();
        migration::run(&db).await.unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let statements = Arc::clone(&seen);
        db.set_metric_callback(move |info| statements.lock().unwrap().push(info.statement.clone()));
        let other = store::connect(&url, 1).await.unwrap();
        if other.get_database_backend() == DbBackend::Postgres {
            // The tables are empty: without this, reading all of one is the best plan.
            let settings = "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off";
            other.execute_unprepared(settings).await.unwrap();
        }
        Self { db, other, seen, broken: Mutex::default() }
    }

    /// Explains the statements of a call.
    async fn check<T>(&self, what: &str, call: impl Future<Output = Result<T, sea_orm::DbErr>>) -> Vec<String> {
        self.seen.lock().unwrap().clear();
        // Some change rows that do not exist; they were sent all the same.
        let _result = call.await;
        let statements = self.seen.lock().unwrap().clone();
        assert!(!statements.is_empty(), "{what} sent nothing");
        let mut plans = Vec::new();
        for statement in statements {
            let plan = self.explain(&statement).await;
            for line in scans(statement.db_backend, &plan) {
                self.broken.lock().unwrap().push(format!("{what}: {line}\n  {}", statement.sql));
            }
            plans.extend(plan);
        }
        plans
    }

    async fn explain(&self, statement: &Statement) -> Vec<String> {
        let sqlite = statement.db_backend == DbBackend::Sqlite;
        let sql = format!("EXPLAIN {}{}", if sqlite { "QUERY PLAN " } else { "" }, statement.sql);
        let explained = Statement { sql, ..statement.clone() };
        let rows = self.other.query_all_raw(explained).await.unwrap_or_else(|e| panic!("{e}: {}", statement.sql));
        rows.iter().map(|row| row.try_get_by_index(if sqlite { 3 } else { 0 }).unwrap()).collect()
    }
}

/// Subqueries with a limit, by their aliases: reading all of them reads no table.
const DERIVED: [&str; 4] = ["found", "listed", "counted", "page"];

/// The lines of a plan that read a whole table, or an index from one end to the other.
fn scans(backend: DbBackend, plan: &[String]) -> Vec<String> {
    let allowed = |line: &str| {
        let word = |words: &[&str]| words.iter().any(|word| line.split([' ', '(']).any(|part| part == *word));
        word(&SMALL) || word(&FEW)
    };
    let mut found = Vec::new();
    for (place, line) in plan.iter().enumerate() {
        let whole = if backend == DbBackend::Sqlite {
            line.strip_prefix("SCAN ").is_some_and(|of| !DERIVED.contains(&of) && !of.starts_with("(subquery-"))
        } else {
            let rest = plan.get(place + 1..).unwrap_or_default();
            let details = rest.iter().take_while(|line| !line.contains("->"));
            let bounded = details.into_iter().any(|line| line.trim_start().starts_with("Index Cond"));
            line.contains("Seq Scan on")
                || ((line.contains("Index Scan") || line.contains("Index Only Scan")) && !bounded)
        };
        if whole && !allowed(line) {
            found.push(line.trim().to_owned());
        }
    }
    found
}

fn now() -> DateTime<Utc> {
    start()
}

#[tokio::test]
async fn runs_are_found_by_indexes() {
    let folder = tempfile::tempdir().unwrap();
    let watched = Watched::new(&folder).await;
    let db = &watched.db;
    let (job, id, environment) = (JobId::create(), RunId::create(), EnvironmentId::create());
    let owner = Uuid::now_v7();
    let expired = vec![server_lease::Model { id: Uuid::now_v7(), until: now() }];
    let orphans = Orphans { expired, places: vec!["here".into()], unreachable_before: now() };
    watched.check("claim", store::run::claim(db, owner, now(), &[id])).await;
    watched.check("take_over", store::run::take_over(db, owner, &orphans, now(), &[id])).await;
    watched.check("list_orphans", store::run::list_orphans(db, &orphans, now(), 10)).await;
    watched.check("list_owned", store::run::list_owned(db, owner)).await;
    watched.check("list_owned_of", store::run::list_owned_of(db, owner, &[id])).await;
    let plan = watched.check("list_owned_to_cancel", store::run::list_owned_to_cancel(db, owner)).await;
    assert!(plan.iter().any(|line| line.contains("run_cancelled")), "all running runs are read: {plan:?}");
    watched.check("expired leases", store::server_lease::list_expired(db, owner, now())).await;
    watched.check("delete leases", store::server_lease::delete_some(db, now())).await;
    watched.check("missing leases", store::server_lease::add_missing(db, now())).await;
    watched.check("queues", slots::list_queues(db)).await;
    let plan = watched.check("slots", slots::count_held(db, owner)).await;
    let covered =
        |line: &String| line.contains("COVERING INDEX run_held") || line.contains("Index Only Scan using run_held");
    assert!(plan.iter().any(covered), "the rows of all running runs are read: {plan:?}");
    let queue = (run::SERVER_SLOTS, OrganizationId::create());
    watched.check("list_waiting", slots::list_waiting(db, &[queue], now(), 10)).await;
    watched.check("has_open", store::run::has_open(db)).await;
    watched.check("count_by_state", store::run::count_by_state(db)).await;
    watched.check("count_open_by_job", store::run::count_open_by_job(db, job)).await;
    watched.check("count_open_of_schedules", store::run::count_open_of_schedules(db, vec![job])).await;
    watched.check("list_queued_to_cancel", store::run::list_queued_to_cancel(db, Vec::new(), 10)).await;
    let after = store::run::QueuedRun {
        id,
        job_id: Some(job),
        number: 7,
        attempt: 1,
        not_before: now(),
        scheduled_for: None,
        starting_deadline_seconds: None,
        in_turn: true,
        is_its_turn: false,
        of_backfill: false,
        queue,
    };
    watched.check("queued runs", store::run::list_queued(db, None, 10)).await;
    let plan = watched.check("more queued runs", store::run::list_queued(db, Some(&after), 10)).await;
    assert!(plan.iter().any(|line| line.contains("run_waiting")), "all queued runs are sorted: {plan:?}");
    watched.check("turn_came", store::run::turn_came(db, job, 7)).await;
    watched.check("list_by_job", store::run::list_by_job(db, job, Some(7), 10)).await;
    for (state, trigger) in [(None, None), (Some(RunState::Failed), Some(run::Trigger::Schedule))] {
        let filter = store::run::RunFilter { below: Some(7), state, trigger };
        watched.check("list_filtered", store::run::list_filtered(db, job, filter, 10)).await;
    }
    watched.check("next_of_job", store::run::next_of_job(db, job, 7)).await;
    watched.check("list_failed", store::run::list_failed(db, job, Some(now()), 10)).await;
    watched.check("list_scheduled_between", store::run::list_scheduled_between(db, job, (now(), now()), 10)).await;
    watched.check("by_idempotency_key", store::run::by_idempotency_key(db, job, "key")).await;
    watched.check("list_by_ids", store::run::list_by_ids(db, vec![id])).await;
    watched.check("list_newest_of_environments", store::run::list_newest_of_environments(db, &[environment], 5)).await;
    assert_eq!(watched.broken.into_inner().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn runs_that_end_are_found_by_indexes() {
    let folder = tempfile::tempdir().unwrap();
    let watched = Watched::new(&folder).await;
    let db = &watched.db;
    let (job, id) = (JobId::create(), RunId::create());
    watched.check("note_stop", store::run::note_stop(db, id, None, now())).await;
    watched.check("cancel one", cancel::request_cancel(db, id, now())).await;
    watched.check("cancel of a job", cancel::request_cancel_of_job(db, job, DeploymentId::create(), now())).await;
    watched.check("cancel of schedules", cancel::request_cancel_of_schedules(db, vec![job], now())).await;
    watched
        .check("cancel of a deployment", cancel::request_cancel_of_deployment(db, DeploymentId::create(), now()))
        .await;
    let ended = [RunState::Failed, RunState::Cancelled];
    let plan = watched.check("expire_beyond", retention::expire_beyond(db, job, &ended, 10_000, now())).await;
    assert!(plan.iter().any(|line| line.contains("run_job_id_number_state")), "the kept runs are read: {plan:?}");
    watched.check("list_expired", retention::list_expired(db, Vec::new(), now(), 10)).await;
    watched.check("delete", retention::delete(db, vec![id])).await;
    let explained = watched.check("explain", skipped::list_between(db, job, (now(), now()), 10)).await;
    if db.get_database_backend() == DbBackend::Sqlite {
        let bounded = |line: &&String| line.contains("scheduled_for>? AND scheduled_for<?");
        assert_eq!(explained.iter().filter(bounded).count(), 1, "the whole history is read: {explained:?}");
    }
    watched.check("newest skipped times", skipped::list_newest(db, job, Some(now()), 10)).await;
    watched.check("expired skipped times", skipped::delete_some(db, now(), 10)).await;
    let spec = serde_json::from_value(serde_json::json!({})).ok();
    if let Some(spec) = spec {
        let row = scheduled::ScheduledRun { id, job_id: job, scheduled_for: now(), spec, in_turn: false };
        watched.check("scheduled", scheduled::create(db, &[row], now())).await;
    }
    watched.check("log", store::log_chunk::list_by_run(db, id, 7)).await;
    watched.check("log before a line", store::log_chunk::list_before(db, id, 7)).await;
    watched.check("delete of a log", store::log_chunk::delete_some(db, id, 10)).await;
    assert_eq!(watched.broken.into_inner().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn several_runs_are_changed_by_indexes() {
    let folder = tempfile::tempdir().unwrap();
    let watched = Watched::new(&folder).await;
    let db = &watched.db;
    let (job, id, owner) = (JobId::create(), RunId::create(), Uuid::now_v7());
    let to = store::run::Handover { runner: run::RunnerKind::Process, place: "here".into(), masks: None, step: None };
    let hand_over = store::run::HandOverRequest { id, owner: Some(owner), to };
    watched.check("hand-overs", store::run::hand_over_all(db, &[hand_over.clone(), hand_over])).await;
    let row = run::Model::queued(job, run::Event::Cron, RunSpec::default(), now());
    let row = run::Model { state: RunState::Failed, ..row };
    let ending = store::run::RunEnding { owner: Some(owner), row, chunks: Vec::new() };
    watched.check("ends", store::run::advance_all(db, &[ending.clone(), ending])).await;
    watched.check("subjects", store::job::run_subjects(db, &[job, JobId::create()])).await;
    assert_eq!(watched.broken.into_inner().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn schedules_and_deployments_are_found_by_indexes() {
    let folder = tempfile::tempdir().unwrap();
    let watched = Watched::new(&folder).await;
    let db = &watched.db;
    let (job, environment, id) = (JobId::create(), EnvironmentId::create(), DeploymentId::create());
    watched.check("due schedules", store::job_schedule::due(db, DueOf::AllBut(Vec::new()), now(), 10)).await;
    watched.check("due schedule of a job", store::job_schedule::due(db, DueOf::Job(job), now(), 1)).await;
    let step = (job, now(), Some(now() + TimeDelta::hours(1)));
    watched.check("advance of a schedule", store::job_schedule::advance(db, &[step])).await;
    watched.check("next_due", store::job_schedule::next_due(db, Vec::new())).await;
    watched.check("due checks", store::job_check::due(db, Vec::new(), now(), 10)).await;
    watched.check("next_due of checks", store::job_check::next_due(db, Vec::new())).await;
    watched.check("the check of a key", store::job_check::job_of_key(db, "hash")).await;
    watched.check("lock of due checks", store::job_check::lock_due(db, &[job], now())).await;
    watched.check("open runs of a check", store::run::pinged::list_open(db, job)).await;
    watched.check("due rules", store::deployment_rule::due(db, Vec::new(), now(), 10)).await;
    watched.check("due deployments", store::deployment::due(db, Vec::new(), 10)).await;
    watched.check("is_due", store::deployment::is_due(db, id)).await;
    watched.check("list_ready", store::deployment::list_ready(db, Vec::new(), 10)).await;
    watched.check("list_open", store::deployment::list_open(db, environment)).await;
    watched.check("count_by_progress", store::deployment::count_by_progress(db)).await;
    watched.check("advance", store::deployment::advance(db, id, Progress::Queued, Progress::Running, now())).await;
    watched.check("list_parts", store::deployment::list_parts(db, id)).await;
    watched.check("newest_part_by_job", store::deployment::newest_part_by_job(db, job)).await;
    watched.check("list_newest_parts", store::deployment::list_newest_parts(db, job, 10)).await;
    watched.check("list_queued_parts", store::deployment::list_queued_parts(db, job)).await;
    watched.check("newest_by_environment", store::deployment::newest_by_environment(db, environment)).await;
    watched.check("newest parts", store::deployment::newest_parts_by_environment(db, environment)).await;
    watched.check("list_newest", store::deployment::list_newest(db, environment, None, 10)).await;
    watched.check("expired deployments", store::deployment::list_expired(db, Vec::new(), now(), 10)).await;
    watched.check("delete", store::deployment::delete(db, id)).await;
    watched.check("jobs", store::job::list_by_environment(db, environment, None, 10)).await;
    watched.check("a job", store::job::view_by_id(db, job)).await;
    watched.check("compared jobs", store::job::list_compared(db, environment, None, 10)).await;
    let keys = std::collections::HashMap::from([(job, id)]);
    watched.check("unforced parts", store::deployment::newest_unforced_parts(db, &[job])).await;
    watched.check("parts by keys", store::deployment::list_parts_by_keys(db, &keys)).await;
    let deleted = store::deployment::is_environment_being_deleted(db, environment);
    watched.check("is_environment_being_deleted", deleted).await;
    watched.check("token", store::token::by_hash(db, "hash")).await;
    watched.check("access token", store::team::token_by_hash(db, "hash")).await;
    watched.check("person", store::person::by_subject(db, "issuer", "subject")).await;
    assert_eq!(watched.broken.into_inner().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn events_deliveries_and_workspaces_are_found_by_indexes() {
    let folder = tempfile::tempdir().unwrap();
    let watched = Watched::new(&folder).await;
    let db = &watched.db;
    let (organization, workspace) = (OrganizationId::create(), WorkspaceId::create());
    let text = || Some("rare".to_owned());
    for (column, filter) in [
        ("created_at", EventFilter { from: Some(now()), ..EventFilter::default() }),
        ("kind", EventFilter { kind: text(), ..EventFilter::default() }),
        ("target", EventFilter { target: text(), ..EventFilter::default() }),
        ("target_id", EventFilter { target_id: Some(Uuid::now_v7()), ..EventFilter::default() }),
        ("sub_target", EventFilter { sub_target: text(), ..EventFilter::default() }),
        ("triggered_by", EventFilter { triggered_by: text(), ..EventFilter::default() }),
        ("origin", EventFilter { origin: Some(Origin::Cli), ..EventFilter::default() }),
        ("project_id", EventFilter { project: Some(ProjectId::create()), ..EventFilter::default() }),
        ("environment_id", EventFilter { environment: Some(EnvironmentId::create()), ..EventFilter::default() }),
    ] {
        let plan = watched
            .check(column, store::event::list(db, organization, filter, EventCursor::Behind(EventId::create()), 10))
            .await;
        // PostgreSQL chooses among them by what is in the table.
        if db.get_database_backend() == DbBackend::Sqlite {
            let index = format!("event_organization_id_{column}");
            assert!(plan.iter().any(|line| line.contains(&index)), "{column}: {plan:?}");
        }
    }
    watched.check("expired events", store::event::delete_some(db, now(), 10)).await;
    watched.check("due deliveries", store::webhook::claim_deliveries(db, &room(), (now(), now()))).await;
    watched.check("next delivery", store::webhook::next_delivery(db, &room())).await;
    watched.check("next new delivery", store::webhook::next_delivery(db, &Room { retries: 0, ..room() })).await;
    watched.check("deliveries", store::webhook::list_deliveries(db, WebhookId::create(), 10)).await;
    watched.check("expired deliveries", store::webhook::delete_some_deliveries(db, now(), 10)).await;
    watched.check("due workspace jobs", store::workspace::due(db, Vec::new(), 10)).await;
    watched.check("due workspace schedules", store::workspace::due_schedules(db, Vec::new(), now(), 10)).await;
    watched.check("steps", store::workspace::steps(db, 7)).await;
    watched.check("step of a run", store::workspace::step_by_run(db, RunId::create())).await;
    watched.check("step of a token", store::workspace::step_by_token(db, "hash")).await;
    watched.check("newest state", store::workspace::newest_state(db, workspace)).await;
    watched.check("sum of the newest state", store::workspace::newest_state_mark(db, workspace)).await;
    watched.check("states", store::workspace::page_of_states(db, workspace, (0, 20))).await;
    watched.check("state", store::workspace::state_line(db, Uuid::now_v7())).await;
    watched.check("state of an upload", store::workspace::state_of_upload(db, workspace, Uuid::now_v7())).await;
    watched.check("login code", store::login_code::take(db, "hash", now())).await;
    watched.check("expired login codes", store::login_code::delete_expired(db, now(), 10)).await;
    watched.check("pieces of a state", store::workspace::delete_pieces(db, StateVersionId::create())).await;
    watched.check("expired pieces", store::workspace::delete_some_pieces(db, now(), 10)).await;
    watched.check("jobs of a workspace", store::workspace::jobs(db, workspace)).await;
    watched.check("expired workspace jobs", store::workspace::list_expired_jobs(db, Vec::new(), now(), 10)).await;
    let configuration = entity::id::ConfigurationVersionId::create();
    watched.check("files of a configuration", store::workspace::delete_configuration_pieces(db, configuration)).await;
    watched.check("a configuration", store::workspace::set_uploaded(db, configuration, (1, 1))).await;
    watched.check("old configurations", store::workspace::delete_some_configurations(db, now(), 10)).await;
    watched.check("the cluster of a workspace", store::workspace::cluster_of(db, workspace)).await;
    watched.check("workspaces of a cluster", store::workspace::users_of_cluster(db, ClusterId::create(), 5)).await;
    let saved = WorkspaceStepId::create();
    watched.check("schemas of a saved plan", store::workspace::set_plan_schemas(db, saved, Vec::new())).await;
    watched.check("whether a plan is kept", store::workspace::has_plan_output(db, saved)).await;
    watched.check("shown plans", store::workspace::shown_plans(db, 1)).await;
    watched.check("how a workspace job goes on", store::workspace::pulse_of_job(db, 1)).await;
    watched.check("steps without plans", store::workspace::steps_without_plans(db, 1)).await;
    watched.check("drift", store::workspace::open_drift(db, workspace)).await;
    watched.check("drift since", store::workspace::drift_since(db, workspace, Some(now()))).await;
    watched.check("state by its serial", store::workspace::state_of_serial(db, workspace, 1)).await;
    let listed = StateVersionId::create();
    watched.check("resources of a state", store::workspace::listing_parts(db, listed, (0, 1))).await;
    watched.check("list of a state", store::workspace::delete_listing(db, listed)).await;
    watched.check("expired lists", store::workspace::delete_some_listings(db, now(), 10)).await;
    watched.check("plans", store::workspace::delete_some_plans(db, 10)).await;
    watched.check("expired states", store::workspace::delete_some_states(db, now(), 10)).await;
    assert_eq!(watched.broken.into_inner().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn pages_of_the_console_are_found_by_indexes() {
    let folder = tempfile::tempdir().unwrap();
    let watched = Watched::new(&folder).await;
    let db = &watched.db;
    let (job, environment) = (JobId::create(), EnvironmentId::create());
    for sight in [Sight::Organization(OrganizationId::create()), Sight::Environments(vec![environment])] {
        let filter = JobFilter {
            text: Some("a".into()),
            project: Some(ProjectId::create()),
            environment: Some(environment),
            kind: Some(entity::job_spec::JobType::Cron),
            outcome: Some(RunState::Failed),
        };
        let after = ("a".to_owned(), environment);
        let plan = watched.check("jobs", overview::job_page(db, &sight, &JobFilter::default(), Some(&after), 50)).await;
        if db.get_database_backend() == DbBackend::Sqlite {
            let covered = |line: &String| line.contains("USING COVERING INDEX job_environment_id_name_key");
            assert!(plan.iter().any(covered), "the rows of all jobs are read: {plan:?}");
        }
        watched.check("filtered jobs", overview::job_page(db, &sight, &filter, None, 50)).await;
        let plan = watched.check("failing jobs", overview::failing_jobs(db, &sight)).await;
        if db.get_database_backend() == DbBackend::Sqlite {
            let covered = |line: &&String| line.contains("SEARCH r USING COVERING INDEX run_job_id_number_state");
            assert_eq!(plan.iter().filter(covered).count(), 2, "the rows of runs are read: {plan:?}");
        }
        watched.check("late runs", overview::late_runs(db, &sight, now())).await;
        watched.check("running", overview::running(db, &sight)).await;
        watched.check("failed deployments", overview::failed_deployments(db, &sight)).await;
        watched.check("planned jobs", overview::planned_jobs(db, &sight, 10)).await;
    }
    let workspaces = [WorkspaceId::create()];
    watched.check("waiting", overview::waiting_jobs(db, OrganizationId::create(), Some(&workspaces))).await;
    watched.check("all waiting", overview::waiting_jobs(db, OrganizationId::create(), None)).await;
    watched.check("newest runs", overview::newest_runs(db, &[job, JobId::create()], 30)).await;
    watched.check("durations", overview::success_durations(db, &[job, JobId::create()], 100)).await;
    let span = (now(), now() + TimeDelta::days(1));
    watched.check("lanes", overview::lane_rows(db, &[job, JobId::create()], span, 5000)).await;
    assert_eq!(watched.broken.into_inner().unwrap(), Vec::<String>::new());
}

/// Deleting a row makes the database look for those that refer to it.
#[tokio::test]
async fn references_have_indexes() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("a.db").display());
    let db = store::connect(&url, 1).await.unwrap();
    migration::run(&db).await.unwrap();
    let rows = async |sql: &str| {
        let rows = db.query_all_raw(Statement::from_string(DbBackend::Sqlite, sql)).await.unwrap();
        rows.into_iter()
            .map(|row| [0, 1, 2].map(|place| row.try_get_by_index::<String>(place).unwrap()))
            .collect::<Vec<_>>()
    };
    // PostgreSQL gets the same keys and indexes from the same migrations.
    let indexed = rows(
        "SELECT m.name, i.name, c.name FROM sqlite_master m JOIN pragma_index_list(m.name) i \
         JOIN pragma_index_info(i.name) c WHERE m.type = 'table' AND c.seqno = 0",
    )
    .await;
    let mut first: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for [table, _, column] in &indexed {
        first.entry(table).or_default().insert(column);
    }
    let keys = rows(
        "SELECT m.name, f.\"from\", f.\"table\" FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f \
         WHERE m.type = 'table'",
    )
    .await;
    assert!(keys.len() > 40, "{keys:?}");
    let missing: Vec<_> = keys
        .iter()
        .filter(|[table, column, _]| !first.get(table.as_str()).is_some_and(|of| of.contains(column.as_str())))
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

/// The check finds what it is for.
#[test]
fn a_scan_is_found() {
    let lines = |text: &[&str]| text.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    let sqlite = lines(&[
        "SEARCH run USING INDEX run_number (number=?)",
        "SCAN run",
        "SCAN run USING INDEX run_open",
        "SCAN listed",
    ]);
    assert_eq!(scans(DbBackend::Sqlite, &sqlite), ["SCAN run"]);
    let postgres = lines(&[
        "Nested Loop  (cost=0)",
        "  ->  Seq Scan on event  (cost=0)",
        "  ->  Index Scan using run_number on run  (cost=0)",
        "        Index Cond: (number = 1)",
        "  ->  Index Scan using event_created_at on event e  (cost=0)",
        "        Filter: (kind = 'a')",
    ]);
    assert_eq!(scans(DbBackend::Postgres, &postgres).len(), 2);
}
