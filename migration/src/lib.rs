//! The database schema, one migration per file. A migration that has landed is never changed.
//!
//! `run` takes an advisory lock on PostgreSQL, so that replicas can start together.

use sea_orm_migration::prelude::{DbErr, MigrationTrait, MigratorTrait, SchemaManager, async_trait};
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement, TransactionTrait};

mod m0001_initial;
mod m0002_surface;
mod m0002_upgrade;
mod m0003_engine;
mod m0004_schedule;
mod m0005_workspaces;
mod m0006_stop;
mod m0007_kubernetes;
mod m0008_run_end;
mod m0009_plan_inputs;
mod m0010_slots;
mod m0011_log_middle;
mod m0012_upkeep;
mod m0013_schedule_requests;
mod m0014_origins;
mod m0015_rights;
mod m0016_ssh_hosts;
mod m0017_signing_keys;
mod m0018_server_leases;
mod m0019_sessions;
mod m0020_shown_plans;
mod m0021_alerts;
mod m0022_alert_conditions;
mod m0023_calendars;
mod m0024_checks;
mod m0025_webhook_news;
mod m0026_cloud;
mod m0027_configurations;
mod m0028_identity_keys;
mod m0029_pushes;
mod m0030_drift_and_state;
mod m0031_private_registry;
mod m0032_agents;
mod m0033_places_and_saved_plans;
mod m0034_push_hooks;
mod m0035_lock_holders;
mod m0036_workspace_names;

pub use m0015_rights::ONE_OWNER;

struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_initial::Migration),
            Box::new(m0002_surface::Migration),
            Box::new(m0003_engine::Migration),
            Box::new(m0004_schedule::Migration),
            Box::new(m0005_workspaces::Migration),
            Box::new(m0006_stop::Migration),
            Box::new(m0007_kubernetes::Migration),
            Box::new(m0008_run_end::Migration),
            Box::new(m0009_plan_inputs::Migration),
            Box::new(m0010_slots::Migration),
            Box::new(m0011_log_middle::Migration),
            Box::new(m0012_upkeep::Migration),
            Box::new(m0013_schedule_requests::Migration),
            Box::new(m0014_origins::Migration),
            Box::new(m0015_rights::Migration),
            Box::new(m0016_ssh_hosts::Migration),
            Box::new(m0017_signing_keys::Migration),
            Box::new(m0018_server_leases::Migration),
            Box::new(m0019_sessions::Migration),
            Box::new(m0020_shown_plans::Migration),
            Box::new(m0021_alerts::Migration),
            Box::new(m0022_alert_conditions::Migration),
            Box::new(m0023_calendars::Migration),
            Box::new(m0024_checks::Migration),
            Box::new(m0025_webhook_news::Migration),
            Box::new(m0026_cloud::Migration),
            Box::new(m0027_configurations::Migration),
            Box::new(m0028_identity_keys::Migration),
            Box::new(m0029_pushes::Migration),
            Box::new(m0030_drift_and_state::Migration),
            Box::new(m0031_private_registry::Migration),
            Box::new(m0032_agents::Migration),
            Box::new(m0033_places_and_saved_plans::Migration),
            Box::new(m0034_push_hooks::Migration),
            Box::new(m0035_lock_holders::Migration),
            Box::new(m0036_workspace_names::Migration),
        ]
    }
}

/// The key of the advisory lock: any number that nothing else on the database uses.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7236840123954)";

/// Applies all pending migrations.
///
/// # Errors
/// When a statement fails. PostgreSQL rolls everything back; SQLite keeps the migrations that succeeded before it.
pub async fn run(db: &DatabaseConnection) -> Result<(), DbErr> {
    up(db, None).await
}

/// Applies only the first `count` migrations to an empty database: those of an older server.
///
/// # Errors
/// When a statement fails.
pub async fn run_first(db: &DatabaseConnection, count: u32) -> Result<(), DbErr> {
    up(db, Some(count)).await
}

async fn up(db: &DatabaseConnection, count: Option<u32>) -> Result<(), DbErr> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Migrator::up(db, count).await;
    }
    let lock = db.begin().await?;
    lock.execute_unprepared(LOCK).await?;
    // On the connection that holds the lock, because there may be no other one.
    Migrator::up(&lock, count).await?;
    lock.commit().await
}

/// The names of the migrations of this program, in their order.
#[must_use]
pub fn names() -> Vec<String> {
    Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect()
}

/// The names of the migrations that a database has, in their order; none if it is empty.
///
/// # Errors
/// When the table of migrations cannot be read.
pub async fn applied(db: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    if !SchemaManager::new(db).has_table("seaql_migrations").await? {
        return Ok(Vec::new());
    }
    let sql = "SELECT version FROM seaql_migrations";
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    let found = rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<Vec<String>, DbErr>>()?;
    let known = names();
    // Those that this program does not know are newer than all others.
    let mut ordered: Vec<String> = known.iter().filter(|name| found.contains(name)).cloned().collect();
    ordered.extend(found.into_iter().filter(|name| !known.contains(name)));
    Ok(ordered)
}

/// Counts the pending migrations.
///
/// # Errors
/// When the table of migrations cannot be read.
pub async fn pending(db: &DatabaseConnection) -> Result<usize, DbErr> {
    Ok(Migrator::get_pending_migrations(db).await?.len())
}

/// The schema of a database, compared with the migrations of this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    Missing,
    Older,
    Current,
    Newer,
}

/// Compares the schema of a database with the migrations of this program. Changes nothing.
///
/// # Errors
/// When the table of migrations cannot be read.
pub async fn schema(db: &DatabaseConnection) -> Result<Schema, DbErr> {
    let (applied, known) = (applied(db).await?, names());
    Ok(if applied.iter().any(|name| !known.contains(name)) {
        Schema::Newer
    } else if applied.is_empty() {
        Schema::Missing
    } else if applied.len() < known.len() {
        Schema::Older
    } else {
        Schema::Current
    })
}
