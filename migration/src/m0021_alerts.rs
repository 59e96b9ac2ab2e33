//! Alerts: receivers, rules, what may have to be told, what is currently wrong, and the messages to receivers.

use sea_orm_migration::prelude::{
    ColumnDef, DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, TableCreateStatement, async_trait,
};
use sea_orm_migration::sea_orm::ConnectionTrait;

use crate::m0001_initial::{
    boolean, cascade, id, index, integer, json, key, name, optional_id, optional_json, optional_text, optional_time,
    table, text, time, unique,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Each serves one query of the pass, and contains only the rows that it looks for.
const INDEXES: [&str; 4] = [
    "CREATE INDEX alert_due ON alert (due_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX alert_delivery_waiting ON alert_delivery (receiver_id, id) WHERE state = 'PENDING'",
    "CREATE INDEX alert_delivery_due ON alert_delivery (next_attempt_at) WHERE state = 'PENDING'",
    "CREATE INDEX alert_delivery_ended ON alert_delivery (updated_at) WHERE state <> 'PENDING'",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [receiver(), rule(), cause(), alert(), delivery()] {
            manager.create_table(table).await?;
        }
        for index in [
            index("alert_receiver", &["organization_id"]),
            index("alert_rule", &["organization_id"]),
            index("alert_rule", &["cluster_id"]),
            index("alert_rule", &["project_id"]),
            index("alert_rule", &["environment_id"]),
            index("alert_rule", &["job_id"]),
            index("alert_cause", &["organization_id"]),
            unique("alert", &["rule_id", "subject_id"]),
            index("alert", &["environment_id"]),
            index("alert", &["job_id"]),
            index("alert_delivery", &["rule_id"]),
            index("alert_delivery", &["receiver_id"]),
        ] {
            manager.create_index(index).await?;
        }
        for sql in INDEXES {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        Ok(())
    }
}

fn optional_bytes(column: &str) -> ColumnDef {
    let mut column = ColumnDef::new(name(column));
    column.blob().null();
    column
}

fn optional_integer(column: &str) -> ColumnDef {
    let mut column = ColumnDef::new(name(column));
    column.integer().null();
    column
}

fn receiver() -> TableCreateStatement {
    let columns = vec![
        key(),
        id("organization_id"),
        time("created_at"),
        time("updated_at"),
        text("name"),
        text("description"),
        text("kind"),
        boolean("send_resolved"),
        optional_text("owner"),
        optional_text("severity"),
        optional_json("mail"),
        text("host"),
        optional_bytes("sealed"),
        boolean("has_secret"),
        optional_text("last_error"),
    ];
    table("alert_receiver", columns).foreign_key(&mut cascade("organization_id", "organization")).to_owned()
}

fn rule() -> TableCreateStatement {
    let columns = vec![
        key(),
        id("organization_id"),
        id("cluster_id"),
        time("created_at"),
        time("updated_at"),
        text("name"),
        text("description"),
        text("tag"),
        text("condition"),
        optional_integer("threshold"),
        optional_text("operator"),
        optional_text("function"),
        integer("for_seconds"),
        text("severity"),
        boolean("enabled"),
        json("receivers"),
        optional_text("summary"),
        optional_text("runbook_url"),
        text("target"),
        optional_id("project_id"),
        optional_id("environment_id"),
        optional_id("job_id"),
    ];
    table("alert_rule", columns)
        .foreign_key(&mut cascade("organization_id", "organization"))
        .foreign_key(&mut cascade("cluster_id", "cluster"))
        .foreign_key(&mut cascade("project_id", "project"))
        .foreign_key(&mut cascade("environment_id", "environment"))
        .foreign_key(&mut cascade("job_id", "job"))
        .to_owned()
}

/// Without references to jobs and runs, which may be deleted before the cause was looked at.
fn cause() -> TableCreateStatement {
    let columns = vec![
        key(),
        id("organization_id"),
        text("kind"),
        id("environment_id"),
        optional_id("job_id"),
        optional_id("run_id"),
        optional_id("deployment_id"),
        time("happened_at"),
        optional_text("reason"),
    ];
    table("alert_cause", columns).foreign_key(&mut cascade("organization_id", "organization")).to_owned()
}

fn alert() -> TableCreateStatement {
    let columns = vec![
        key(),
        id("rule_id"),
        id("subject_id"),
        id("environment_id"),
        optional_id("job_id"),
        optional_id("run_id"),
        text("state"),
        time("since"),
        time("seen_at"),
        integer("times"),
        optional_time("due_at"),
        optional_time("told_at"),
        optional_text("reason"),
        text("decision"),
    ];
    table("alert", columns)
        .foreign_key(&mut cascade("rule_id", "alert_rule"))
        .foreign_key(&mut cascade("environment_id", "environment"))
        .foreign_key(&mut cascade("job_id", "job"))
        .to_owned()
}

fn delivery() -> TableCreateStatement {
    let columns = vec![
        key(),
        id("receiver_id"),
        id("rule_id"),
        text("kind"),
        time("created_at"),
        time("updated_at"),
        json("items"),
        integer("more"),
        text("state"),
        integer("attempts"),
        time("next_attempt_at"),
        optional_text("error"),
    ];
    table("alert_delivery", columns)
        .foreign_key(&mut cascade("receiver_id", "alert_receiver"))
        .foreign_key(&mut cascade("rule_id", "alert_rule"))
        .to_owned()
}
