//! Tells webhooks which workspace jobs wait for an approval, and which no longer do.

use chrono::{DateTime, Utc};
use entity::webhook::OwnEvent;
use entity::workspace_job;
use sea_orm::{ActiveEnum as _, DatabaseTransaction};
use serde_json::{Map, json};

use super::news_outbox::publish;
use super::news_payload::{News, time};
use crate::app::App;
use crate::error::Result;
use crate::store;

/// Hears that a workspace job waits for an approval from now on.
pub async fn approval_waiting(
    app: &App,
    tx: &DatabaseTransaction,
    job: &workspace_job::Model,
    now: DateTime<Utc>,
) -> Result<()> {
    let team = job.approval_team.as_deref().filter(|team| !team.is_empty());
    let whose = team.map(|team| format!(" of the team {team}")).unwrap_or_default();
    let reason = format!("job {} waits for an approval{whose}", job.id);
    tell(app, tx, job, (OwnEvent::ApprovalWaiting, reason), now).await
}

/// Hears that a workspace job no longer waits for an approval.
pub async fn approval_decided(
    app: &App,
    tx: &DatabaseTransaction,
    job: &workspace_job::Model,
    now: DateTime<Utc>,
) -> Result<()> {
    let reason = job.output.clone().unwrap_or_else(|| format!("job {} is {}", job.id, job.status.to_value()));
    tell(app, tx, job, (OwnEvent::ApprovalDecided, reason), now).await
}

async fn tell(
    app: &App,
    tx: &DatabaseTransaction,
    job: &workspace_job::Model,
    (event, reason): (OwnEvent, String),
    now: DateTime<Utc>,
) -> Result<()> {
    let hooks = store::webhook_news::list_interested_in(tx, job.organization_id).await?;
    if hooks.is_empty() {
        return Ok(());
    }
    let Some(place) = store::webhook_news::workspace_place(tx, job.workspace_id).await? else { return Ok(()) };
    let mut facts = Map::new();
    facts.insert("workspace_job_id".into(), json!(job.id));
    facts.insert("status".into(), json!(job.status.to_value()));
    facts.insert("approval_team".into(), json!(job.approval_team.as_deref().filter(|team| !team.is_empty())));
    facts.insert("triggered_by".into(), json!(job.created_by));
    facts.insert("updated_by".into(), json!(job.updated_by));
    let news = News {
        event,
        // A job may wait several times.
        cause: format!("{} {} {}", event.to_value(), job.id, time(now)),
        reason: Some(reason),
        path: format!("workspace-job/{}", job.id),
        facts,
    };
    publish(app, tx, &hooks, (&place, &news), now).await
}
