//! Alerts: more conditions, targets by label, silences and quiet hours. Alerts may be about workspaces and clusters, and a job without a
//! success is found by an index.

use sea_orm_migration::prelude::{
    ColumnDef, DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, Table, TableCreateStatement, async_trait,
};
use sea_orm_migration::sea_orm::ConnectionTrait;

use crate::m0001_initial::{
    cascade, id, index, integer, key, name, optional_id, optional_json, optional_text, optional_time, table, text,
    time, unique,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// The columns that alerts had.
const COLUMNS: &str = "id, rule_id, subject_id, environment_id, job_id, run_id, state, since, seen_at, times, due_at, told_at, \
     reason, decision";

/// Only the plans that found drift, and only the alerts that are due.
const INDEXES: [&str; 2] = [
    "CREATE INDEX shown_plan_drift ON shown_plan (workspace_id, created_at) WHERE drift > 0",
    "CREATE INDEX alert_due ON alert (due_at) WHERE due_at IS NOT NULL",
];

/// The last success of each deployed job, or when it was deployed.
const SUCCESSES: &str = "INSERT INTO job_success (job_id, organization_id, since) SELECT j.id, j.organization_id, \
     COALESCE((SELECT MAX(r.finished_at) FROM run r WHERE r.job_id = j.id AND r.state = 'SUCCEEDED' \
     AND r.event IN ('CRON', 'START')), j.deployed_at, j.updated_at) FROM job j WHERE j.deployed IS NOT NULL";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [
            optional_json("reasons"),
            optional_double("times_p95"),
            optional_text("label_key"),
            optional_text("label_value"),
        ] {
            add(manager, "alert_rule", column).await?;
        }
        add(manager, "alert_receiver", optional_json("quiet_hours")).await?;
        add(manager, "alert_delivery", optional_time("quiet_until")).await?;
        manager.create_table(success()).await?;
        manager.create_table(silence()).await?;
        replace_alerts(manager).await?;
        for index in [
            index("job_success", &["organization_id", "since"]),
            index("alert_silence", &["organization_id", "ends_at"]),
            index("alert_silence", &["project_id"]),
            index("alert_silence", &["environment_id"]),
            index("alert_silence", &["job_id"]),
            index("alert_silence", &["rule_id"]),
            unique("alert", &["rule_id", "subject_id"]),
            index("alert", &["environment_id"]),
            index("alert", &["job_id"]),
            index("alert", &["workspace_id"]),
            index("alert", &["cluster_id"]),
        ] {
            manager.create_index(index).await?;
        }
        for sql in INDEXES {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        manager.get_connection().execute_unprepared(SUCCESSES).await?;
        Ok(())
    }
}

async fn add(manager: &SchemaManager<'_>, table: &str, mut column: ColumnDef) -> Result<(), DbErr> {
    manager.alter_table(Table::alter().table(name(table)).add_column(&mut column).to_owned()).await
}

/// A new table, because SQLite cannot make the environment optional.
async fn replace_alerts(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    const NEXT: &str = "alert_next";
    manager.create_table(alert(NEXT)).await?;
    let copy = format!("INSERT INTO {NEXT} ({COLUMNS}) SELECT {COLUMNS} FROM alert");
    manager.get_connection().execute_unprepared(&copy).await?;
    manager.drop_table(Table::drop().table(name("alert")).to_owned()).await?;
    manager.rename_table(Table::rename().table(name(NEXT), name("alert")).to_owned()).await
}

fn optional_double(column: &str) -> ColumnDef {
    let mut column = ColumnDef::new(name(column));
    column.double().null();
    column
}

fn optional_integer(column: &str) -> ColumnDef {
    let mut column = ColumnDef::new(name(column));
    column.integer().null();
    column
}

fn success() -> TableCreateStatement {
    let mut job = id("job_id");
    job.primary_key();
    table("job_success", vec![job, id("organization_id"), time("since")])
        .foreign_key(&mut cascade("job_id", "job"))
        .to_owned()
}

fn silence() -> TableCreateStatement {
    let columns = vec![
        key(),
        id("organization_id"),
        time("created_at"),
        time("updated_at"),
        text("author"),
        text("comment"),
        time("begins_at"),
        time("ends_at"),
        text("target"),
        optional_id("project_id"),
        optional_id("environment_id"),
        optional_id("job_id"),
        optional_id("rule_id"),
        optional_text("label_key"),
        optional_text("label_value"),
    ];
    table("alert_silence", columns)
        .foreign_key(&mut cascade("organization_id", "organization"))
        .foreign_key(&mut cascade("project_id", "project"))
        .foreign_key(&mut cascade("environment_id", "environment"))
        .foreign_key(&mut cascade("job_id", "job"))
        .foreign_key(&mut cascade("rule_id", "alert_rule"))
        .to_owned()
}

fn alert(called: &str) -> TableCreateStatement {
    let columns = vec![
        key(),
        id("rule_id"),
        id("subject_id"),
        optional_id("environment_id"),
        optional_id("job_id"),
        optional_id("run_id"),
        optional_id("workspace_id"),
        optional_integer("workspace_job_id"),
        optional_id("cluster_id"),
        text("state"),
        time("since"),
        time("seen_at"),
        integer("times"),
        optional_time("due_at"),
        optional_time("told_at"),
        optional_text("reason"),
        text("decision"),
    ];
    table(called, columns)
        .foreign_key(&mut cascade("rule_id", "alert_rule"))
        .foreign_key(&mut cascade("environment_id", "environment"))
        .foreign_key(&mut cascade("job_id", "job"))
        .foreign_key(&mut cascade("workspace_id", "workspace"))
        .foreign_key(&mut cascade("cluster_id", "cluster"))
        .to_owned()
}
