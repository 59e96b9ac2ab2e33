//! Helpers of the tests of schedules.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use entity::id::JobId;
use entity::job_spec::{Command, JobSpec, Schedule as JobSchedule, Source};
use serde_json::Value;

use super::timing::Timing;

pub(in crate::engine) fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

pub(in crate::engine) fn spec(expression: &str, zone: &str, settings: Value) -> JobSpec {
    let settings: BTreeMap<String, Value> = serde_json::from_value(settings).unwrap();
    JobSpec {
        description: String::new(),
        cpu_milli: 100,
        memory_mib: 64,
        gpu: 0,
        ephemeral_storage_gib: None,
        cpu_architecture: None,
        max_nb_restart: 0,
        max_duration_seconds: 0,
        auto_preview: false,
        auto_deploy: false,
        port: None,
        icon_uri: String::new(),
        healthchecks: entity::job_spec::Healthchecks::default(),
        source: Source::Docker {
            git_repository: None,
            dockerfile_path: None,
            dockerfile_raw: None,
            docker_target_build_stage: None,
        },
        schedule: JobSchedule::Cron {
            scheduled_at: expression.into(),
            timezone: zone.into(),
            command: Command::default(),
        },
        annotations_groups: Vec::new(),
        labels_groups: Vec::new(),
        settings,
    }
}

pub(in crate::engine) fn timing(expression: &str, zone: &str, settings: Value) -> Timing {
    Timing::of(JobId(uuid::Uuid::nil()), &spec(expression, zone, settings)).unwrap().unwrap()
}
