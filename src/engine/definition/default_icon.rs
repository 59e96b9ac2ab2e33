//! The icon of a job that has none of its own.

use entity::job_spec::JobType;

/// The icon that official clients know for a type of job.
#[must_use]
pub fn default_icon(job_type: JobType) -> String {
    match job_type {
        JobType::Cron => "app://qovery-console/cron-job".into(),
        JobType::Check => "app://windlass/check".into(),
        JobType::Lifecycle => "app://qovery-console/lifecycle-job".into(),
    }
}
