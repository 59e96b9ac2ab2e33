//! /job/{jobId}/run, /job/{jobId}/nextRun and /run/{runId}: what ran, and what comes next.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use entity::id::{JobId, RunId};
use entity::job::Schedule;
use entity::run;
use futures_util::{Stream, stream};
use poem_openapi::param::{Path, Query};
use poem_openapi::{Enum, Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::Tag;
use super::super::caller::Auth;
use super::super::limits;
use super::super::wire::{Answer, Found, ReferenceObject, Results, Text, Timestamp};
use crate::access::{self, Action};
use crate::app::App;
use crate::engine::schedule;
use crate::error::{Error, Result};
use crate::store;

/// How often a followed log is looked at.
const FOLLOW: Duration = Duration::from_millis(250);

#[derive(Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum RunStateEnum {
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
}

#[derive(Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum RunTriggerEnum {
    Schedule,
    Deployment,
    Force,
}

#[derive(Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum RunEventEnum {
    Cron,
    Start,
    Stop,
    Delete,
}

#[derive(Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum RunnerEnum {
    Docker,
    Process,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct Run {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    number: i64,
    job: ReferenceObject,
    deployment_id: Option<Uuid>,
    state: RunStateEnum,
    trigger: RunTriggerEnum,
    event: RunEventEnum,
    scheduled_for: Option<Timestamp>,
    attempt: i32,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    exit_code: Option<i32>,
    reason: Option<String>,
    runner: Option<RunnerEnum>,
    image: Option<String>,
    entrypoint: Option<String>,
    arguments: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct NextRun {
    at: Timestamp,
    local_time: String,
    utc_offset: String,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct NextRunResponseList {
    timezone: String,
    scheduled_at: String,
    active: bool,
    results: Vec<NextRun>,
}

impl From<run::Model> for Run {
    fn from(row: run::Model) -> Self {
        let run::Model {
            id,
            number,
            job_id,
            deployment_id,
            created_at,
            updated_at,
            trigger,
            event,
            scheduled_for,
            state,
            attempt,
            spec,
            runner,
            not_before: _,
            started_at,
            attempt_started_at: _,
            finished_at,
            cancel_requested_at: _,
            exit_code,
            reason,
            lease_owner: _,
            lease_until: _,
            attempt_lines: _,
            total_lines: _,
        } = row;
        Self {
            id: id.0,
            created_at: Timestamp(created_at),
            updated_at: Timestamp(updated_at),
            number,
            job: ReferenceObject { id: job_id.map_or(Uuid::nil(), |id| id.0) },
            deployment_id: deployment_id.map(|id| id.0),
            state: match state {
                run::RunState::Queued => RunStateEnum::Queued,
                run::RunState::Running => RunStateEnum::Running,
                run::RunState::Succeeded => RunStateEnum::Succeeded,
                run::RunState::Failed => RunStateEnum::Failed,
                run::RunState::Cancelled => RunStateEnum::Cancelled,
            },
            trigger: match trigger {
                run::Trigger::Schedule => RunTriggerEnum::Schedule,
                run::Trigger::Deployment => RunTriggerEnum::Deployment,
                run::Trigger::Force => RunTriggerEnum::Force,
            },
            event: match event {
                run::Event::Cron => RunEventEnum::Cron,
                run::Event::Start => RunEventEnum::Start,
                run::Event::Stop => RunEventEnum::Stop,
                run::Event::Delete => RunEventEnum::Delete,
            },
            scheduled_for: scheduled_for.map(Timestamp),
            attempt,
            started_at: started_at.map(Timestamp),
            finished_at: finished_at.map(Timestamp),
            exit_code,
            reason,
            runner: runner.map(|runner| match runner {
                run::RunnerKind::Docker => RunnerEnum::Docker,
                run::RunnerKind::Process => RunnerEnum::Process,
            }),
            image: spec.image_name.zip(spec.image_tag).map(|(name, tag)| format!("{name}:{tag}")),
            entrypoint: spec.entrypoint,
            arguments: spec.arguments,
        }
    }
}

/// The handlers.
pub(in super::super) struct RunApi(pub(in super::super) Arc<App>);

#[OpenApi]
impl RunApi {
    #[oai(path = "/job/:jobId/run", method = "get", operation_id = "listJobRuns", tag = Tag::JobRun)]
    async fn list_job_runs(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        #[oai(default = "default_runs")] count: Query<i32>,
        before: Query<Option<i64>>,
    ) -> Result<Found<Results<Run>>> {
        let count = limits::between("count", count.0, 1, 200)?;
        let job = access::job_row(&self.0.db, &auth.0, Action::View, JobId(job_id.0)).await?;
        let rows = store::run::list_by_job(&self.0.db, job.id, before.0, u64::from(count.unsigned_abs())).await?;
        Ok(Answer(Results { results: rows.into_iter().map(Run::from).collect() }))
    }

    #[oai(path = "/job/:jobId/nextRun", method = "get", operation_id = "listJobNextRuns", tag = Tag::JobRun)]
    async fn list_job_next_runs(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        #[oai(default = "default_next_runs")] count: Query<i32>,
    ) -> Result<Found<NextRunResponseList>> {
        let count = limits::between("count", count.0, 1, 100)?;
        let job = access::job_row(&self.0.db, &auth.0, Action::View, JobId(job_id.0)).await?;
        let spec = job.deployed.as_ref().unwrap_or(&job.spec);
        let Schedule::Cron { scheduled_at, timezone, .. } = &spec.schedule else {
            return Err(Error::invalid("jobId", "a LIFECYCLE job has no schedule"));
        };
        let results = next_runs(scheduled_at, timezone, self.0.clock.now(), count)?;
        Ok(Answer(NextRunResponseList {
            timezone: timezone.clone(),
            scheduled_at: scheduled_at.clone(),
            active: job.next_run_at.is_some(),
            results,
        }))
    }

    #[oai(path = "/run/:runId", method = "get", operation_id = "getRun", tag = Tag::JobRun)]
    async fn get_run(&self, auth: Auth, #[oai(name = "runId")] run_id: Path<Uuid>) -> Result<Found<Run>> {
        let row = access::run(&self.0.db, &auth.0, Action::View, RunId(run_id.0)).await?;
        Ok(Answer(Run::from(row)))
    }

    #[oai(path = "/run/:runId/log", method = "get", operation_id = "getRunLog", tag = Tag::JobRun)]
    async fn get_run_log(
        &self,
        auth: Auth,
        #[oai(name = "runId")] run_id: Path<Uuid>,
        #[oai(default)] follow: Query<bool>,
    ) -> Result<Text> {
        let row = access::run(&self.0.db, &auth.0, Action::View, RunId(run_id.0)).await?;
        let until = if follow.0 { Until::Ended } else { Until::Now };
        Ok(Text(poem::Body::from_bytes_stream(lines(Arc::clone(&self.0), row.id, until))))
    }
}

fn default_runs() -> i32 {
    50
}

fn default_next_runs() -> i32 {
    5
}

fn next_runs(scheduled_at: &str, timezone: &str, now: DateTime<Utc>, count: i32) -> Result<Vec<NextRun>> {
    let unreadable = |refused: schedule::Refused| Error::internal(format!("a stored schedule: {}", refused.0));
    let expression: schedule::Schedule = scheduled_at.parse().map_err(unreadable)?;
    let zone = schedule::parse_timezone(timezone).map_err(unreadable)?;
    let times = std::iter::successors(expression.next(now, zone), |time| expression.next(*time, zone));
    let runs = times.take(usize::try_from(count).unwrap_or(0)).map(|at| {
        let local = at.with_timezone(&zone);
        NextRun {
            at: Timestamp(at),
            local_time: local.to_rfc3339_opts(SecondsFormat::Secs, false),
            utc_offset: local.format("%:z").to_string(),
        }
    });
    Ok(runs.collect())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    /// The lines that are there.
    Now,
    /// The end of the run.
    Ended,
}

/// The lines of a run as pieces of text, a page of rows each.
fn lines(app: Arc<App>, run: RunId, until: Until) -> impl Stream<Item = std::io::Result<Vec<u8>>> + Send + 'static {
    let failed = |error: sea_orm::DbErr| {
        tracing::error!(%error, "a log broke off");
        std::io::Error::other("the log broke off")
    };
    stream::try_unfold((app, 0_i64), move |(app, position)| async move {
        loop {
            // The state first: what is written after it was read belongs to a run that was not over.
            let state = store::run::by_id(&app.db, run).await.map_err(failed)?.map(|row| row.state);
            let rows = store::log::list_by_run(&app.db, run, position, store::PAGE).await.map_err(failed)?;
            if let Some(last) = rows.last().map(|row| row.position) {
                let text = rows.into_iter().map(|row| row.text + "\n").collect::<String>();
                return Ok(Some((text.into_bytes(), (app, last))));
            }
            if until == Until::Now || state.is_none_or(run::RunState::is_final) {
                return Ok(None);
            }
            tokio::time::sleep(FOLLOW).await;
        }
    })
}
