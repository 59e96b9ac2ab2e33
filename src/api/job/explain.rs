//! /job/{jobId}/explain: why a job ran or did not run at a given minute.

use std::sync::Arc;

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use entity::id::JobId;
use poem_openapi::param::{Path, Query};
use poem_openapi::{Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::run_response::Run;
use super::schedule_times::{ScheduleTimes, schedule_times};
use super::skipped_time::SkippedTime;
use super::verdict::{DueSchedule, VerdictEnum, explain_verdict};
use crate::access::{self, Action};
use crate::api::caller::Auth;
use crate::api::tag::Tag;
use crate::api::wire::{Json, Success, Timestamp};
use crate::app::App;
use crate::engine::cron::Keeper;
use crate::error::{Error, Result};
use crate::store;

/// Maximum rows in the explanation of one minute.
const MOST: u64 = 100;

#[derive(Debug, Serialize, Deserialize, Object)]
struct Explanation {
    at: Timestamp,
    verdict: VerdictEnum,
    reason: String,
    runs: Vec<Run>,
    skipped: Vec<SkippedTime>,
    previous: Option<Timestamp>,
    next: Option<Timestamp>,
}

pub(in crate::api) struct ExplainApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl ExplainApi {
    #[oai(path = "/job/:jobId/explain", method = "get", operation_id = "explainJob", tag = Tag::JobRun)]
    async fn explain_job(
        &self,
        auth: Auth,
        #[oai(name = "jobId")] job_id: Path<Uuid>,
        at: Query<Option<DateTime<Utc>>>,
    ) -> Result<Success<Explanation>> {
        let job = access::job_row(&self.0.db, &auth.0, Action::View, JobId(job_id.0)).await?;
        let now = self.0.clock.now();
        // Read this before the runs, so that a time that becomes due in between already has its row.
        let ScheduleTimes { timing, keeper, planned, holds } = schedule_times(&self.0, &job, now).await?;
        let at = at.0.unwrap_or(now);
        let out_of_range = || Error::invalid("at", "is outside the supported range of dates");
        let from = at.duration_trunc(TimeDelta::minutes(1)).map_err(|_| out_of_range())?;
        let until = from.checked_add_signed(TimeDelta::minutes(1)).ok_or_else(out_of_range)?;
        let runs = store::run::list_scheduled_between(&self.0.db, job.id, (from, until), MOST).await?;
        let skipped = store::run::skipped::list_between(&self.0.db, job.id, (from, until), MOST).await?;
        let before = from.checked_sub_signed(TimeDelta::microseconds(1)).ok_or_else(out_of_range)?;
        let within = timing.next(before).filter(|time| *time < until);
        // A row for a long outage covers many times; it counts only if the schedule has a time in this minute.
        let skipped: Vec<_> = skipped.into_iter().filter(|row| row.scheduled_for >= from || within.is_some()).collect();
        let schedule = DueSchedule { within, planned, holds: &holds, by_kubernetes: keeper == Keeper::Kubernetes };
        let (verdict, reason) = explain_verdict(&job, (&runs, &skipped), schedule, now);
        Ok(Json(Explanation {
            at: Timestamp(at),
            verdict,
            reason,
            runs: runs.into_iter().map(Run::from).collect(),
            skipped: skipped.into_iter().map(SkippedTime::from).collect(),
            previous: timing.newest(from - TimeDelta::days(366 * 9), before, 1).pop().map(Timestamp),
            next: timing.next(until - TimeDelta::microseconds(1)).map(Timestamp),
        }))
    }
}
