//! Webhooks of repositories: which pushes start jobs of a workspace, what was delivered, and what is reported back.

use sea_orm_migration::prelude::{
    ColumnDef, DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, Table, async_trait,
};
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

use crate::m0001_initial::{
    boolean, cascade, id, index, integer, key, name, optional_id, optional_json, optional_text, optional_time, table,
    text, time, unique,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        webhooks(manager).await?;
        pushes(manager).await?;
        feedback(manager).await?;
        heads(manager).await?;
        let webhook = Table::alter().table(name("workspace")).add_column(optional_id("webhook_id")).to_owned();
        manager.alter_table(webhook).await?;
        for column in [&mut optional_id("push_id"), &mut optional_integer("pr_number")] {
            let change = Table::alter().table(name("workspace_job")).add_column(column).to_owned();
            manager.alter_table(change).await?;
        }
        for sql in [
            "CREATE INDEX workspace_job_push ON workspace_job (push_id) WHERE push_id IS NOT NULL",
            "CREATE INDEX workspace_webhook_due ON workspace_webhook (next_poll_at) WHERE next_poll_at IS NOT NULL",
            "CREATE INDEX workspace_push_waiting ON workspace_push (next_attempt_at) WHERE outcome = 'WAITING'",
            "CREATE INDEX push_feedback_due ON push_feedback (next_attempt_at) WHERE state = 'PENDING'",
        ] {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        Ok(())
    }
}

fn optional_integer(column: &str) -> ColumnDef {
    let mut column = ColumnDef::new(name(column));
    column.integer().null();
    column
}

fn audit() -> Vec<ColumnDef> {
    vec![
        key(),
        id("organization_id"),
        id("workspace_id"),
        time("created_at"),
        time("updated_at"),
        text("created_by"),
        text("updated_by"),
    ]
}

/// The branches that jobs with auto-deploy are built from.
async fn heads(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let columns = vec![
        key(),
        id("organization_id"),
        text("url"),
        text("branch"),
        optional_text("commit_id"),
        time("next_poll_at"),
        time("updated_at"),
        optional_text("error"),
    ];
    let mut heads = table("repository_head", columns);
    heads.foreign_key(&mut cascade("organization_id", "organization"));
    manager.create_table(heads).await?;
    manager.create_index(unique("repository_head", &["organization_id", "url", "branch"])).await?;
    manager.create_index(index("repository_head", &["next_poll_at"])).await?;
    let is_on = match manager.get_database_backend() {
        DbBackend::Postgres => "(spec->>'auto_deploy') = 'true'",
        _ => "json_extract(spec, '$.auto_deploy') = 1",
    };
    let jobs = format!("CREATE INDEX job_auto_deploy ON job (id) WHERE {is_on}");
    manager.get_connection().execute_unprepared(&jobs).await.map(|_| ())
}

async fn webhooks(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut secret = ColumnDef::new(name("secret"));
    secret.blob().null();
    let mut columns = audit();
    columns.extend([
        optional_text("remote_hook_id"),
        boolean("migrated_v2"),
        secret,
        optional_text("principal"),
        optional_integer("poll_seconds"),
        optional_time("next_poll_at"),
        optional_json("polled"),
        optional_text("poll_error"),
    ]);
    let mut webhooks = table("workspace_webhook", columns);
    webhooks.foreign_key(&mut cascade("workspace_id", "workspace"));
    manager.create_table(webhooks).await?;
    manager.create_index(unique("workspace_webhook", &["workspace_id"])).await?;
    let mut columns = audit();
    columns.extend([
        id("webhook_id"),
        optional_text("branch"),
        optional_text("path"),
        text("path_type"),
        optional_text("template_id"),
        text("event"),
        optional_integer("priority"),
        boolean("pr_workflow_enabled"),
        boolean("pr_apply_enabled"),
    ]);
    let mut events = table("workspace_webhook_event", columns);
    events.foreign_key(&mut cascade("webhook_id", "workspace_webhook"));
    manager.create_table(events).await?;
    manager.create_index(index("workspace_webhook_event", &["webhook_id"])).await
}

async fn pushes(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let columns = vec![
        key(),
        id("organization_id"),
        id("workspace_id"),
        id("webhook_id"),
        time("created_at"),
        time("updated_at"),
        text("provider"),
        text("delivery"),
        text("digest"),
        text("event"),
        text("outcome"),
        optional_text("reason"),
        optional_integer("job_id"),
        optional_text("repository"),
        optional_text("branch"),
        optional_text("base"),
        optional_text("before_id"),
        optional_text("commit_id"),
        optional_integer("pr_number"),
        optional_text("title"),
        optional_text("author"),
        integer("attempts"),
        optional_time("next_attempt_at"),
    ];
    let mut pushes = table("workspace_push", columns);
    pushes.foreign_key(&mut cascade("workspace_id", "workspace"));
    manager.create_table(pushes).await?;
    manager.create_index(unique("workspace_push", &["webhook_id", "delivery"])).await?;
    manager.create_index(unique("workspace_push", &["webhook_id", "digest"])).await?;
    manager.create_index(index("workspace_push", &["workspace_id", "id"])).await?;
    manager.create_index(index("workspace_push", &["created_at"])).await
}

async fn feedback(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let columns = vec![
        key(),
        id("organization_id"),
        id("workspace_id"),
        id("push_id"),
        integer("job_id"),
        text("kind"),
        text("subject"),
        optional_text("remote_id"),
        integer("revision"),
        text("state"),
        integer("attempts"),
        time("next_attempt_at"),
        optional_time("claimed_until"),
        optional_text("sent"),
        optional_text("error"),
        time("created_at"),
        time("updated_at"),
    ];
    let mut feedback = table("push_feedback", columns);
    feedback.foreign_key(&mut cascade("workspace_id", "workspace"));
    manager.create_table(feedback).await?;
    manager.create_index(unique("push_feedback", &["workspace_id", "subject"])).await?;
    manager.create_index(index("push_feedback", &["job_id"])).await?;
    manager.create_index(index("push_feedback", &["updated_at"])).await
}
