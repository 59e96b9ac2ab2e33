//! The keys that sealed values need, by their fingerprints.

use chrono::{DateTime, Utc};
use entity::seal_key;
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, QueryOrder, QuerySelect, Statement};

use super::page::PAGE;
use super::row;

/// The columns that contain sealed values; a test compares them with the schema. Each value begins with the fingerprint of its key.
pub const SEALED: [(&str, &str); 35] = [
    ("agent_log", "sealed"),
    ("agent_step", "outputs"),
    ("agent_step", "report"),
    ("agent_step", "spec"),
    ("alert_receiver", "sealed"),
    ("cluster", "kubeconfig"),
    ("configuration_piece", "sealed"),
    ("git_token", "token"),
    ("identity_key", "sealed"),
    ("job_check", "sealed"),
    ("job_variables", "sealed"),
    ("plan_output", "redacted"),
    ("plan_output", "schemas"),
    ("plan_output", "whole"),
    ("push_hook", "secret"),
    ("registry", "credentials"),
    ("registry_piece", "sealed"),
    ("run", "additions"),
    ("run", "masks"),
    ("shown_plan", "sealed"),
    ("signing_key", "sealed"),
    ("ssh_key", "private_key"),
    ("state_listing", "sealed"),
    ("state_piece", "sealed"),
    ("state_version", "sealed"),
    ("terraform_variable", "sealed"),
    ("variable", "sealed"),
    ("vcs", "access_token"),
    ("vcs", "client_secret"),
    ("vcs", "private_key"),
    ("webhook", "secret"),
    ("workspace_job", "variables"),
    ("workspace_step", "inputs"),
    ("workspace_step", "plan"),
    ("workspace_webhook", "secret"),
];

/// The length of a fingerprint, in bytes.
const LENGTH: usize = 4;

/// The recorded keys, the newest first.
///
/// # Errors
/// When the query fails.
pub async fn list(db: &impl ConnectionTrait) -> Result<Vec<seal_key::Model>, DbErr> {
    seal_key::Entity::find()
        .order_by_desc(seal_key::Column::CreatedAt)
        .order_by_asc(seal_key::Column::Id)
        .limit(PAGE)
        .all(db)
        .await
}

/// Records a key, before the first value is sealed with it.
///
/// # Errors
/// When the statement fails.
pub async fn record(tx: &impl ConnectionTrait, id: String, now: DateTime<Utc>) -> Result<(), DbErr> {
    row::create(tx, seal_key::Model { id, created_at: now }).await.map(|_| ())
}

/// Removes the record of a key that nothing needs any more.
///
/// # Errors
/// When the statement fails.
pub async fn delete(tx: &impl ConnectionTrait, id: &str) -> Result<(), DbErr> {
    row::delete::<seal_key::Model>(tx, id.to_owned()).await.map(|_| ())
}

/// The fingerprints of all keys that sealed values need, as bytes. Reads every sealed value, which is done only when the recorded keys
/// do not match the key file.
///
/// # Errors
/// When a query fails.
pub async fn list_used(db: &impl ConnectionTrait) -> Result<Vec<Vec<u8>>, DbErr> {
    let mut used: Vec<Vec<u8>> = Vec::new();
    for (table, column) in SEALED {
        let sql = format!("SELECT DISTINCT substr({column}, 1, {LENGTH}) FROM {table} WHERE {column} IS NOT NULL");
        for row in db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await? {
            let id: Vec<u8> = row.try_get_by_index(0)?;
            if !used.contains(&id) {
                used.push(id);
            }
        }
    }
    Ok(used)
}
