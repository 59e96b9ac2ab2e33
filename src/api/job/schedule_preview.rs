//! /schedule/preview: the times of a schedule that no job has.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use poem::web::Data;
use poem_openapi::param::Query;
use poem_openapi::{Enum, Object, OpenApi};
use serde::{Deserialize, Serialize};
use windlass_schedule::DayMatch;

use super::next_run::{NextRun, default_next_runs};
use crate::api::caller::Auth;
use crate::api::tag::Tag;
use crate::api::wire::{Json, Success, Warnings};
use crate::app::App;
use crate::engine::cron::Holds;
use crate::engine::definition::{AT_START, DEFAULT_TIMEZONE, NEVER_FIRES, check_times_of};
use crate::engine::limits;
use crate::error::Result;

/// How a day of the month and a day of the week are matched if both are restricted: as in `cronjob.day_match`.
#[derive(Clone, Copy, Debug, Enum)]
#[oai(rename_all = "lowercase")]
enum DayMatchEnum {
    Or,
    And,
}

impl From<DayMatchEnum> for DayMatch {
    fn from(given: DayMatchEnum) -> Self {
        match given {
            DayMatchEnum::Or => Self::Or,
            DayMatchEnum::And => Self::And,
        }
    }
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct SchedulePreview {
    timezone: String,
    scheduled_at: String,
    results: Vec<NextRun>,
    /// Why there are no times.
    explanation: Option<String>,
}

pub(in crate::api) struct SchedulePreviewApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl SchedulePreviewApi {
    #[expect(clippy::too_many_arguments, reason = "one argument for each parameter of the query")]
    #[oai(path = "/schedule/preview", method = "get", operation_id = "previewSchedule", tag = Tag::JobRun)]
    async fn preview_schedule(
        &self,
        _auth: Auth,
        scheduled_at: Query<String>,
        #[oai(default = "default_timezone")] timezone: Query<String>,
        #[oai(default = "either_day")] day_match: Query<DayMatchEnum>,
        after: Query<Option<DateTime<Utc>>>,
        #[oai(default = "default_next_runs")] count: Query<i32>,
        warnings: Data<&Warnings>,
    ) -> Result<Success<SchedulePreview>> {
        let count = limits::between("count", count.0, 1, 100)?;
        let (expression, zone) = check_times_of(("", &scheduled_at.0, &timezone.0), day_match.0.into())?;
        if !expression.can_fire() {
            warnings.add(NEVER_FIRES);
        }
        let after = after.0.unwrap_or_else(|| self.0.clock.now());
        let times = std::iter::successors(expression.next(after, &zone), |time| expression.next(*time, &zone));
        let results = times.take(usize::try_from(count).unwrap_or(0));
        Ok(Json(SchedulePreview {
            results: results.map(|at| NextRun::new(at, &zone, &Holds::default())).collect(),
            explanation: match (expression.can_fire(), expression.is_at_start()) {
                (false, _) => Some(NEVER_FIRES.to_owned()),
                (true, true) => Some(AT_START.to_owned()),
                (true, false) => None,
            },
            timezone: timezone.0,
            scheduled_at: scheduled_at.0,
        }))
    }
}

fn either_day() -> DayMatchEnum {
    DayMatchEnum::Or
}

fn default_timezone() -> String {
    DEFAULT_TIMEZONE.to_owned()
}
