//! The bodies of checks.

use entity::job_spec::{Rhythm, Schedule};
use entity::{job, job_check};
use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::wire::{ReferenceObject, Timestamp, optional_number};
use crate::engine::job_check::{CheckDefinition, DEFAULT_GRACE_SECONDS, GivenRhythm};
use crate::error::Result;

/// The times at which pings are expected.
#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct CheckSchedule {
    scheduled_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[oai(default, skip_serializing_if_is_none)]
    timezone: Option<String>,
}

#[derive(Debug, Deserialize, Object)]
pub(super) struct CheckRequest {
    name: String,
    #[serde(default)]
    #[oai(default)]
    description: String,
    #[serde(default)]
    #[oai(default)]
    schedule: Option<CheckSchedule>,
    #[serde(default, deserialize_with = "optional_number")]
    #[oai(default)]
    period_seconds: Option<i32>,
    #[serde(default, deserialize_with = "optional_number")]
    #[oai(default)]
    grace_seconds: Option<i32>,
    #[serde(default, deserialize_with = "optional_number")]
    #[oai(default)]
    max_duration_seconds: Option<i32>,
}

impl CheckRequest {
    /// What is requested, if it is valid.
    pub(super) fn definition(self) -> Result<CheckDefinition> {
        let Self { name, description, schedule, period_seconds, grace_seconds, max_duration_seconds } = self;
        let times = schedule.map(|CheckSchedule { scheduled_at, timezone }| (scheduled_at, timezone));
        let rhythm = GivenRhythm { times, period_seconds };
        let grace = grace_seconds.unwrap_or(DEFAULT_GRACE_SECONDS);
        CheckDefinition::new((&name, description), rhythm, grace, max_duration_seconds.unwrap_or(0))
    }
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct Check {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    name: String,
    description: String,
    environment: ReferenceObject,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    schedule: Option<CheckSchedule>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    period_seconds: Option<i32>,
    grace_seconds: i32,
    /// 0 if the grace is also the limit.
    max_duration_seconds: i32,
    expected_for: Option<Timestamp>,
    last_ping_at: Option<Timestamp>,
    /// Only for those who may edit the check.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    ping_url: Option<String>,
}

impl Check {
    pub(super) fn new(job: job::Model, check: &job_check::Model, ping_url: Option<String>) -> Self {
        let (rhythm, grace_seconds) = match job.spec.schedule {
            Schedule::Check { rhythm, grace_seconds } => (Some(rhythm), grace_seconds),
            Schedule::Cron { .. } | Schedule::Lifecycle { .. } => (None, 0),
        };
        let (schedule, period_seconds) = match rhythm {
            Some(Rhythm::Cron { scheduled_at, timezone }) => {
                (Some(CheckSchedule { scheduled_at, timezone: Some(timezone) }), None)
            }
            Some(Rhythm::Period { seconds }) => (None, Some(seconds)),
            None => (None, None),
        };
        Self {
            id: job.id.0,
            created_at: Timestamp(job.created_at),
            updated_at: Timestamp(job.updated_at),
            name: job.name,
            description: job.spec.description,
            environment: ReferenceObject { id: job.environment_id.0 },
            schedule,
            period_seconds,
            grace_seconds,
            max_duration_seconds: job.spec.max_duration_seconds,
            expected_for: check.expected_for.map(Timestamp),
            last_ping_at: check.pinged_at.map(Timestamp),
            ping_url,
        }
    }
}
