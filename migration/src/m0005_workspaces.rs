//! Workspaces with their templates, jobs, states and permissions.

use sea_orm_migration::prelude::{
    ColumnDef, DbErr, DeriveMigrationName, Expr, ForeignKeyAction, IndexCreateStatement, MigrationTrait, Query,
    SchemaManager, TableCreateStatement, async_trait,
};
use sea_orm_migration::sea_orm::ConnectionTrait;

use crate::m0001_initial::{
    boolean, cascade, id, index, integer, json, key, long, name, optional_id, optional_json, optional_text,
    optional_time, reference, table, text, time, unique,
};
use crate::m0002_upgrade::{Kind, add_columns};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const COLUMNS: [(&str, &str, Kind, &str); 3] = [
    ("organization", "execution_mode", Kind::Text, ""),
    ("organization", "disabled", Kind::No, ""),
    ("organization", "icon", Kind::Text, ""),
];

/// A unique index for variables of all workspaces, and partial indexes.
const INDEXES: [&str; 2] = [
    "CREATE UNIQUE INDEX terraform_variable_global ON terraform_variable (organization_id, category, key) \
     WHERE workspace_id IS NULL",
    "CREATE INDEX workspace_job_open ON workspace_job (id) \
     WHERE status IN ('pending', 'queue', 'running', 'waitingApproval', 'approved')",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in tables() {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        let db = manager.get_connection();
        for index in INDEXES {
            db.execute_unprepared(index).await?;
        }
        add_columns(db, &COLUMNS).await?;
        let jobs = Query::insert()
            .into_table(name("counter"))
            .columns([name("name"), name("value")])
            .values_panic(["workspace_job".into(), 0_i64.into()])
            .to_owned();
        manager.execute(jobs).await
    }
}

fn number_key() -> ColumnDef {
    let mut column = integer("id");
    column.primary_key();
    column
}

fn optional_integer(column: &str) -> ColumnDef {
    let mut column = ColumnDef::new(name(column));
    column.integer().null();
    column
}

fn bytes(column: &str) -> ColumnDef {
    let mut column = ColumnDef::new(name(column));
    column.blob().not_null();
    column
}

fn optional_bytes(column: &str) -> ColumnDef {
    let mut column = ColumnDef::new(name(column));
    column.blob().null();
    column
}

/// A table of rows that belong to an organization, with the users who created and changed them.
fn owned(called: &str, columns: Vec<ColumnDef>) -> TableCreateStatement {
    let first = [key(), id("organization_id"), time("created_at"), time("updated_at")];
    let mut all = first.to_vec();
    all.extend([text("created_by"), text("updated_by")]);
    all.extend(columns);
    table(called, all).foreign_key(&mut cascade("organization_id", "organization")).to_owned()
}

/// A table of rows that belong to a workspace.
fn of_workspace(called: &str, columns: Vec<ColumnDef>) -> TableCreateStatement {
    let mut all = vec![id("workspace_id")];
    all.extend(columns);
    owned(called, all).foreign_key(&mut cascade("workspace_id", "workspace")).to_owned()
}

#[expect(clippy::too_many_lines, reason = "a list of the tables")]
fn tables() -> Vec<TableCreateStatement> {
    vec![
        owned(
            "vcs",
            vec![
                text("name"),
                optional_text("description"),
                text("vcs_type"),
                text("connection_type"),
                optional_text("client_id"),
                optional_bytes("client_secret"),
                optional_bytes("access_token"),
                optional_bytes("private_key"),
                optional_text("endpoint"),
                optional_text("api_url"),
                optional_text("redirect_url"),
                text("status"),
            ],
        )
        .to_owned(),
        owned(
            "ssh_key",
            vec![text("name"), optional_text("description"), text("ssh_type"), optional_bytes("private_key")],
        )
        .to_owned(),
        owned(
            "workspace",
            vec![
                optional_id("project_id"),
                optional_id("vcs_id"),
                optional_id("ssh_key_id"),
                text("name"),
                optional_text("description"),
                text("source"),
                text("branch"),
                text("folder"),
                text("terraform_version"),
                text("iac_type"),
                text("execution_mode"),
                boolean("locked"),
                optional_text("lock_description"),
                boolean("deleted"),
                optional_text("default_template"),
                boolean("allow_remote_apply"),
                optional_text("module_ssh_key"),
                text("last_job_status"),
                optional_time("last_job_date"),
                optional_json("state_lock"),
                optional_id("state_lock_step"),
            ],
        )
        .foreign_key(&mut reference("project_id", "project", ForeignKeyAction::SetNull))
        .foreign_key(&mut reference("vcs_id", "vcs", ForeignKeyAction::SetNull))
        .foreign_key(&mut reference("ssh_key_id", "ssh_key", ForeignKeyAction::SetNull))
        .to_owned(),
        owned("template", vec![text("name"), optional_text("description"), optional_text("version"), text("tcl")])
            .to_owned(),
        owned(
            "team",
            vec![
                text("name"),
                boolean("manage_state"),
                boolean("manage_workspace"),
                boolean("manage_module"),
                boolean("manage_provider"),
                boolean("manage_vcs"),
                boolean("manage_template"),
                boolean("manage_job"),
                boolean("manage_collection"),
                boolean("plan_job"),
                boolean("approve_job"),
                optional_text("role"),
            ],
        )
        .to_owned(),
        of_workspace(
            "workspace_access",
            vec![
                text("name"),
                boolean("manage_state"),
                boolean("manage_workspace"),
                boolean("manage_job"),
                boolean("plan_job"),
                boolean("approve_job"),
                optional_text("role"),
            ],
        )
        .to_owned(),
        owned(
            "terraform_variable",
            vec![
                optional_id("workspace_id"),
                text("key"),
                optional_text("value"),
                optional_bytes("sealed"),
                optional_text("description"),
                text("category"),
                boolean("sensitive"),
                boolean("hcl"),
            ],
        )
        .foreign_key(&mut cascade("workspace_id", "workspace"))
        .check(Expr::cust("NOT sensitive OR value IS NULL"))
        .check(Expr::cust("category IN ('TERRAFORM', 'ENV')"))
        .to_owned(),
        table(
            "workspace_job",
            vec![
                number_key(),
                id("organization_id"),
                id("workspace_id"),
                time("created_at"),
                time("updated_at"),
                text("created_by"),
                text("updated_by"),
                text("status"),
                optional_text("comments"),
                optional_text("output"),
                optional_text("commit_id"),
                optional_text("approval_team"),
                text("tcl"),
                optional_text("override_source"),
                optional_text("override_branch"),
                optional_text("template_reference"),
                text("via"),
                boolean("refresh"),
                boolean("refresh_only"),
                boolean("plan_changes"),
                optional_json("target_addrs"),
                optional_json("replace_addrs"),
                optional_time("cancel_requested_at"),
                optional_text("approved_by"),
                optional_time("approved_at"),
                optional_json("context"),
            ],
        )
        .foreign_key(&mut cascade("organization_id", "organization"))
        .foreign_key(&mut cascade("workspace_id", "workspace"))
        .to_owned(),
        table(
            "workspace_step",
            vec![
                key(),
                id("organization_id"),
                id("workspace_id"),
                integer("job_id"),
                time("created_at"),
                time("updated_at"),
                integer("position"),
                integer("number"),
                text("name"),
                text("status"),
                json("spec"),
                optional_id("run_id"),
                optional_bytes("plan"),
                optional_text("token"),
            ],
        )
        .foreign_key(&mut cascade("organization_id", "organization"))
        .foreign_key(&mut cascade("workspace_id", "workspace"))
        .foreign_key(&mut cascade("job_id", "workspace_job"))
        .foreign_key(&mut reference("run_id", "run", ForeignKeyAction::SetNull))
        .to_owned(),
        of_workspace("workspace_address", vec![integer("job_id"), text("name"), text("kind")])
            .foreign_key(&mut cascade("job_id", "workspace_job"))
            .to_owned(),
        of_workspace(
            "state_version",
            vec![optional_integer("job_id"), long("serial"), optional_text("lineage"), text("md5"), bytes("sealed")],
        )
        .to_owned(),
        of_workspace(
            "workspace_schedule",
            vec![
                text("cron"),
                optional_text("tcl"),
                optional_text("template_reference"),
                optional_text("description"),
                boolean("enabled"),
                optional_time("next_run_at"),
            ],
        )
        .to_owned(),
        owned("tag", vec![text("name")]).to_owned(),
        of_workspace("workspace_tag", vec![id("tag_id")]).foreign_key(&mut cascade("tag_id", "tag")).to_owned(),
        table(
            "access_token",
            vec![
                key(),
                optional_id("person_id"),
                time("created_at"),
                text("created_by"),
                text("name"),
                optional_text("description"),
                json("groups"),
                text("hash"),
                optional_time("expires_at"),
            ],
        )
        .foreign_key(&mut cascade("person_id", "person"))
        .to_owned(),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        unique("vcs", &["organization_id", "name"]),
        unique("ssh_key", &["organization_id", "name"]),
        unique("workspace", &["organization_id", "name"]),
        index("workspace", &["project_id"]),
        index("workspace", &["vcs_id"]),
        index("workspace", &["ssh_key_id"]),
        unique("template", &["organization_id", "name"]),
        unique("team", &["organization_id", "name"]),
        unique("workspace_access", &["workspace_id", "name"]),
        index("workspace_access", &["organization_id"]),
        unique("terraform_variable", &["workspace_id", "category", "key"]),
        index("terraform_variable", &["organization_id"]),
        index("workspace_job", &["organization_id"]),
        index("workspace_job", &["workspace_id", "id"]),
        unique("workspace_step", &["job_id", "position"]),
        unique("workspace_step", &["run_id"]),
        unique("workspace_step", &["token"]),
        index("workspace_step", &["organization_id"]),
        index("workspace_step", &["workspace_id"]),
        index("workspace_address", &["job_id"]),
        index("workspace_address", &["organization_id"]),
        index("workspace_address", &["workspace_id"]),
        index("state_version", &["workspace_id", "id"]),
        index("state_version", &["organization_id"]),
        index("workspace_schedule", &["workspace_id"]),
        index("workspace_schedule", &["organization_id"]),
        index("workspace_schedule", &["next_run_at"]),
        unique("tag", &["organization_id", "name"]),
        unique("workspace_tag", &["workspace_id", "tag_id"]),
        index("workspace_tag", &["tag_id"]),
        index("workspace_tag", &["organization_id"]),
        unique("access_token", &["hash"]),
        index("access_token", &["person_id"]),
    ]
}
