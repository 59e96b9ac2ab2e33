//! /organization/{organizationId}/forecast: what the schedules of an organization will do.

use std::sync::Arc;

use entity::id::OrganizationId;
use entity::run::SERVER_SLOTS;
use poem_openapi::param::{Path, Query};
use poem_openapi::{Enum, Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::{self, Action};
use crate::api::caller::Auth;
use crate::api::tag::Tag;
use crate::api::wire::{Json, Success, Timestamp};
use crate::app::App;
use crate::engine::cron::Concurrency;
use crate::engine::forecast::{CloseToLimit, Forecast, Overlap, Peak};
use crate::engine::limits;
use crate::engine::outlook_of_jobs::outlook_of_jobs;
use crate::error::Result;

/// What happens at a time while an earlier run is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
enum ForecastConcurrencyEnum {
    Forbid,
    Allow,
    Replace,
    Queue,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct ForecastPeak {
    at: Timestamp,
    /// None for the slots of the server.
    cluster_id: Option<Uuid>,
    slots: i64,
    due_runs: i64,
    wait_p50_ms: i64,
    wait_p95_ms: i64,
    jitter_seconds: Option<i32>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct ForecastOverlap {
    job_id: Uuid,
    job_name: String,
    concurrency_policy: ForecastConcurrencyEnum,
    first_at: Timestamp,
    times_p50: i64,
    times_p95: i64,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct ForecastCloseToLimit {
    job_id: Uuid,
    job_name: String,
    p95_ms: i64,
    max_duration_seconds: i64,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct ForecastPeakList {
    count: i64,
    results: Vec<ForecastPeak>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct ForecastOverlapList {
    count: i64,
    results: Vec<ForecastOverlap>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct ForecastCloseToLimitList {
    count: i64,
    results: Vec<ForecastCloseToLimit>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct ForecastResponse {
    from: Timestamp,
    until: Timestamp,
    is_cut: bool,
    planned_runs: i64,
    jobs_without_history: i64,
    peaks: ForecastPeakList,
    overlaps: ForecastOverlapList,
    close_to_limit: ForecastCloseToLimitList,
}

fn number(of: impl TryInto<i64>) -> i64 {
    of.try_into().unwrap_or(i64::MAX)
}

impl From<Peak> for ForecastPeak {
    fn from(peak: Peak) -> Self {
        let Peak { at, slots, capacity, due, wait_p50, wait_p95, jitter_seconds } = peak;
        Self {
            at: Timestamp(at),
            cluster_id: (slots != SERVER_SLOTS).then_some(slots),
            slots: number(capacity),
            due_runs: number(due),
            wait_p50_ms: number(wait_p50),
            wait_p95_ms: number(wait_p95),
            jitter_seconds,
        }
    }
}

impl From<Overlap> for ForecastOverlap {
    fn from(overlap: Overlap) -> Self {
        let Overlap { job, name, concurrency, first, times_p50, times_p95 } = overlap;
        Self {
            job_id: job.0,
            job_name: name,
            concurrency_policy: match concurrency {
                Concurrency::Forbid => ForecastConcurrencyEnum::Forbid,
                Concurrency::Allow => ForecastConcurrencyEnum::Allow,
                Concurrency::Replace => ForecastConcurrencyEnum::Replace,
                Concurrency::Queue => ForecastConcurrencyEnum::Queue,
            },
            first_at: Timestamp(first),
            times_p50: number(times_p50),
            times_p95: number(times_p95),
        }
    }
}

impl From<CloseToLimit> for ForecastCloseToLimit {
    fn from(row: CloseToLimit) -> Self {
        let CloseToLimit { job, name, p95, limit } = row;
        Self { job_id: job.0, job_name: name, p95_ms: number(p95), max_duration_seconds: number(limit / 1000) }
    }
}

impl From<Forecast> for ForecastResponse {
    fn from(forecast: Forecast) -> Self {
        let Forecast { from, until, is_cut, planned, without_history, overlaps, peaks, close_to_limit } = forecast;
        Self {
            from: Timestamp(from),
            until: Timestamp(until),
            is_cut,
            planned_runs: number(planned),
            jobs_without_history: number(without_history),
            peaks: ForecastPeakList {
                count: number(peaks.1),
                results: peaks.0.into_iter().map(ForecastPeak::from).collect(),
            },
            overlaps: ForecastOverlapList {
                count: number(overlaps.1),
                results: overlaps.0.into_iter().map(ForecastOverlap::from).collect(),
            },
            close_to_limit: ForecastCloseToLimitList {
                count: number(close_to_limit.1),
                results: close_to_limit.0.into_iter().map(ForecastCloseToLimit::from).collect(),
            },
        }
    }
}

pub(in crate::api) struct ForecastApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl ForecastApi {
    #[oai(path = "/organization/:organizationId/forecast", method = "get", operation_id = "getOrganizationForecast", tag = Tag::JobRun)]
    async fn get_organization_forecast(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(default = "default_hours")] hours: Query<i32>,
    ) -> Result<Success<ForecastResponse>> {
        let hours = limits::between("hours", hours.0, 1, 48)?;
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::View, id).await?;
        let sight = access::sight(&self.0.db, &auth.0, id).await?;
        Ok(Json(outlook_of_jobs(&self.0, &sight, hours.into()).await?.into()))
    }
}

fn default_hours() -> i32 {
    24
}
