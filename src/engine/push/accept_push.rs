//! Accepts what was heard of a repository: stores it once, and starts the job that the webhook names.

use chrono::{DateTime, Utc};
use entity::id::{TemplateId, WorkspacePushId};
use entity::workspace_push::{Model, PushEvent, PushOutcome, PushProvider};
use entity::{workspace, workspace_webhook, workspace_webhook_event};
use sea_orm::DatabaseTransaction;

use super::heard::Heard;
use super::push_filter::{Choice, choose};
use super::{report_rows, repository_path, superseded};
use crate::app::App;
use crate::engine::workspace::{NewJob, PushedBy, create, create_failed, rights_of};
use crate::error::{Error, Result};
use crate::store;

/// What came of something that was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accepted {
    New(Box<Model>),
    /// It was heard before.
    Replayed,
    /// The webhook or its workspace is gone.
    Gone,
}

/// Stores what was heard, under the id and the digest of its delivery, and starts what it starts.
///
/// # Errors
/// Database errors.
pub async fn accept(
    app: &App,
    tx: &DatabaseTransaction,
    hook: &workspace_webhook::Model,
    heard: &Heard,
    (delivery, digest): (&str, &str),
    now: DateTime<Utc>,
) -> Result<Accepted> {
    let Some(of) = store::workspace::lock(tx, hook.workspace_id).await?.filter(|of| !of.deleted) else {
        return Ok(Accepted::Gone);
    };
    if store::push::by_id(tx, hook.id).await?.is_none() {
        return Ok(Accepted::Gone);
    }
    let known = store::push::known(tx, hook.id, (delivery, digest)).await?;
    let is_replay = known.iter().any(|row| row.delivery == delivery);
    if is_replay || !known.is_empty() && !was_done_again(tx, hook, heard).await? {
        return Ok(Accepted::Replayed);
    }
    for row in known {
        // The newest push with a body has its digest, which is unique.
        let digest = format!("{digest} {}", row.id);
        store::row::update(tx, Model { digest, ..row }).await?;
    }
    let row = new_row(hook, heard, (delivery, digest), now);
    let row = store::row::create(tx, row).await?;
    decide(app, tx, (&of, hook), row, heard, now).await.map(|row| Accepted::New(Box::new(row)))
}

/// Whether a push with a known body was made once more.
async fn was_done_again(tx: &DatabaseTransaction, hook: &workspace_webhook::Model, heard: &Heard) -> Result<bool> {
    let newest = match heard.repository.as_deref().zip(heard.branch.as_deref()) {
        Some(of) => store::push::newest_of_branch(tx, hook.workspace_id, of).await?,
        None => None,
    };
    Ok(heard.was_done_again(newest.as_ref().map(|row| row.commit_id.as_deref())))
}

/// Decides about a stored push, and starts its job.
///
/// # Errors
/// Database errors.
pub async fn decide(
    app: &App,
    tx: &DatabaseTransaction,
    (of, hook): (&workspace::Model, &workspace_webhook::Model),
    row: Model,
    heard: &Heard,
    now: DateTime<Utc>,
) -> Result<Model> {
    let events = store::push::events(tx, hook.id).await?;
    decide_by(app, tx, (of, hook), (row, &events), heard, now).await
}

/// Decides about a stored push by these events of its webhook.
///
/// # Errors
/// Database errors.
pub async fn decide_by(
    app: &App,
    tx: &DatabaseTransaction,
    (of, hook): (&workspace::Model, &workspace_webhook::Model),
    (row, events): (Model, &[workspace_webhook_event::Model]),
    heard: &Heard,
    now: DateTime<Utc>,
) -> Result<Model> {
    let elsewhere = heard.repository.as_deref().filter(|path| !repository_path::names(&of.source, path));
    let ended = |outcome, reason: String| Model {
        outcome,
        reason: Some(reason),
        next_attempt_at: None,
        updated_at: now,
        ..row.clone()
    };
    let row = match (elsewhere, choose(heard, events, &of.branch)) {
        (Some(path), _) => ended(PushOutcome::Ignored, format!("{path} is not the repository of the workspace")),
        (None, Choice::Nothing(reason)) => ended(PushOutcome::Ignored, reason),
        (None, Choice::NeedsPaths) => {
            let reason = Some("the changed paths are read from the repository".to_owned());
            let next_attempt_at = row.next_attempt_at.or(Some(now));
            Model { outcome: PushOutcome::Waiting, reason, next_attempt_at, updated_at: now, ..row }
        }
        (None, Choice::Start(event)) => match planned_already(tx, &row).await? {
            Some(job) => ended(PushOutcome::Ignored, format!("job {job} has planned this commit")),
            None => return start(app, tx, (of, hook, event), row, now).await,
        },
    };
    Ok(store::row::update(tx, row).await?)
}

/// The job that has planned the commit of a pull request: providers tell of changed titles in the same way as of new commits.
async fn planned_already(tx: &DatabaseTransaction, row: &Model) -> Result<Option<i32>> {
    let Some((number, commit)) = row.pr_number.zip(row.commit_id.as_deref()) else { return Ok(None) };
    Ok(store::push::job_of_commit(tx, row.workspace_id, (number, commit)).await?)
}

async fn start(
    app: &App,
    tx: &DatabaseTransaction,
    (of, hook, event): (&workspace::Model, &workspace_webhook::Model, &workspace_webhook_event::Model),
    row: Model,
    now: DateTime<Utc>,
) -> Result<Model> {
    let template = event.template_id.as_ref().and_then(|id| id.parse().ok()).map(TemplateId);
    let pr_number = row.pr_number.filter(|_| row.event == PushEvent::PullRequest);
    let wanted = NewJob {
        template,
        comments: row.title.clone(),
        commit_id: row.commit_id.clone(),
        override_branch: row.branch.clone(),
        via: name(row.provider).to_owned(),
        refresh: true,
        by: row.author.clone().unwrap_or_else(|| hook.created_by.clone()),
        principal: hook.principal.clone(),
        rights: rights_of(tx, hook.principal.as_deref(), (of.organization_id, of.id)).await?,
        push: Some(PushedBy { push: row.id, pr_number }),
        ..NewJob::default()
    };
    let refused = match create(tx, of, wanted.clone(), now).await {
        Ok(job) => {
            superseded::end_older(app, tx, (job.id, &row), now).await?;
            report_rows::report(tx, of, (job.id, &row), now).await?;
            let job_id = Some(job.id);
            let row = Model {
                outcome: PushOutcome::Started,
                reason: None,
                job_id,
                next_attempt_at: None,
                updated_at: now,
                ..row
            };
            return Ok(store::row::update(tx, row).await?);
        }
        Err(Error::Forbidden(reason)) => format!("whoever set up the webhook may no longer do this: {reason}"),
        Err(error @ (Error::Invalid { .. } | Error::Faults(_))) => error.public(),
        Err(error) => return Err(error),
    };
    tracing::warn!(webhook = %hook.id, refused, "the job of a push could not be started");
    let reason = format!("the push could not start this job: {refused}");
    let job = create_failed(tx, of, wanted, reason.clone(), now).await?;
    report_rows::report(tx, of, (job.id, &row), now).await?;
    let (outcome, job_id) = (PushOutcome::Failed, Some(job.id));
    let row = Model { outcome, reason: Some(reason), job_id, next_attempt_at: None, updated_at: now, ..row };
    Ok(store::row::update(tx, row).await?)
}

/// What a job says it was started by.
#[must_use]
pub fn name(provider: PushProvider) -> &'static str {
    match provider {
        PushProvider::Github => "Github",
        PushProvider::Gitlab => "Gitlab",
        PushProvider::Bitbucket => "Bitbucket",
        PushProvider::Gitea => "Gitea",
        PushProvider::Poll => "Poll",
    }
}

fn new_row(
    hook: &workspace_webhook::Model,
    heard: &Heard,
    (delivery, digest): (&str, &str),
    now: DateTime<Utc>,
) -> Model {
    Model {
        id: WorkspacePushId::create(),
        organization_id: hook.organization_id,
        workspace_id: hook.workspace_id,
        webhook_id: hook.id,
        created_at: now,
        updated_at: now,
        provider: heard.provider,
        delivery: delivery.to_owned(),
        digest: digest.to_owned(),
        event: heard.event,
        outcome: PushOutcome::Ignored,
        reason: None,
        job_id: None,
        repository: heard.repository.clone(),
        branch: heard.branch.clone(),
        base: heard.base.clone(),
        before_id: heard.before.clone(),
        commit_id: heard.commit.clone(),
        pr_number: heard.pr_number,
        title: heard.title.clone(),
        author: heard.author.clone(),
        attempts: 0,
        next_attempt_at: None,
    }
}
