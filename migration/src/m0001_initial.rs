//! The tables of the first version.
//!
//! CHECK constraints reject invalid rows, so that the code is not the only guard.

use sea_orm_migration::prelude::{Alias, ForeignKey, Query};
use sea_orm_migration::prelude::{
    ColumnDef, DbErr, DeriveMigrationName, Expr, ForeignKeyAction, ForeignKeyCreateStatement, Index,
    IndexCreateStatement, MigrationTrait, SchemaManager, Table, TableCreateStatement, async_trait,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            organization(),
            person(),
            member(),
            api_token(),
            cluster(),
            project(),
            environment(),
            registry(),
            job(),
            deployment(),
            run(),
            deployment_job(),
            log_line(),
            counter(),
        ] {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        let runs = Query::insert()
            .into_table(name("counter"))
            .columns([name("name"), name("value")])
            .values_panic(["run".into(), 0_i64.into()])
            .to_owned();
        manager.execute(runs).await
    }
}

const TERMINAL: &str = "(finished_at IS NOT NULL) = (state IN ('SUCCEEDED', 'FAILED', 'CANCELLED', 'REJECTED'))";
const FINISHED: &str = "(finished_at IS NOT NULL) = (progress IN ('SUCCEEDED', 'FAILED', 'CANCELLED'))";

pub(crate) fn name(text: &str) -> Alias {
    Alias::new(text)
}

pub(crate) fn id(column: &str) -> ColumnDef {
    let mut column = ColumnDef::new(name(column));
    column.uuid().not_null();
    column
}

pub(crate) fn key() -> ColumnDef {
    let mut column = id("id");
    column.primary_key();
    column
}

pub(crate) fn optional_id(column: &str) -> ColumnDef {
    let mut column = ColumnDef::new(name(column));
    column.uuid().null();
    column
}

pub(crate) fn text(column: &str) -> ColumnDef {
    let mut column = ColumnDef::new(name(column));
    column.text().not_null();
    column
}

pub(crate) fn optional_text(column: &str) -> ColumnDef {
    let mut column = ColumnDef::new(name(column));
    column.text().null();
    column
}

pub(crate) fn time(column: &str) -> ColumnDef {
    let mut column = ColumnDef::new(name(column));
    column.timestamp_with_time_zone().not_null();
    column
}

pub(crate) fn optional_time(column: &str) -> ColumnDef {
    let mut column = ColumnDef::new(name(column));
    column.timestamp_with_time_zone().null();
    column
}

pub(crate) fn integer(column: &str) -> ColumnDef {
    let mut column = ColumnDef::new(name(column));
    column.integer().not_null();
    column
}

pub(crate) fn long(column: &str) -> ColumnDef {
    let mut column = ColumnDef::new(name(column));
    column.big_integer().not_null();
    column
}

pub(crate) fn boolean(column: &str) -> ColumnDef {
    let mut column = ColumnDef::new(name(column));
    column.boolean().not_null();
    column
}

pub(crate) fn json(column: &str) -> ColumnDef {
    let mut column = ColumnDef::new(name(column));
    column.json_binary().not_null();
    column
}

pub(crate) fn optional_json(column: &str) -> ColumnDef {
    let mut column = ColumnDef::new(name(column));
    column.json_binary().null();
    column
}

pub(crate) fn table(called: &str, columns: Vec<ColumnDef>) -> TableCreateStatement {
    let mut statement = Table::create();
    statement.table(name(called));
    for mut column in columns {
        statement.col(&mut column);
    }
    statement
}

pub(crate) fn reference(column: &str, target: &str, on_delete: ForeignKeyAction) -> ForeignKeyCreateStatement {
    let mut key = ForeignKey::create();
    key.from_col(name(column)).to(name(target), name("id")).on_delete(on_delete);
    key
}

pub(crate) fn cascade(column: &str, target: &str) -> ForeignKeyCreateStatement {
    reference(column, target, ForeignKeyAction::Cascade)
}

/// NO ACTION, because SQLite reports a violated RESTRICT as a failed trigger, which callers could not distinguish.
pub(crate) fn keep(column: &str, target: &str) -> ForeignKeyCreateStatement {
    reference(column, target, ForeignKeyAction::NoAction)
}

fn organization() -> TableCreateStatement {
    table(
        "organization",
        vec![
            key(),
            time("created_at"),
            time("updated_at"),
            text("name"),
            optional_text("description"),
            text("plan"),
            optional_text("website_url"),
            optional_text("repository"),
            optional_text("logo_url"),
            optional_text("icon_url"),
            optional_json("admin_emails"),
        ],
    )
}

fn person() -> TableCreateStatement {
    table(
        "person",
        vec![key(), time("created_at"), text("issuer"), text("subject"), optional_text("email"), optional_text("name")],
    )
}

fn member() -> TableCreateStatement {
    table("member", vec![id("organization_id"), id("person_id"), time("created_at"), text("role")])
        .primary_key(Index::create().col(name("organization_id")).col(name("person_id")))
        .foreign_key(&mut cascade("organization_id", "organization"))
        .foreign_key(&mut cascade("person_id", "person"))
        .to_owned()
}

fn api_token() -> TableCreateStatement {
    table(
        "api_token",
        vec![
            key(),
            id("organization_id"),
            time("created_at"),
            time("updated_at"),
            text("name"),
            optional_text("description"),
            text("role"),
            text("hash"),
        ],
    )
    .foreign_key(&mut cascade("organization_id", "organization"))
    .to_owned()
}

fn cluster() -> TableCreateStatement {
    table(
        "cluster",
        vec![
            key(),
            id("organization_id"),
            time("created_at"),
            time("updated_at"),
            text("name"),
            optional_text("description"),
            text("region"),
            text("kind"),
            boolean("is_default"),
            integer("maximum_cpu_milli"),
            integer("maximum_memory_mib"),
        ],
    )
    .foreign_key(&mut cascade("organization_id", "organization"))
    .to_owned()
}

fn project() -> TableCreateStatement {
    table(
        "project",
        vec![
            key(),
            id("organization_id"),
            time("created_at"),
            time("updated_at"),
            text("name"),
            text("name_key"),
            text("description"),
        ],
    )
    .foreign_key(&mut cascade("organization_id", "organization"))
    .to_owned()
}

fn environment() -> TableCreateStatement {
    table(
        "environment",
        vec![
            key(),
            id("organization_id"),
            id("project_id"),
            id("cluster_id"),
            time("created_at"),
            time("updated_at"),
            text("name"),
            text("name_key"),
            text("mode"),
        ],
    )
    .foreign_key(&mut cascade("organization_id", "organization"))
    .foreign_key(&mut keep("project_id", "project"))
    .foreign_key(&mut keep("cluster_id", "cluster"))
    .to_owned()
}

fn registry() -> TableCreateStatement {
    let mut credentials = ColumnDef::new(name("credentials"));
    credentials.blob().null();
    table(
        "registry",
        vec![
            key(),
            id("organization_id"),
            time("created_at"),
            time("updated_at"),
            text("name"),
            optional_text("description"),
            text("kind"),
            text("url"),
            json("config"),
            credentials,
        ],
    )
    .foreign_key(&mut cascade("organization_id", "organization"))
    .to_owned()
}

fn job() -> TableCreateStatement {
    table(
        "job",
        vec![
            key(),
            id("organization_id"),
            id("environment_id"),
            time("created_at"),
            time("updated_at"),
            text("name"),
            text("name_key"),
            text("job_type"),
            optional_id("registry_id"),
            json("spec"),
            optional_json("deployed"),
            optional_time("next_run_at"),
        ],
    )
    .foreign_key(&mut cascade("organization_id", "organization"))
    .foreign_key(&mut cascade("environment_id", "environment"))
    .foreign_key(&mut keep("registry_id", "registry"))
    .check(Expr::cust("job_type IN ('CRON', 'LIFECYCLE')"))
    .check(Expr::cust("next_run_at IS NULL OR (job_type = 'CRON' AND deployed IS NOT NULL)"))
    .to_owned()
}

fn deployment() -> TableCreateStatement {
    table(
        "deployment",
        vec![
            key(),
            id("environment_id"),
            integer("number"),
            time("created_at"),
            time("updated_at"),
            text("action"),
            text("scope"),
            text("progress"),
            text("triggered_by"),
            text("origin"),
            optional_time("started_at"),
            optional_time("finished_at"),
        ],
    )
    .foreign_key(&mut cascade("environment_id", "environment"))
    .check(Expr::cust(FINISHED))
    .to_owned()
}

fn run() -> TableCreateStatement {
    table(
        "run",
        vec![
            key(),
            long("number"),
            optional_id("job_id"),
            optional_id("deployment_id"),
            time("created_at"),
            time("updated_at"),
            text("trigger"),
            text("event"),
            optional_time("scheduled_for"),
            text("state"),
            integer("attempt"),
            json("spec"),
            optional_text("runner"),
            time("not_before"),
            optional_time("started_at"),
            optional_time("attempt_started_at"),
            optional_time("finished_at"),
            optional_time("cancel_requested_at"),
            ColumnDef::new(name("exit_code")).integer().null().to_owned(),
            optional_text("reason"),
            optional_id("lease_owner"),
            optional_time("lease_until"),
            long("attempt_lines"),
            long("total_lines"),
        ],
    )
    .foreign_key(&mut cascade("job_id", "job"))
    .foreign_key(&mut reference("deployment_id", "deployment", ForeignKeyAction::SetNull))
    .check(Expr::cust(TERMINAL))
    .check(Expr::cust("(trigger = 'SCHEDULE') = (scheduled_for IS NOT NULL)"))
    .check(Expr::cust("attempt >= 1"))
    .to_owned()
}

fn deployment_job() -> TableCreateStatement {
    table(
        "deployment_job",
        vec![
            id("deployment_id"),
            id("job_id"),
            text("progress"),
            optional_text("forced_event"),
            optional_id("run_id"),
            optional_time("started_at"),
            optional_time("finished_at"),
        ],
    )
    .primary_key(Index::create().col(name("deployment_id")).col(name("job_id")))
    .foreign_key(&mut cascade("deployment_id", "deployment"))
    .foreign_key(&mut cascade("job_id", "job"))
    .foreign_key(&mut reference("run_id", "run", ForeignKeyAction::SetNull))
    .check(Expr::cust(FINISHED))
    .to_owned()
}

fn log_line() -> TableCreateStatement {
    table("log_line", vec![id("run_id"), long("position"), time("at"), text("stream"), text("text")])
        .primary_key(Index::create().col(name("run_id")).col(name("position")))
        .foreign_key(&mut cascade("run_id", "run"))
        .to_owned()
}

fn counter() -> TableCreateStatement {
    let mut called = text("name");
    called.primary_key();
    table("counter", vec![called, long("value")])
}

pub(crate) fn index(table: &str, columns: &[&str]) -> IndexCreateStatement {
    let mut index = Index::create();
    let title = format!("{table}_{}", columns.join("_"));
    index.name(title).table(name(table));
    for column in columns {
        index.col(name(column));
    }
    index
}

pub(crate) fn unique(table: &str, columns: &[&str]) -> IndexCreateStatement {
    index(table, columns).unique().to_owned()
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        unique("person", &["issuer", "subject"]),
        index("member", &["person_id"]),
        unique("api_token", &["hash"]),
        index("api_token", &["organization_id"]),
        index("cluster", &["organization_id"]),
        unique("project", &["organization_id", "name_key"]),
        unique("environment", &["project_id", "name_key"]),
        index("environment", &["organization_id"]),
        index("environment", &["cluster_id"]),
        index("registry", &["organization_id"]),
        unique("job", &["environment_id", "name_key"]),
        index("job", &["environment_id", "id"]),
        index("job", &["organization_id"]),
        index("job", &["registry_id"]),
        index("job", &["next_run_at"]),
        unique("deployment", &["environment_id", "number"]),
        index("deployment", &["progress", "environment_id"]),
        index("deployment_job", &["job_id", "deployment_id"]),
        index("deployment_job", &["run_id"]),
        unique("run", &["number"]),
        unique("run", &["job_id", "scheduled_for"]),
        index("run", &["job_id", "number"]),
        index("run", &["deployment_id"]),
        index("run", &["state", "not_before"]),
    ]
}
