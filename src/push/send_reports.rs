//! Reports jobs to the repositories that pushed them, with the token of the workspace's connection.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use entity::push_feedback::{FeedbackKind, Model};
use entity::{vcs, workspace, workspace_job, workspace_push};
use reqwest::Client;
use sea_orm::{DatabaseTransaction, DbErr};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::app::App;
use crate::engine::opened_plan::{self, ShownPlan};
use crate::engine::plan_view::PlanCounts;
use crate::engine::push::report_request::{ReportApi, ReportHost, ReportMethod, ReportRequest, id_in};
use crate::engine::push::report_text::{ReportFacts, reported_status};
use crate::engine::push::repository_path;
use crate::engine::push::superseded::SUPERSEDED;
use crate::error::{Error, Result};
use crate::liveness::passes::Pass;
use crate::outbound::{self, Outbox};
use crate::secret::stored_binding::of_vcs_api;
use crate::secret::{self, Destination, permits};
use crate::store;
use crate::store::outbox::Room;
use crate::store::push::ReportEnd;
use crate::store::row_changes::Watched;

/// How much of an answer is read, in bytes.
const ANSWER: usize = 256 * 1024;
/// How much of an answer an error repeats, in characters.
const SAID: usize = 300;

/// The pauses before each retry. A report fails after the last one.
const PAUSES: [TimeDelta; 6] = [
    TimeDelta::seconds(5),
    TimeDelta::seconds(30),
    TimeDelta::minutes(5),
    TimeDelta::minutes(30),
    TimeDelta::hours(2),
    TimeDelta::hours(8),
];

/// The reports about workspaces to their repositories.
struct Reports;

impl Outbox for Reports {
    type Row = Model;
    const PASS: Pass = Pass::Reports;
    const TABLE: Watched = Watched::PushFeedback;
    const PAUSE: Duration = Duration::from_secs(1);
    /// Longer than a request takes.
    const LEASE: TimeDelta = TimeDelta::minutes(1);

    async fn next(app: &App, room: &Room) -> Result<Option<DateTime<Utc>>, DbErr> {
        store::push::next_report(&app.db, room).await
    }

    async fn claim(
        tx: &DatabaseTransaction,
        room: &Room,
        lease: (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<Vec<Model>, DbErr> {
        store::push::claim_reports(tx, room, lease).await
    }

    fn destination(row: &Model) -> (Uuid, i32) {
        (row.workspace_id.0, row.attempts)
    }

    async fn send(app: &App, client: Client, row: Model, lease_ends_at: DateTime<Utc>) {
        report(app, client, row, lease_ends_at).await;
    }
}

/// Sends reports until `shutdown`.
pub(super) async fn report_until(app: &App, shutdown: CancellationToken) {
    outbound::send_until::<Reports>(app, &Notify::new(), shutdown).await;
}

/// Sends what is due until nothing is, and returns the number of reports.
///
/// # Errors
/// Database errors.
pub async fn send_reports(app: &App) -> Result<usize> {
    outbound::send_all::<Reports>(app).await
}

async fn report(app: &App, client: Client, row: Model, lease_ends_at: DateTime<Utc>) {
    let id = row.id;
    // The report is due again when its lease ends.
    if let Err(error) = one(app, &client, row, lease_ends_at).await {
        tracing::error!(report = %id, ?error, "a job could not be reported to its repository; will retry");
        app.metrics.row_failed(Pass::Reports.name());
    }
}

/// A report that can be sent.
struct Prepared {
    api: ReportApi,
    request: ReportRequest,
    authorization: String,
    /// What it says, which is not sent twice.
    text: String,
}

async fn one(app: &App, client: &Client, row: Model, lease_ends_at: DateTime<Utc>) -> Result<()> {
    let prepared = prepare(app, &row).await?;
    // When the lease ends, another server may send it.
    if app.clock.now() >= lease_ends_at {
        return Ok(());
    }
    let end = match prepared {
        Ok(prepared) if row.sent.as_ref() == Some(&prepared.text) => {
            ReportEnd::Sent { text: prepared.text, remote_id: row.remote_id.clone() }
        }
        Ok(prepared) => send(app, client, &row, prepared).await,
        // What is missing may be added, for example a token.
        Err(reason) => later(&row, reason, app.clock.now()),
    };
    let now = app.clock.now();
    store::write(&app.db, async |tx| store::push::end_report(tx, &row, end.clone(), now).await.map_err(Error::from))
        .await
}

/// Makes the request for a report from what its job is now. The inner error says why there is none.
async fn prepare(app: &App, row: &Model) -> Result<Result<Prepared, String>> {
    let of = store::row::by_id::<workspace::Model>(&app.db, row.workspace_id).await?;
    let job = store::row::by_id::<workspace_job::Model>(&app.db, row.job_id).await?;
    let push = store::row::by_id::<workspace_push::Model>(&app.db, row.push_id).await?;
    let (Some(of), Some(job), Some(push)) = (of, job, push) else { return Ok(Err("the job was deleted".into())) };
    let vcs = match of.vcs_id {
        Some(id) => store::workspace::vcs(&app.db, id).await?,
        None => None,
    };
    let Some(vcs) = vcs else { return Ok(Err("the workspace has no VCS connection".into())) };
    let Some(repository) = push.repository.clone().or_else(|| repository_path::of_url(&of.source)) else {
        return Ok(Err("the source of the workspace names no repository".into()));
    };
    let host =
        ReportHost { vcs_type: &vcs.vcs_type, endpoint: vcs.endpoint.as_deref(), api_url: vcs.api_url.as_deref() };
    let api = match ReportApi::of(&host, push.provider, &repository) {
        Ok(api) => api,
        Err(reason) => return Ok(Err(reason)),
    };
    let facts = facts(app, &of, &job).await?;
    let (request, text) = match row.kind {
        FeedbackKind::Status => {
            let (commit, description) = (push.commit_id.as_deref().unwrap_or_default(), facts.description());
            let said = (description.as_str(), facts.url.as_str());
            let request = api.status(commit, (facts.state(), &facts.context()), said);
            (request, api.status_text(facts.state(), said))
        }
        FeedbackKind::Comment => {
            let text = facts.comment();
            (api.comment(push.pr_number.unwrap_or_default(), row.remote_id.as_deref(), &text), text)
        }
    };
    let authorization = authorization(app, (&of, &vcs), &api, &request.url)?;
    Ok(authorization.map(|authorization| Prepared { api, request, authorization, text }))
}

/// The header with the token of a connection, which goes to the API of its own host only.
fn authorization(
    app: &App,
    (of, vcs): (&workspace::Model, &vcs::Model),
    api: &ReportApi,
    url: &str,
) -> Result<Result<String, String>> {
    let Some(sealed) = &vcs.access_token else { return Ok(Err("the VCS connection has no accessToken".into())) };
    if let Err(refused) = permits(&of_vcs_api(vcs), &Destination::new(of.organization_id, url)) {
        return Ok(Err(format!("the VCS connection: {refused}")));
    }
    if let Err(refused) = outbound::check_literal(url, app.config.webhook_private_addresses) {
        return Ok(Err(format!("the API of the VCS connection {refused}; --webhook-private-addresses allows it")));
    }
    let token = match app.keys.open_text(&secret::place("vcs", vcs.id.0), sealed) {
        Ok(token) => token,
        // This counts as an attempt, so that the report ends.
        Err(error) => return Ok(Err(error.reason())),
    };
    Ok(Ok(api.authorization(token.expose().trim())))
}

async fn facts(app: &App, of: &workspace::Model, job: &workspace_job::Model) -> Result<ReportFacts> {
    let plans = store::workspace::shown_plans(&app.db, job.id).await?;
    let steps = store::workspace::steps_without_plans(&app.db, job.id).await?;
    let mut counts: Option<PlanCounts> = None;
    for plan in &plans {
        // A report without numbers is better than none.
        if let Ok(ShownPlan::Plan(view)) = opened_plan::open(app, plan) {
            counts = Some(view.counts);
        }
    }
    Ok(ReportFacts {
        job: job.id,
        status: reported_status(job, &steps),
        plan_only: job.plan_only,
        plan_changes: job.plan_changes,
        counts,
        workspace: of.name.clone(),
        commit: job.commit_id.clone(),
        superseded: job.output.clone().filter(|text| text.starts_with(SUPERSEDED)),
        url: format!("{}/console/workspace-job/{}", app.public_url(), job.id),
    })
}

async fn send(app: &App, client: &Client, row: &Model, prepared: Prepared) -> ReportEnd {
    let Prepared { api, request, authorization, text } = prepared;
    let call = match request.method {
        ReportMethod::Post => client.post(&request.url),
        ReportMethod::Put => client.put(&request.url),
        ReportMethod::Patch => client.patch(&request.url),
    };
    let call = call
        .header("authorization", authorization)
        .header("accept", "application/json")
        .header("content-type", "application/json")
        .body(request.body.to_string());
    let now = app.clock.now();
    match outbound::exchange(call, ANSWER).await {
        Ok((status, answer)) if (200..300).contains(&status) => {
            let remote_id = row.remote_id.clone().or_else(|| match row.kind {
                FeedbackKind::Comment => id_in(&answer),
                FeedbackKind::Status => None,
            });
            ReportEnd::Sent { text, remote_id }
        }
        Ok((status, answer)) if row.kind == FeedbackKind::Status && api.has_status_already((status, &answer)) => {
            ReportEnd::Sent { text, remote_id: None }
        }
        // The comment was deleted: it is written anew.
        Ok((404 | 410, _)) if row.remote_id.is_some() => {
            ReportEnd::Later { at: now, error: "the comment was deleted".into(), is_gone: true }
        }
        Ok((status, answer)) => {
            let said: String =
                String::from_utf8_lossy(&answer).chars().filter(|letter| !letter.is_control()).take(SAID).collect();
            later(row, format!("the provider answered {status}: {said}"), now)
        }
        Err(reason) => later(row, reason, now),
    }
}

fn later(row: &Model, error: String, now: DateTime<Utc>) -> ReportEnd {
    match usize::try_from(row.attempts).ok().and_then(|place| PAUSES.get(place)) {
        Some(pause) => ReportEnd::Later { at: now + *pause, error, is_gone: false },
        None => ReportEnd::Failed(error),
    }
}
