//! Variables, stages, groups, roles, webhooks and events, and new columns in existing tables.
//!
//! Existing rows are upgraded: every environment gets the default stages, and every job is put into one.

use sea_orm_migration::prelude::{
    ColumnDef, DbErr, DeriveMigrationName, Expr, ForeignKeyAction, Index, IndexCreateStatement, MigrationTrait,
    SchemaManager, TableCreateStatement, async_trait,
};

use crate::m0001_initial::{
    boolean, cascade, id, index, integer, json, keep, key, name, optional_id, optional_json, optional_text,
    optional_time, reference, table, text, time, unique,
};
use crate::m0002_upgrade;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            custom_role(),
            git_token(),
            metadata_group(),
            job_group(),
            variable(),
            job_variables(),
            stage(),
            stage_job(),
            deployment_rule(),
            project_rule(),
            deployment_restriction(),
            invitation(),
            webhook(),
            webhook_delivery(),
            event(),
        ] {
            manager.create_table(table).await?;
        }
        m0002_upgrade::columns(manager.get_connection()).await?;
        for index in indexes() {
            manager.create_index(index).await?;
        }
        m0002_upgrade::rows(manager.get_connection()).await
    }
}

fn optional_bytes(column: &str) -> ColumnDef {
    let mut column = ColumnDef::new(name(column));
    column.blob().null();
    column
}

fn optional_boolean(column: &str) -> ColumnDef {
    let mut column = ColumnDef::new(name(column));
    column.boolean().null();
    column
}

/// The columns that nearly every table starts with.
fn owned(rest: Vec<ColumnDef>) -> Vec<ColumnDef> {
    let mut columns = vec![key(), id("organization_id"), time("created_at"), time("updated_at")];
    columns.extend(rest);
    columns
}

fn custom_role() -> TableCreateStatement {
    let columns = vec![text("name"), text("name_key"), text("description"), json("clusters"), json("projects")];
    table("custom_role", owned(columns)).foreign_key(&mut cascade("organization_id", "organization")).to_owned()
}

fn git_token() -> TableCreateStatement {
    let columns = vec![
        text("name"),
        text("description"),
        text("provider"),
        optional_text("workspace"),
        text("api_url"),
        optional_bytes("token"),
    ];
    table("git_token", owned(columns)).foreign_key(&mut cascade("organization_id", "organization")).to_owned()
}

fn metadata_group() -> TableCreateStatement {
    let columns = vec![text("kind"), text("name"), text("name_key"), json("entries"), json("scopes")];
    table("metadata_group", owned(columns)).foreign_key(&mut cascade("organization_id", "organization")).to_owned()
}

fn job_group() -> TableCreateStatement {
    table("job_group", vec![id("job_id"), id("group_id")])
        .primary_key(Index::create().col(name("job_id")).col(name("group_id")))
        .foreign_key(&mut cascade("job_id", "job"))
        .foreign_key(&mut keep("group_id", "metadata_group"))
        .to_owned()
}

fn variable() -> TableCreateStatement {
    const ONE_PARENT: &str = "(CASE WHEN project_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN environment_id IS NULL \
         THEN 0 ELSE 1 END) + (CASE WHEN job_id IS NULL THEN 0 ELSE 1 END) = 1";
    let columns = vec![
        optional_id("project_id"),
        optional_id("environment_id"),
        optional_id("job_id"),
        text("key"),
        text("kind"),
        boolean("is_secret"),
        optional_text("value"),
        optional_bytes("sealed"),
        optional_text("mount_path"),
        optional_text("description"),
        optional_boolean("interpolated"),
        optional_id("target_id"),
        optional_text("target_key"),
    ];
    table("variable", owned(columns))
        .foreign_key(&mut cascade("organization_id", "organization"))
        .foreign_key(&mut cascade("project_id", "project"))
        .foreign_key(&mut cascade("environment_id", "environment"))
        .foreign_key(&mut cascade("job_id", "job"))
        .foreign_key(&mut cascade("target_id", "variable"))
        .check(Expr::cust(ONE_PARENT))
        .check(Expr::cust("NOT (is_secret AND value IS NOT NULL)"))
        .check(Expr::cust("(kind = 'ALIAS') = (target_key IS NOT NULL)"))
        .to_owned()
}

fn job_variables() -> TableCreateStatement {
    let mut job = id("job_id");
    job.primary_key();
    let mut sealed = ColumnDef::new(name("sealed"));
    sealed.blob().not_null();
    table("job_variables", vec![job, time("created_at"), sealed]).foreign_key(&mut cascade("job_id", "job")).to_owned()
}

fn stage() -> TableCreateStatement {
    let columns = vec![
        key(),
        id("environment_id"),
        time("created_at"),
        time("updated_at"),
        text("name"),
        text("name_key"),
        text("description"),
        integer("position"),
    ];
    table("stage", columns).foreign_key(&mut cascade("environment_id", "environment")).to_owned()
}

fn stage_job() -> TableCreateStatement {
    let mut job = id("job_id");
    job.primary_key();
    let columns = vec![job, id("stage_id"), time("created_at"), time("updated_at"), boolean("is_skipped")];
    table("stage_job", columns)
        .foreign_key(&mut cascade("job_id", "job"))
        .foreign_key(&mut keep("stage_id", "stage"))
        .to_owned()
}

fn deployment_rule() -> TableCreateStatement {
    let mut environment = id("environment_id");
    environment.primary_key();
    let columns = vec![
        environment,
        time("created_at"),
        time("updated_at"),
        boolean("on_demand_preview"),
        boolean("auto_preview"),
        boolean("auto_stop"),
        boolean("auto_delete"),
        text("timezone"),
        time("start_time"),
        time("stop_time"),
        json("weekdays"),
        optional_time("next_start_at"),
        optional_time("next_stop_at"),
    ];
    table("deployment_rule", columns).foreign_key(&mut cascade("environment_id", "environment")).to_owned()
}

fn project_rule() -> TableCreateStatement {
    let columns = vec![
        id("project_id"),
        id("cluster_id"),
        text("name"),
        text("name_key"),
        text("description"),
        text("mode"),
        boolean("auto_deploy"),
        boolean("auto_stop"),
        boolean("auto_delete"),
        text("timezone"),
        time("start_time"),
        time("stop_time"),
        json("weekdays"),
        text("wildcard"),
        integer("position"),
    ];
    table("project_rule", owned(columns))
        .foreign_key(&mut cascade("organization_id", "organization"))
        .foreign_key(&mut cascade("project_id", "project"))
        .foreign_key(&mut keep("cluster_id", "cluster"))
        .to_owned()
}

fn deployment_restriction() -> TableCreateStatement {
    let columns =
        vec![key(), id("job_id"), time("created_at"), time("updated_at"), text("mode"), text("kind"), text("value")];
    table("deployment_restriction", columns).foreign_key(&mut cascade("job_id", "job")).to_owned()
}

fn invitation() -> TableCreateStatement {
    let columns = vec![text("email"), text("role"), optional_id("custom_role_id"), text("inviter")];
    table("invitation", owned(columns))
        .foreign_key(&mut cascade("organization_id", "organization"))
        .foreign_key(&mut keep("custom_role_id", "custom_role"))
        .to_owned()
}

fn webhook() -> TableCreateStatement {
    let columns = vec![
        text("kind"),
        text("target_url"),
        optional_bytes("secret"),
        optional_text("description"),
        boolean("enabled"),
        json("events"),
        json("project_names"),
        json("modes"),
    ];
    table("webhook", owned(columns)).foreign_key(&mut cascade("organization_id", "organization")).to_owned()
}

fn webhook_delivery() -> TableCreateStatement {
    let columns = vec![
        key(),
        id("webhook_id"),
        time("created_at"),
        time("updated_at"),
        text("kind"),
        text("event"),
        text("target_url"),
        json("payload"),
        text("state"),
        integer("attempts"),
        time("next_attempt_at"),
        ColumnDef::new(name("status_code")).integer().null().to_owned(),
        optional_text("response"),
    ];
    table("webhook_delivery", columns).foreign_key(&mut cascade("webhook_id", "webhook")).to_owned()
}

fn event() -> TableCreateStatement {
    let columns = vec![
        key(),
        id("organization_id"),
        time("created_at"),
        text("kind"),
        text("target"),
        optional_text("sub_target"),
        optional_id("target_id"),
        text("target_name"),
        optional_id("project_id"),
        optional_text("project_name"),
        optional_id("environment_id"),
        optional_text("environment_name"),
        optional_json("before"),
        optional_json("after"),
        text("origin"),
        text("triggered_by"),
        optional_text("user_agent"),
    ];
    table("event", columns)
        .foreign_key(&mut reference("organization_id", "organization", ForeignKeyAction::Cascade))
        .to_owned()
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        unique("custom_role", &["organization_id", "name_key"]),
        index("git_token", &["organization_id"]),
        unique("metadata_group", &["organization_id", "kind", "name_key"]),
        index("job_group", &["group_id"]),
        unique("variable", &["project_id", "key"]),
        unique("variable", &["environment_id", "key"]),
        unique("variable", &["job_id", "key"]),
        index("variable", &["target_id"]),
        index("variable", &["organization_id"]),
        unique("stage", &["environment_id", "name_key"]),
        index("stage_job", &["stage_id"]),
        index("deployment_rule", &["next_start_at"]),
        index("deployment_rule", &["next_stop_at"]),
        unique("project_rule", &["project_id", "name_key"]),
        unique("deployment_restriction", &["job_id", "mode", "kind", "value"]),
        unique("invitation", &["organization_id", "email"]),
        index("invitation", &["custom_role_id"]),
        index("webhook", &["organization_id"]),
        index("webhook_delivery", &["webhook_id", "id"]),
        index("webhook_delivery", &["state", "next_attempt_at"]),
        index("event", &["organization_id", "id"]),
        index("member", &["custom_role_id"]),
        index("api_token", &["custom_role_id"]),
        index("job", &["git_token_id"]),
    ]
}
