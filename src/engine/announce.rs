//! Organization events and webhook deliveries. They are stored in the same transaction as the change that they report, so that
//! none is lost and none is sent for a change that was rolled back.

use chrono::{DateTime, SecondsFormat, Utc};
use entity::deployment::{Action, Origin, Progress, Scope};
use entity::environment::Mode;
use entity::id::{DeliveryId, EventId};
use entity::run::Event;
use entity::webhook::{WebhookEvent, WebhookKind};
use entity::webhook_delivery::{self, DeliveryState};
use entity::{deployment, environment, event, job, project};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::{Value, json};
use uuid::Uuid;

use super::news::{escaped, is_covered};
use super::requester::Requester;
use crate::error::Result;
use crate::store;

/// An event of an environment or of one of its jobs.
pub(super) struct Announcement<'a> {
    kind: &'static str,
    target: &'static str,
    id: Uuid,
    name: &'a str,
    environment: &'a environment::Model,
    after: Option<Value>,
}

impl<'a> Announcement<'a> {
    pub(super) fn environment(kind: &'static str, environment: &'a environment::Model) -> Self {
        Self { kind, target: "ENVIRONMENT", id: environment.id.0, name: &environment.name, environment, after: None }
    }

    pub(super) fn job(kind: &'static str, environment: &'a environment::Model, job: &'a job::Model) -> Self {
        Self { kind, target: "JOB", id: job.id.0, name: &job.name, environment, after: None }
    }

    /// The values that changed.
    pub(super) fn after(self, after: Value) -> Self {
        Self { after: Some(after), ..self }
    }
}

/// The official event name of a request.
pub(super) fn requested(action: Action, forced: Option<Event>, scope: Scope) -> &'static str {
    match (action, forced, scope) {
        (_, Some(Event::Cron | Event::Build | Event::Workspace | Event::Apply), _) => "FORCE_RUN_QUEUED",
        (_, Some(Event::Start), _) => "FORCE_RUN_QUEUED_DEPLOY",
        (_, Some(Event::Stop), _) => "FORCE_RUN_QUEUED_STOP",
        (_, Some(Event::Delete), _) => "FORCE_RUN_QUEUED_DELETE",
        (Action::Deploy, None, Scope::Environment) => "TRIGGER_DEPLOY",
        (Action::Stop, None, Scope::Environment) => "TRIGGER_STOP",
        (Action::Delete, None, Scope::Environment) => "TRIGGER_DELETE",
        (Action::Uninstall, None, Scope::Environment) => "TRIGGER_UNINSTALL",
        (Action::Deploy, None, Scope::Jobs) => "DEPLOY_QUEUED",
        (Action::Stop, None, Scope::Jobs) => "STOP_QUEUED",
        (Action::Delete, None, Scope::Jobs) => "DELETE_QUEUED",
        (Action::Uninstall, None, Scope::Jobs) => "UNINSTALL_QUEUED",
    }
}

/// The official event name of an outcome.
fn ended(action: Action, forced: Option<Event>, progress: Progress) -> &'static str {
    let succeeded = progress == Progress::Succeeded;
    match (action, forced) {
        (_, Some(_)) if succeeded => "FORCE_RUN_SUCCEEDED",
        (_, Some(_)) => "FORCE_RUN_FAILED",
        (Action::Deploy, None) if succeeded => "DEPLOYED",
        (Action::Deploy, None) => "DEPLOY_FAILED",
        (Action::Stop, None) if succeeded => "STOPPED",
        (Action::Stop, None) => "STOP_FAILED",
        (Action::Delete, None) if succeeded => "DELETED",
        (Action::Delete, None) => "DELETE_FAILED",
        (Action::Uninstall, None) if succeeded => "UNINSTALLED",
        (Action::Uninstall, None) => "UNINSTALL_FAILED",
    }
}

/// Stores an event.
pub(super) async fn event(
    tx: &DatabaseTransaction,
    announcement: Announcement<'_>,
    by: &Requester,
    now: DateTime<Utc>,
) -> Result<()> {
    let Announcement { kind, target, id, name, environment, after } = announcement;
    let row = event::Model {
        id: EventId::create(),
        organization_id: environment.organization_id,
        created_at: now,
        kind: kind.to_owned(),
        target: target.to_owned(),
        sub_target: None,
        target_id: Some(id),
        target_name: name.to_owned(),
        project_id: Some(environment.project_id),
        project_name: None,
        environment_id: Some(environment.id),
        environment_name: Some(environment.name.clone()),
        before: None,
        after,
        origin: by.origin,
        triggered_by: by.name.clone(),
        user_agent: by.user_agent.clone(),
    };
    store::event::create_in_project(tx, row).await?;
    Ok(())
}

/// Reports the end of a deployment: an event for the environment, or one for each requested job.
pub(super) async fn end(
    tx: &DatabaseTransaction,
    row: &deployment::Model,
    reached: Progress,
    now: DateTime<Utc>,
) -> Result<()> {
    let webhook_event = match reached {
        Progress::Succeeded => WebhookEvent::DeploymentSuccessful,
        Progress::Cancelled => WebhookEvent::DeploymentCancelled,
        Progress::Failed | Progress::Queued | Progress::Running => WebhookEvent::DeploymentFailure,
    };
    webhooks(tx, row, webhook_event, now).await?;
    if reached == Progress::Failed {
        store::alert::note_deployment_failed(tx, row.id, row.environment_id, now).await?;
    }
    let Some(environment) = store::environment::by_id(tx, row.environment_id).await? else { return Ok(()) };
    let by = Requester { name: row.triggered_by.clone(), email: None, origin: row.origin, user_agent: None };
    if row.scope == Scope::Environment {
        let kind = ended(row.action, None, reached);
        return event(tx, Announcement::environment(kind, &environment), &by, now).await;
    }
    for part in store::deployment::list_parts(tx, row.id).await? {
        if let Some(job) = store::job::by_id(tx, part.job_id).await? {
            let kind = ended(row.action, part.forced_event, part.progress);
            event(tx, Announcement::job(kind, &environment, &job), &by, now).await?;
        }
    }
    Ok(())
}

/// Stores a delivery for each webhook subscribed to the event.
pub(super) async fn webhooks(
    tx: &impl ConnectionTrait,
    row: &deployment::Model,
    webhook_event: WebhookEvent,
    now: DateTime<Utc>,
) -> Result<()> {
    let Some(environment) = store::environment::by_id(tx, row.environment_id).await? else { return Ok(()) };
    let hooks = store::webhook::list_enabled(tx, environment.organization_id).await?;
    if hooks.is_empty() {
        return Ok(());
    }
    let Some(project) = store::project::by_id(tx, environment.project_id).await? else { return Ok(()) };
    for hook in hooks {
        if !hook.events.0.contains(&webhook_event) || !is_covered(&hook, Some(&project.name), Some(environment.mode)) {
            continue;
        }
        let payload = match hook.kind {
            WebhookKind::Standard => standard(webhook_event, row, &environment, &project, now),
            WebhookKind::Slack => slack(webhook_event, row, &environment, &project),
        };
        let delivery = webhook_delivery::Model {
            id: DeliveryId::create(),
            webhook_id: hook.id,
            created_at: now,
            updated_at: now,
            kind: hook.kind,
            event: webhook_event,
            target_url: hook.target_url,
            payload,
            state: DeliveryState::Pending,
            attempts: 0,
            next_attempt_at: now,
            status_code: None,
            response: None,
            own_event: None,
            cause: None,
        };
        store::webhook::create_delivery(tx, delivery).await?;
    }
    Ok(())
}

fn standard(
    webhook_event: WebhookEvent,
    row: &deployment::Model,
    environment: &environment::Model,
    project: &project::Model,
    now: DateTime<Utc>,
) -> Value {
    json!({
        "type": webhook_event,
        "timestamp": now.to_rfc3339_opts(SecondsFormat::Micros, true),
        "data": {
            "organization_id": environment.organization_id,
            "project_id": project.id,
            "project_name": project.name,
            "environment_id": environment.id,
            "environment_name": environment.name,
            "environment_mode": environment.mode,
            "deployment_id": row.id,
            "execution_id": format!("{}-{}", row.id, row.number),
            "action": action_name(row.action),
            "triggered_by": row.triggered_by,
            "origin": origin_name(row.origin),
        }
    })
}

fn slack(
    webhook_event: WebhookEvent,
    row: &deployment::Model,
    environment: &environment::Model,
    project: &project::Model,
) -> Value {
    let what = match webhook_event {
        WebhookEvent::DeploymentStarted => "has started",
        WebhookEvent::DeploymentCancelled => "was cancelled",
        WebhookEvent::DeploymentFailure => "has failed",
        WebhookEvent::DeploymentSuccessful => "has succeeded",
    };
    let mode = if environment.mode == Mode::Production { " (production)" } else { "" };
    let text = format!(
        "{} of {} / {}{mode} {what}, requested by {}",
        action_name(row.action),
        escaped(&project.name),
        escaped(&environment.name),
        escaped(&row.triggered_by)
    );
    json!({ "text": text })
}

fn action_name(action: Action) -> &'static str {
    match action {
        Action::Deploy => "DEPLOY",
        Action::Stop => "STOP",
        Action::Delete => "DELETE",
        Action::Uninstall => "UNINSTALL",
    }
}

fn origin_name(origin: Origin) -> &'static str {
    match origin {
        Origin::Api => "API",
        Origin::Cli => "CLI",
        Origin::Console => "CONSOLE",
        Origin::TerraformProvider => "TERRAFORM_PROVIDER",
    }
}
